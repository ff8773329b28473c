// SPDX-License-Identifier: Apache-2.0
// devices.cc - nodes, links and the console of /dev.
#include <asm/ioctls.h>
#include <asm/statfs.h>
#include <asm/termbits.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <linux/stat.h>

#include "init.h"

namespace init {

long Init::device(const Step& step) noexcept {
  const char* name = nullptr;
  const long dir = open_parent(text(step.text[0]), &name);
  if (dir < 0) return dir;
  long made = call(__NR_mknodat, dir, name, step.flags, step.arg[0]);
  if (made == -EEXIST) {
    struct statx info = {};
    const long got = call(__NR_statx, dir, name, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &info);
    if (got < 0) return got;
    const uint64_t number = (info.stx_rdev_minor & 0xffU) | (info.stx_rdev_major << 8U) |
                            (static_cast<uint64_t>(info.stx_rdev_minor & ~0xffU) << 12U);
    // Whatever else bears the name is replaced, not followed and not trusted.
    if ((info.stx_mode & S_IFMT) != (step.flags & S_IFMT) || number != step.arg[0]) {
      const long gone = call(__NR_unlinkat, dir, name, 0);
      if (gone < 0) return gone;
      made = call(__NR_mknodat, dir, name, step.flags, step.arg[0]);
    } else {
      made = call(__NR_fchmodat, dir, name, step.flags & 07777U);
    }
  }
  if (made < 0 || step.arg[1] == 0) return made;
  return call(__NR_fchownat, dir, name, step.arg[1] & 0xffffffffU, step.arg[1] >> 32U,
              AT_SYMLINK_NOFOLLOW);
}

// In a user namespace mknod is forbidden: the host's node is bound over a file.
long Init::device_tree(const Step& step) noexcept {
  const char* name = nullptr;
  const long dir = open_parent(text(step.text[0]), &name);
  if (dir < 0) return dir;
  const long made =
      call(__NR_openat, dir, name, O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | O_WRONLY, 0644);
  if (made >= 0) close_fd(made);
  if (made < 0 && made != -EEXIST) return made;
  const Fd target(call(__NR_openat, dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC));
  return target.ok() ? attach(slot(step.slot), target.get()) : target.get();
}

long Init::symlink(const Step& step) noexcept {
  const char* name = nullptr;
  const long dir = open_parent(text(step.text[0]), &name);
  if (dir < 0) return dir;
  long made = call(__NR_symlinkat, text(step.text[1]), dir, name);
  // flags 1: the name must be ours (ptmx of an image's own /dev is of another devpts).
  if (made == -EEXIST && step.flags != 0) {
    const long gone = call(__NR_unlinkat, dir, name, 0);
    if (gone < 0) return gone;
    made = call(__NR_symlinkat, text(step.text[1]), dir, name);
  }
  return made == -EEXIST ? 0 : made;
}

namespace {

// A pseudo-terminal multiplexer of a devpts, not something that bears its name.
bool is_ptmx(long fd) noexcept {
  struct statfs fs = {};
  struct statx info = {};
  return call(__NR_fstatfs, fd, &fs) == 0 && fs.f_type == DEVPTS_SUPER_MAGIC &&
         call(__NR_statx, fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &info) == 0 &&
         (info.stx_mode & S_IFMT) == S_IFCHR && info.stx_rdev_major == 5 &&
         info.stx_rdev_minor == 2;
}

struct Control {  // cmsghdr with one descriptor
  size_t size;
  int level;
  int type;
  int fd;
  int padding;
};

struct Vector {
  const void* data;
  size_t size;
};

struct Message {
  void* name;
  int name_size;
  int padding;
  Vector* vectors;
  size_t vector_count;
  void* control;
  size_t control_size;
  unsigned flags;
};

}  // namespace

long Init::send_console(long socket, long master) const noexcept {
  const char name[] = "/dev/ptmx";
  Vector vector = {name, sizeof name - 1};
  Control control = {sizeof(size_t) + 3 * sizeof(int), 1 /* SOL_SOCKET */, 1 /* SCM_RIGHTS */,
                     static_cast<int>(master), 0};
  const Message message = {nullptr, 0, 0, &vector, 1, &control, sizeof control, 0};
  const long n = call(__NR_sendmsg, socket, &message, 0x4000 /* MSG_NOSIGNAL */);
  return n < 0 ? n : 0;
}

// The peer itself is bound, not a path that could be exchanged meanwhile.
long Init::bind_console(long peer) noexcept {
  const char* name = nullptr;
  const long dir = open_parent(text(console_path_), &name);
  if (dir < 0) return dir;
  const long made =
      call(__NR_openat, dir, name, O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | O_WRONLY, 0644);
  if (made >= 0) close_fd(made);
  if (made < 0 && made != -EEXIST) return made;
  const Fd target(call(__NR_openat, dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (!target.ok()) return target.get();
  struct statx info = {};
  const long got = call(__NR_statx, target.get(), "", AT_EMPTY_PATH, STATX_TYPE, &info);
  if (got < 0) return got;
  if ((info.stx_mode & S_IFMT) == S_IFLNK) return -ELOOP;
  const Fd tree(
      call(__NR_open_tree, peer, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
  return tree.ok() ? attach(tree.get(), target.get()) : tree.get();
}

long Init::console(const Step& step) noexcept {
  const Fd master(in_root("dev/pts/ptmx", O_RDWR | O_NOCTTY | O_NOFOLLOW));
  if (!master.ok()) return master.get();
  if (!is_ptmx(master.get())) {
    detail_ = wire::kWrongKind;
    return -ENODEV;
  }
  const int locked = 0;
  long done = call(__NR_ioctl, master.get(), TIOCSPTLCK, &locked);
  if (done < 0) return done;
  const Fd peer(call(__NR_ioctl, master.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!peer.ok()) return peer.get();
  if (step.arg[0] != 0) {
    const unsigned short size[4] = {static_cast<unsigned short>(step.arg[0]),
                                    static_cast<unsigned short>(step.arg[0] >> 16U), 0, 0};
    done = call(__NR_ioctl, master.get(), TIOCSWINSZ, size);
    if (done < 0) return done;
  }
  if (step.flags != 0) {
    console_path_ = step.text[0];
    done = bind_console(peer.get());
    if (done < 0) return done;
  }
  done = send_console(slot(step.slot), master.get());
  if (done < 0) return done;
  done = call(__NR_ioctl, peer.get(), TIOCSCTTY, 0);
  if (done < 0) return done;
  (void)call(__NR_fchown, peer.get(), step.arg[1], -1);
  for (int fd = 0; fd < 3 && done >= 0; ++fd) done = call(__NR_dup3, peer.get(), fd, 0);
  return done < 0 ? done : 0;
}

}  // namespace init
