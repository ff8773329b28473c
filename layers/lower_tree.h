// SPDX-License-Identifier: Apache-2.0
// lower_tree.h - the layers of an image as one directory to look at, attached nowhere.
#pragma once

#include <string>
#include <vector>

#include "common/fd.h"

#include "store.h"
#include "unpack.h"

struct LowerTree {
  UniqueFd fd;             // invalid: the image has no layers
  bool root_known = true;  // whether its root looks as the image's does
};

// `layers` as unpacked_layers() gives them: the lowest first.
Result<LowerTree> open_lower_tree(const std::vector<std::string>& layers);
