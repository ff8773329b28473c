// SPDX-License-Identifier: Apache-2.0
// masks.cc - what the container must not see or write, and leaving the host's tree.
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/mount.h>
#include <linux/stat.h>

#include "init.h"

namespace init {

namespace {

constexpr uint64_t kQuiet = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;

// One empty, read-only directory for all: a file system for each would make
// ending the container slow.
long make_empty() noexcept {
  const Fd fs(call(__NR_fsopen, "tmpfs", FSOPEN_CLOEXEC));
  if (!fs.ok()) return fs.get();
  (void)call(__NR_fsconfig, fs.get(), FSCONFIG_SET_STRING, "size", "4096", 0);
  (void)call(__NR_fsconfig, fs.get(), FSCONFIG_SET_STRING, "nr_inodes", "1", 0);
  (void)call(__NR_fsconfig, fs.get(), FSCONFIG_SET_STRING, "mode", "755", 0);
  (void)call(__NR_fsconfig, fs.get(), FSCONFIG_SET_FLAG, "ro", nullptr, 0);
  const long made = call(__NR_fsconfig, fs.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0);
  if (made < 0) return made;
  return call(__NR_fsmount, fs.get(), FSMOUNT_CLOEXEC, kQuiet | MOUNT_ATTR_RDONLY);
}

}  // namespace

long Init::mask_directory(long target) noexcept {
  if (empty_ < 0) {
    empty_ = make_empty();
    return empty_ < 0 ? empty_ : attach(empty_, target);
  }
  const Fd again(
      call(__NR_open_tree, empty_, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
  return again.ok() ? attach(again.get(), target) : again.get();
}

// The host's /dev/null, never that of the image: that one could be a link to a
// kernel file, which the mask would then offer for writing.
long Init::mask_file(long target) noexcept {
  const Fd null(call(__NR_open_tree, AT_FDCWD, "/dev/null", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
  if (!null.ok()) return null.get();
  struct statx info = {};
  const long got = call(__NR_statx, null.get(), "", AT_EMPTY_PATH, STATX_BASIC_STATS, &info);
  if (got < 0) return got;
  if ((info.stx_mode & S_IFMT) != S_IFCHR || info.stx_rdev_major != 1 || info.stx_rdev_minor != 3) {
    detail_ = wire::kWrongKind;
    return -ENODEV;
  }
  return attach(null.get(), target);
}

long Init::mask(const Step& step) noexcept {
  const Fd target(in_root(text(step.text[0]), O_PATH));
  if (target.get() == -ENOENT || target.get() == -ENOTDIR) return 0;  // nothing to hide
  if (!target.ok()) return target.get();
  return is_directory(target.get()) ? mask_directory(target.get()) : mask_file(target.get());
}

long Init::readonly_path(const Step& step) noexcept {
  const Fd target(in_root(text(step.text[0]), O_PATH));
  if (target.get() == -ENOENT || target.get() == -ENOTDIR) return 0;
  if (!target.ok()) return target.get();
  const Fd tree(call(__NR_open_tree, target.get(), "",
                     AT_EMPTY_PATH | AT_RECURSIVE | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
  if (!tree.ok()) return tree.get();
  const mount_attr attr = {MOUNT_ATTR_RDONLY, 0, 0, 0};
  const long set = call(__NR_mount_setattr, tree.get(), "", AT_EMPTY_PATH, &attr, sizeof attr);
  return set < 0 ? set : attach(tree.get(), target.get());
}

// Where the container shares mounts with the host, detaching them here must not
// detach them there.
long Init::detach_old_root(long old_root) noexcept {
  const mount_attr slave = {0, 0, MS_SLAVE, 0};
  const long done =
      call(__NR_mount_setattr, old_root, "", AT_EMPTY_PATH | AT_RECURSIVE, &slave, sizeof slave);
  return done < 0 ? done : call(__NR_umount2, ".", 2 /* MNT_DETACH */);
}

// pivot_root(".", ".") stacks the old root on the new one; detaching it needs no
// directory inside the image. Afterwards nothing of the host has a name.
long Init::pivot(const Step& step) noexcept {
  long done = call(__NR_fchdir, root_);
  if (done < 0) return done;
  if (step.flags == 0) {
    const Fd old_root(call(__NR_openat, AT_FDCWD, "/", O_PATH | O_CLOEXEC));
    if (!old_root.ok()) return old_root.get();
    done = call(__NR_pivot_root, ".", ".");
    if (done < 0) return done;
    done = detach_old_root(old_root.get());
  } else {
    done = call(__NR_chroot, ".");
  }
  return done < 0 ? done : call(__NR_chdir, "/");
}

}  // namespace init
