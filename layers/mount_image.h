// SPDX-License-Identifier: Apache-2.0
// mount_image.h - an image's files in a directory, without a bundle around them.
#pragma once

#include <optional>
#include <string>

#include "store.h"
#include "unpack.h"

struct MountOptions {
  bool writable = false;                  // what is written lies in the store until umount
  std::optional<std::string> upper = {};  // it lies there instead, and stays
  UnpackLimits limits = {};
};

// Mounts on `dir`, which is made when it does not exist.
Result<void> mount_image(const Store& store, const Image& image, const std::string& dir,
                         const MountOptions& options);

// Unmounts and forgets; the directory goes when it is empty. Can be repeated.
Result<void> unmount_image(const std::string& store_path, const std::string& dir);
