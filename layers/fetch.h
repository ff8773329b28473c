// SPDX-License-Identifier: Apache-2.0
// fetch.h - a file from an http or https address, for ADD.
#pragma once

#include <ctime>
#include <string>

#include "common/fd.h"

// Writes the body into `file` and gives it the time that the server says it was
// changed, if it does. Only http and https, also after redirects.
Result<void> fetch(const std::string& url, FdRef file, std::uint64_t most_bytes);
