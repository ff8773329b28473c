// SPDX-License-Identifier: Apache-2.0
// directory_names.h - what lies in a directory, read to its end before anything changes in it.
#pragma once

#include <string>
#include <vector>

#include "common/fd.h"

// Without "." and ".."; `path` stands in errors.
Result<std::vector<std::string>> directory_names(FdRef dir, const std::string& path);
