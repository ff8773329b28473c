// SPDX-License-Identifier: Apache-2.0
// overlay_mount.h - unpacked layers as one file system.
#pragma once

#include <string>
#include <vector>

#include "common/fd.h"

struct OverlayPlan {
  std::vector<std::string> lowers;  // directories, the uppermost first
  std::string upper = {};           // empty: read-only
  std::string work = {};
};

// A mount that is attached nowhere: usable through its descriptor, gone with it.
Result<UniqueFd> mount_overlay(const OverlayPlan& plan);
// What Linux before 6.5 needs: all layers in one option of at most a page. Same result.
Result<UniqueFd> mount_overlay_in_one_option(const OverlayPlan& plan);

// Attaches it; `target` is a directory.
Result<void> attach_mount(FdRef mount, const std::string& target);
// True when something was mounted there. Never follows a link.
Result<bool> detach_mount(const std::string& target);
