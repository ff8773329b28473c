// SPDX-License-Identifier: Apache-2.0
// namespaces.cc - which world init lives in: joined, unshared, forked.
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/keyctl.h>
#include <linux/mount.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <linux/signal.h>
#include <linux/sockios.h>

#include "init.h"

namespace init {

namespace {

// <linux/if.h> drags in the C library: what SIOC[GS]IFFLAGS read of its ifreq.
struct InterfaceFlags {
  char name[16];
  short flags;
  char rest[22];
};
constexpr short kUp = 1;

}  // namespace

long Init::die_with_parent(const Step& step) noexcept {
  return call(__NR_prctl, PR_SET_PDEATHSIG, step.arg[0] != 0 ? SIGKILL : 0, 0, 0, 0);
}

// A procfs that nothing of the image can be mounted over: what is written to
// /proc during set-up goes through it.
long Init::open_proc() noexcept {
  const Fd fs(call(__NR_fsopen, "proc", FSOPEN_CLOEXEC));
  if (!fs.ok()) return fs.get();
  const long made = call(__NR_fsconfig, fs.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0);
  if (made < 0) return made;
  proc_ = call(__NR_fsmount, fs.get(), FSMOUNT_CLOEXEC,
               MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
  return proc_ < 0 ? proc_ : 0;
}

// "0" is the writer himself: no other process has to be waited for.
long Init::enter_cgroup(const Step& step) noexcept {
  const long n = call(__NR_write, slot(step.slot), "0", 1);
  return n < 0 ? n : 0;
}

long Init::join(const Step& step) noexcept {
  const long joined = call(__NR_setns, slot(step.slot), step.flags);
  if (joined < 0) return joined;
  if ((step.flags & CLONE_NEWNS) != 0 && step.op == wire::Op::JoinProcess) {
    root_ = call(__NR_openat, AT_FDCWD, "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root_ < 0) return root_;
  }
  return 0;
}

long Init::become_root(const Step& step) noexcept {
  // Where setgroups is denied the groups stay as they are; they are unmapped.
  if (step.flags != 0) (void)call(__NR_setgroups, 0, nullptr);
  const long group = call(__NR_setresgid, 0, 0, 0);
  if (group < 0) return group;
  const long user = call(__NR_setresuid, 0, 0, 0);
  if (user < 0) return user;
  return call(__NR_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);
}

// A pid namespace holds for children only, and so do those that a joined user
// namespace must own. The child takes over as a child of our parent; we are gone.
// It goes on when we are: the pipe then ends, and its own words come after ours.
long Init::fork_on(const Step& step) noexcept {
  int gate[2] = {-1, -1};
  if (const long piped = call(__NR_pipe2, gate, O_CLOEXEC); piped < 0) return piped;
  clone_args args = {};
  args.flags = CLONE_PARENT | step.flags;
  args.exit_signal = 0;  // with CLONE_PARENT that of the caller is taken
  const long child = call(__NR_clone3, &args, sizeof args);
  if (child < 0) return child;
  if (child > 0) {
    (void)tell(wire::Msg::Forked, child);
    for (;;) (void)call(__NR_exit_group, 0);
  }
  (void)call(__NR_close, gate[1]);
  char nothing = 0;
  while (call(__NR_read, gate[0], &nothing, 1) == -EINTR) continue;
  (void)call(__NR_close, gate[0]);
  return die_with_parent(Step{wire::Op::DieWithParent, 0, -1, 0, {}, 0, {1, 0, 0}});
}

// So that the container cannot read the keys of whoever started it. A host
// without keyrings, or at its quota, has nothing to read.
long Init::keyring(const Step& step) noexcept {
  const long ring = call(__NR_keyctl, KEYCTL_JOIN_SESSION_KEYRING, text(step.text[0]));
  if (ring == -ENOSYS || ring == -EPERM || ring == -EDQUOT) return 0;
  return ring < 0 ? ring : 0;
}

long Init::loopback() noexcept {
  const Fd socket(call(__NR_socket, 2 /* AF_INET */, 2 /* SOCK_DGRAM */ | O_CLOEXEC, 0));
  if (socket.get() == -EAFNOSUPPORT) return 0;
  if (!socket.ok()) return socket.get();
  InterfaceFlags request = {"lo", 0, {}};
  const long got = call(__NR_ioctl, socket.get(), SIOCGIFFLAGS, &request);
  if (got < 0) return got;
  request.flags = static_cast<short>(request.flags | kUp);
  return call(__NR_ioctl, socket.get(), SIOCSIFFLAGS, &request);
}

}  // namespace init
