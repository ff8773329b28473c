// SPDX-License-Identifier: Apache-2.0
#include "lower_tree.h"

#include <sys/xattr.h>

#include "overlay_mount.h"
#include "xattrs.h"

Result<LowerTree> open_lower_tree(const std::vector<std::string>& layers) {
  LowerTree out;
  if (layers.empty()) return out;
  const std::string& top = layers.back();
  out.root_known = ::getxattr(top.c_str(), kRootUnsaid, nullptr, 0) < 0;
  if (layers.size() == 1) {  // overlayfs wants two
    out.fd = TRY(open_at(kCwd, top, O_RDONLY | O_DIRECTORY));
    return out;
  }
  OverlayPlan plan;
  plan.lowers.assign(layers.rbegin(), layers.rend());
  const UniqueFd mount = TRY(mount_overlay(plan));
  out.fd = TRY(open_at(mount, ".", O_RDONLY | O_DIRECTORY));
  return out;
}
