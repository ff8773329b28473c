// SPDX-License-Identifier: Apache-2.0
// tree_changes.h - what is different between two trees: the members of a layer.
//
// Only names and attributes are read, except of the few files that look the same
// although overlayfs has copied them up.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "common/fd.h"

struct Change {
  enum class Kind { Added, Changed, Deleted };
  Kind kind = Kind::Added;
  std::string path;  // without '/' in front; empty: the root itself
};

struct UpperOptions {
  // Where a runtime mounts: what it had to create there is no change, unless
  // somebody filled it.
  std::set<std::string> mount_points = {};
  // The upper directory looks as the merged root does, unless it was changed:
  // whether that comparison means anything.
  bool compare_root = true;
};

// Of an overlay's upper directory above `lower`, the directory (or mount) of all
// that lies below it; an invalid descriptor when nothing does. A deletion of what
// is not there is no change, nor is a file that was copied up and is the same.
Result<std::vector<Change>> upper_changes(FdRef upper, FdRef lower, const UpperOptions& options);

// Of two whole trees, by type, mode, owner, size, time, link, device and
// attributes. Files that are linked to a changed one count as changed.
Result<std::vector<Change>> tree_changes(FdRef old_root, FdRef new_root);
