// SPDX-License-Identifier: Apache-2.0
// step_root.h - the file system that one step of a build changes: the layers so
// far below a writable directory, whose content becomes the next layer.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/temp_dir.h"

#include "lower_tree.h"
#include "new_image.h"
#include "store.h"
#include "unpack.h"

class StepRoot {
 public:
  static Result<StepRoot> open(const Store& store, const NewImage& image,
                               const UnpackLimits& limits);
  StepRoot(StepRoot&&) noexcept = default;
  StepRoot& operator=(StepRoot&&) = delete;
  ~StepRoot();

  FdRef root() const { return root_; }
  const std::string& scratch() const { return scratch_.path(); }
  // Shows the root at scratch()/bundle/rootfs, where a runtime finds it.
  Result<std::string> attach();
  // An empty directory below scratch(), for a mount that ends with this.
  Result<std::string> mount_place(const std::string& name);

  // Nothing when nothing has changed.
  Result<std::optional<NewLayer>> take(Compression compression,
                                       const std::set<std::string>& mount_points);

 private:
  StepRoot(const Store& store, TempDir scratch) : store_(&store), scratch_(std::move(scratch)) {}

  const Store* store_;
  TempDir scratch_;
  LowerTree lower_;
  UniqueFd root_;
  std::vector<std::string> places_;  // to be unmounted
};
