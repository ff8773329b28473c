// SPDX-License-Identifier: Apache-2.0
// changed_tree.h - what a container, or whoever wrote into an upper directory,
// has changed in an image.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "store.h"
#include "tree_changes.h"
#include "unpack.h"

struct ChangedTree {
  UniqueFd root;  // where the changed files are
  std::vector<Change> changes;
  std::optional<Image> base;  // what was changed; none: scratch
};

struct ChangedTreeOptions {
  std::optional<std::string> base = {};  // of an upper directory: an image, or "scratch"
  bool volumes = false;                  // also what lies in the image's volumes
  Platform platform = host_platform();
  UnpackLimits limits = {};
};

// `place` is a bundle of the store's, or an overlay's upper directory.
Result<ChangedTree> changed_tree(const Store& store, const std::string& place,
                                 const ChangedTreeOptions& options);
