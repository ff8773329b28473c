// SPDX-License-Identifier: Apache-2.0
#include "overlay_mount.h"

#include <linux/magic.h>
#include <linux/mount.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/statfs.h>
#include <sys/syscall.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>

namespace {

constexpr std::size_t kMostLowers = 500;    // OVL_MAX_STACK
constexpr std::size_t kLongestValue = 255;  // fsconfig takes no longer string

// A directory by descriptor where its path is too long to be a value.
class Lower {
 public:
  static Result<Lower> open(const std::string& path) {
    return Lower(path, TRY(open_directory(path)));
  }
  std::string short_path() const { return "/proc/self/fd/" + std::to_string(fd_.get()); }
  std::string value() const { return path_.size() <= kLongestValue ? path_ : short_path(); }

 private:
  Lower(std::string path, UniqueFd fd) : path_(std::move(path)), fd_(std::move(fd)) {}
  std::string path_;
  UniqueFd fd_;
};

Result<std::vector<Lower>> open_all(const std::vector<std::string>& paths) {
  if (paths.size() > kMostLowers)
    return Error{"the image has " + std::to_string(paths.size()) +
                 " layers; overlayfs takes at most " + std::to_string(kMostLowers)};
  std::vector<Lower> out;
  for (const std::string& path : paths) out.push_back(TRY(Lower::open(path)));
  return out;
}

Error refused(const std::string& upper) {
  Error error = errno_error("mount", "overlay");
  struct statfs fs = {};
  if (error.code == EPERM)
    error.hint = "run as root";
  else if (error.code == ENODEV)
    error.hint = "this kernel has no overlayfs; try: modprobe overlay";
  else if (!upper.empty() && ::statfs(upper.c_str(), &fs) == 0 &&
           fs.f_type == OVERLAYFS_SUPER_MAGIC)
    error.hint =
        "the store lies on an overlay, which cannot hold another one; choose a store on a "
        "disk or tmpfs with --store";
  return error;
}

Result<void> set(FdRef context, const char* key, const std::string& value,
                 const OverlayPlan& plan) {
  if (::syscall(SYS_fsconfig, context.get(), FSCONFIG_SET_STRING, key, value.c_str(), 0) != 0)
    return refused(plan.upper);
  return {};
}

// redirect_dir and metacopy let a layer show files of another place, and
// index would tie the layers to one mount: none of it with layers of strangers.
constexpr std::string_view kOff[] = {"redirect_dir", "metacopy", "index"};

}  // namespace

Result<UniqueFd> mount_overlay(const OverlayPlan& plan) {
  const auto lowers = TRY(open_all(plan.lowers));
  const UniqueFd context(static_cast<int>(::syscall(SYS_fsopen, "overlay", FSOPEN_CLOEXEC)));
  if (!context) return refused(plan.upper);
  for (const Lower& lower : lowers) {
    auto added = set(context, "lowerdir+", lower.value(), plan);
    if (!added && added.error().code == EINVAL) return mount_overlay_in_one_option(plan);
    TRY(std::move(added));
  }
  if (!plan.upper.empty()) {
    const Lower upper = TRY(Lower::open(plan.upper));
    const Lower work = TRY(Lower::open(plan.work));
    TRY(set(context, "upperdir", upper.value(), plan));
    TRY(set(context, "workdir", work.value(), plan));
    for (const std::string_view key : kOff) TRY(set(context, key.data(), "off", plan));
    if (::syscall(SYS_fsconfig, context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0)
      return refused(plan.upper);
  } else if (::syscall(SYS_fsconfig, context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) !=
             0) {
    return refused(plan.upper);
  }
  const unsigned attributes = plan.upper.empty() ? MOUNT_ATTR_RDONLY : 0;
  UniqueFd mount(
      static_cast<int>(::syscall(SYS_fsmount, context.get(), FSMOUNT_CLOEXEC, attributes)));
  if (!mount) return refused(plan.upper);
  return mount;
}

Result<UniqueFd> mount_overlay_in_one_option(const OverlayPlan& plan) {
  // Descriptors instead of paths keep the option short. mount(2) must attach
  // somewhere: for a moment on a directory of its own, to be copied from there.
  const auto lowers = TRY(open_all(plan.lowers));
  std::string options = "lowerdir=";
  for (const Lower& lower : lowers)
    options.append(&lower == lowers.data() ? "" : ":").append(lower.short_path());
  std::vector<Lower> writable;
  if (!plan.upper.empty()) {
    writable.push_back(TRY(Lower::open(plan.upper)));
    writable.push_back(TRY(Lower::open(plan.work)));
    options.append(",upperdir=").append(writable[0].short_path());
    options.append(",workdir=").append(writable[1].short_path());
    for (const std::string_view key : kOff) options.append(",").append(key).append("=off");
  }
  if (options.size() >= 4096)
    return Error{"the image has too many layers for this kernel", E2BIG,
                 "Linux 6.5 and newer take up to 500"};
  const std::string place = plan.upper.empty() ? plan.lowers.front() : plan.upper;
  const unsigned long flags = plan.upper.empty() ? MS_RDONLY : 0;
  if (::mount("overlay", place.c_str(), "overlay", flags, options.c_str()) != 0)
    return refused(plan.upper);
  UniqueFd copy(static_cast<int>(
      ::syscall(SYS_open_tree, AT_FDCWD, place.c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC)));
  const Error failed = errno_error("copy mount", place);
  (void)::umount2(place.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW);
  if (!copy) return failed;
  return copy;
}

Result<void> attach_mount(FdRef mount, const std::string& target) {
  if (::syscall(SYS_move_mount, mount.get(), "", AT_FDCWD, target.c_str(),
                MOVE_MOUNT_F_EMPTY_PATH) != 0)
    return errno_error("mount on", target);
  return {};
}

Result<bool> detach_mount(const std::string& target) {
  if (::umount2(target.c_str(), UMOUNT_NOFOLLOW) == 0) return true;
  if (errno == EINVAL || errno == ENOENT) return false;
  Error error = errno_error("unmount", target);
  if (error.code == EBUSY) error.hint = "something still uses it; stop the container first";
  return error;
}
