// SPDX-License-Identifier: Apache-2.0
#include "mount_image.h"

#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <cerrno>

#include "common/temp_dir.h"

#include "layer_dirs.h"
#include "lease.h"
#include "overlay_mount.h"

namespace {

// overlayfs wants two layers; one is shown as it is.
Result<UniqueFd> mount_read_only(const std::vector<std::string>& layers, const std::string& empty) {
  if (::mkdir(empty.c_str(), 0755) != 0) return errno_error("create directory", empty);
  OverlayPlan plan;
  plan.lowers.assign(layers.rbegin(), layers.rend());
  while (plan.lowers.size() < 2) plan.lowers.push_back(empty);
  return mount_overlay(plan);
}

Result<UniqueFd> make_mount(const std::vector<std::string>& layers, const std::string& lease,
                            const MountOptions& options) {
  if (options.upper) {
    // On the same file system, where overlayfs needs it.
    const std::string work = *options.upper + ".work";
    for (const std::string& dir : {*options.upper, work})
      if (::mkdir(dir.c_str(), 0755) != 0 && errno != EEXIST)
        return errno_error("create directory", dir);
    return mount_writable(layers, {*options.upper, work});
  }
  if (options.writable) return mount_writable(layers, {lease + "/upper", lease + "/work"});
  return mount_read_only(layers, lease + "/empty");
}

}  // namespace

Result<void> mount_image(const Store& store, const Image& image, const std::string& dir,
                         const MountOptions& options) {
  const std::string place = TRY(absolute_place(dir));
  const auto layers = TRY(unpacked_layers(store, image, options.limits));
  Undo undo;
  if (::mkdir(place.c_str(), 0755) == 0)
    undo.add([place] { (void)::rmdir(place.c_str()); });
  else if (errno != EEXIST)
    return errno_error("create directory", place);
  const std::string lease = TRY(make_lease(store, {place, image, layers}, undo));
  auto mount = make_mount(layers, lease, options);
  if (!mount) return std::move(mount).error().in("'" + lease + "'");
  TRY(attach_mount(*mount, place));
  undo.commit();
  return {};
}

Result<void> unmount_image(const std::string& store_path, const std::string& dir) {
  auto place = absolute_place(dir);
  if (!place && place.error().code == ENOENT) return {};
  if (!place) return std::move(place).error();
  const std::string lease = store_path + "/" + lease_name(*place);
  struct stat st = {};
  if (::lstat(lease.c_str(), &st) != 0 && errno == ENOENT) return {};
  TRY(detach_mount(*place));
  (void)::rmdir(place->c_str());  // stays when it holds something
  return remove_tree(kCwd, lease);
}
