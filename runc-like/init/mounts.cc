// SPDX-License-Identifier: Apache-2.0
// mounts.cc - made detached, configured, and only then put in place by
// descriptor: nobody can redirect them, and nobody sees them half done.
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/mount.h>
#include <linux/stat.h>

#include "init.h"

namespace init {

long Init::attach(long tree, long target) const noexcept {
  return call(__NR_move_mount, tree, "", target, "",
              MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
}

// On top of the host's "/", which no path below our own root can reach.
long Init::attach_root(const Step& step) noexcept {
  const long moved = step.flags != 0 ? 0
                                     : call(__NR_move_mount, slot(step.slot), "", AT_FDCWD, "/",
                                            MOVE_MOUNT_F_EMPTY_PATH);
  if (moved < 0) return moved;
  root_ = slot(step.slot);
  return 0;
}

namespace {

struct Attr {
  uint64_t set;
  uint64_t clear;
  uint64_t propagation;
  uint64_t userns;
};

long set_attributes(long fd, const Attr& attr, bool recursive) noexcept {
  if (attr.set == 0 && attr.clear == 0 && attr.propagation == 0) return 0;
  return call(__NR_mount_setattr, fd, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), &attr,
              sizeof attr);
}

}  // namespace

namespace {

size_t decimal(long value, char* to) noexcept {
  char digits[20];
  size_t n = 0;
  for (; n == 0 || value != 0; value /= 10) digits[n++] = static_cast<char>('0' + value % 10);
  for (size_t i = 0; i < n; ++i) to[i] = digits[n - 1 - i];
  return n;
}

}  // namespace

// A path that a link of the image leads into procfs would let the image choose
// which kernel file is covered. The plan has checked the names; this checks
// where they led.
long Init::check_target(long target, const Step& step) noexcept {
  if (target < 0) return target;
  const char* path = text(step.text[0]);
  const bool asked = path[0] == 'p' && path[1] == 'r' && path[2] == 'o' && path[3] == 'c' &&
                     (path[4] == '/' || path[4] == '\0');
  if (asked || !on_procfs(target)) return 0;
  detail_ = wire::kInsideProc;
  return -EPERM;
}

// Options come as a run of entries: 'F' number key NUL, or 'S' number key NUL
// value NUL. The number is for the parent's words only.
long Init::configure(long fs, const Step& step) noexcept {
  const char* source = text(step.text[2]);
  if (*source != '\0') {
    const long set = call(__NR_fsconfig, fs, FSCONFIG_SET_STRING, "source", source, 0);
    if (set < 0) return set;
  }
  int entry = 0;
  for (const char* at = text(step.text[3]); step.text[3] != 0 && *at != '\0'; ++entry) {
    const bool flag = *at == 'F';
    const char* key = at + 2;
    at = key + length(key) + 1;
    const char* value = nullptr;
    if (!flag) {
      value = at;
      at += length(at) + 1;
    }
    const long set =
        call(__NR_fsconfig, fs, flag ? FSCONFIG_SET_FLAG : FSCONFIG_SET_STRING, key, value, 0);
    if (set < 0) {
      detail_ = wire::kOptionRefused + entry;
      return set;
    }
  }
  return call(__NR_fsconfig, fs, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0);
}

// A detached mount of a new file system.
long Init::make_tree(const Step& step) noexcept {
  const Fd fs(call(__NR_fsopen, text(step.text[1]), FSOPEN_CLOEXEC));
  if (!fs.ok()) return fs.get();
  const long configured = configure(fs.get(), step);
  if (configured < 0) return configured;
  return call(__NR_fsmount, fs.get(), FSMOUNT_CLOEXEC, step.arg[0]);
}

// fsconfig takes no value above 255 bytes; the old call does, and needs a path. It
// gets one that nobody else knows, on a tmpfs which covers the root until the mount
// has been detached again.
long Init::make_tree_by_path(const Step& step) noexcept {
  const Fd fs(call(__NR_fsopen, "tmpfs", FSOPEN_CLOEXEC));
  if (!fs.ok()) return fs.get();
  const long made = call(__NR_fsconfig, fs.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0);
  if (made < 0) return made;
  const Fd scratch(call(__NR_fsmount, fs.get(), FSMOUNT_CLOEXEC, 0));
  if (!scratch.ok()) return scratch.get();
  const long covered = attach(scratch.get(), root_);
  if (covered < 0) return covered;
  char cover[] = "/proc/self/fd/..........";
  char place[] = "/proc/self/fd/........../m";
  const size_t digits = decimal(scratch.get(), cover + 14);
  cover[14 + digits] = '\0';
  for (size_t i = 0; i < digits; ++i) place[14 + i] = cover[14 + i];
  place[14 + digits] = '/';
  place[15 + digits] = 'm';
  place[16 + digits] = '\0';
  constexpr int kDetach = 2;  // MNT_DETACH
  long tree = call(__NR_mkdirat, scratch.get(), "m", 0700);
  if (tree >= 0)
    tree = call(__NR_mount, text(step.text[2]), place, text(step.text[1]), step.arg[2],
                base_ + step.arg[1]);
  if (tree >= 0)
    tree = call(__NR_open_tree, scratch.get(), "m", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
  // Takes what is mounted in it along.
  const long bare = call(__NR_umount2, cover, kDetach);
  if (tree < 0) return tree;
  const long set = bare < 0 ? bare : set_attributes(tree, {step.arg[0], 0, 0, 0}, false);
  if (set >= 0) return tree;
  close_fd(tree);
  return set;
}

long Init::target_of(const Step& step, Kind kind) noexcept {
  const char* path = text(step.text[0]);
  return (step.flags & wire::kMountAtLink) != 0 ? plain_target(path, kind)
                                                : make_target(path, kind);
}

long Init::mount_fs(const Step& step) noexcept {
  const char* path = text(step.text[0]);
  forget_parent();
  const Fd tree(step.arg[1] != 0 ? make_tree_by_path(step) : make_tree(step));
  if (!tree.ok()) return tree.get();
  // proc and sysfs must lie where their name says (a link could give a second
  // container sharing the directory an unmasked one).
  if ((step.flags & wire::kMountOrdinary) != 0) {
    const Fd made(make_target(path, Kind::Directory));
    if (!made.ok()) return made.get();
    const Fd plain(in_root(path, O_PATH | O_NOFOLLOW));
    if (!plain.ok()) return plain.get();
    if (!is_directory(plain.get())) return -ENOTDIR;
    return attach(tree.get(), plain.get());
  }
  const bool existed = (step.flags & (wire::kMountKeepMode | wire::kMountCopyUp)) != 0 &&
                       Fd(in_root(path, O_PATH)).ok();
  const Fd target(target_of(step, Kind::Directory));
  const long good = check_target(target.get(), step);
  if (good < 0) return good;
  if (existed) {
    struct statx info = {};
    const long got = call(__NR_statx, target.get(), "", AT_EMPTY_PATH, STATX_MODE, &info);
    if (got < 0) return got;
    if ((step.flags & wire::kMountKeepMode) != 0)
      (void)call(__NR_fchmodat, tree.get(), ".", info.stx_mode & 07777U);
    if ((step.flags & wire::kMountCopyUp) != 0) {
      const long copied = copy_up(target.get(), tree.get());
      if (copied < 0) return copied;
    }
  }
  return attach(tree.get(), target.get());
}

// A link of the same name and content; fine when it is there.
long Init::copy_link(long link, const char* path) noexcept {
  constexpr size_t kMost = 4096;
  char* wanted = g_buffer;
  char* found = g_buffer + kMost;
  const long size = call(__NR_readlinkat, link, "", wanted, kMost - 1);
  if (size < 0) return size;
  wanted[size] = '\0';
  const char* name = nullptr;
  const long dir = open_parent(path, &name);
  if (dir < 0) return dir;
  const long made = call(__NR_symlinkat, wanted, dir, name);
  if (made != -EEXIST) return made;
  if (call(__NR_readlinkat, dir, name, found, kMost) != size) return made;
  for (long i = 0; i < size; ++i)
    if (found[i] != wanted[i]) return made;
  return 0;
}

long Init::mount_tree(const Step& step) noexcept {
  const long tree = slot(step.slot);
  forget_parent();
  if ((step.flags & wire::kMountCopyLink) != 0 && link_size(tree) >= 0)
    return copy_link(tree, text(step.text[0]));
  const uint64_t recursive_set = step.arg[2] & 0xffffffffU;
  const uint64_t recursive_clear = step.arg[2] >> 32;
  const long changed = set_attributes(tree, {step.arg[0], step.arg[1], 0, 0}, false);
  if (changed < 0) return changed;
  const long all = set_attributes(tree, {recursive_set, recursive_clear, 0, 0}, true);
  if (all < 0) return all;
  const Fd target(target_of(step, is_directory(tree) ? Kind::Directory : Kind::File));
  const long good = check_target(target.get(), step);
  return good < 0 ? good : attach(tree, target.get());
}

long Init::mount_propagation(const Step& step) noexcept {
  constexpr uint32_t kRecursive = 16384;  // MS_REC
  const uint64_t at_link = step.arg[0] != 0 ? O_NOFOLLOW : 0;
  const Fd target(in_root(text(step.text[0]), O_PATH | at_link));
  if (!target.ok()) return target.get();
  if ((step.arg[0] & wire::kMountCopyLink) != 0 && link_size(target.get()) >= 0) return 0;
  return set_attributes(target.get(), {0, 0, step.flags & ~kRecursive, 0},
                        (step.flags & kRecursive) != 0);
}

long Init::attributes(const Step& step) noexcept {
  const uint64_t at_link = step.arg[2] != 0 ? O_NOFOLLOW : 0;
  const Fd target(in_root(text(step.text[0]), O_PATH | at_link));
  if (!target.ok()) return target.get();
  return set_attributes(target.get(), {step.arg[0], step.arg[1], 0, 0}, step.flags != 0);
}

}  // namespace init
