// SPDX-License-Identifier: Apache-2.0
#include "host_mounts.h"

#include <sched.h>
#include <sys/mount.h>

#include <ranges>

#include "common/beneath.h"

namespace {

void remove_one(FdRef root, const std::string& destination) {
  const auto place = open_in_root(root, destination.substr(1), O_PATH);
  if (!place) return;
  // What is no mountpoint is refused (EINVAL), and what lies below goes along.
  const std::string path = "/proc/self/fd/" + std::to_string(place->get());
  (void)::umount2(path.c_str(), MNT_DETACH);
}

}  // namespace

void remove_host_mounts(const Spec& spec, const std::string& rootfs) {
  if (spec.find_namespace(CLONE_NEWNS) != nullptr) return;
  const auto root = open_directory(rootfs);
  if (!root) return;
  if (spec.process && spec.process->terminal) remove_one(*root, "/dev/console");
  for (const MountSpec& mount : spec.mounts | std::views::reverse)
    remove_one(*root, mount.destination);
}
