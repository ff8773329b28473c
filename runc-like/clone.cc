// SPDX-License-Identifier: Apache-2.0
#include "clone.h"

#include <linux/sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace {

#if defined(__x86_64__)
// The child returns from the system call on a new stack, so it must not return
// from this function: it calls `body` and exits right here.
long clone_on_stack(clone_args* args, int (*body)(void*), void* argument) {
  long result = SYS_clone3;
  register int (*call)(void*) asm("r8") = body;
  register void* with asm("r9") = argument;
  asm volatile(
      "syscall\n\t"
      "test %%rax, %%rax\n\t"
      "jnz 1f\n\t"
      "xor %%ebp, %%ebp\n\t"
      "mov %%r9, %%rdi\n\t"
      "call *%%r8\n\t"
      "mov %%eax, %%edi\n\t"
      "mov %[exit], %%eax\n\t"
      "syscall\n\t"
      "1:"
      : "+a"(result)
      : "D"(args), "S"(sizeof *args), "r"(call), "r"(with), [exit] "i"(SYS_exit)
      : "rcx", "r11", "memory");
  return result;
}
constexpr bool kCanShare = true;
#else
long clone_on_stack(clone_args*, int (*)(void*), void*) {
  return -ENOSYS;
}
constexpr bool kCanShare = false;
#endif

long clone_copy(clone_args* args, int (*body)(void*), void* argument) {
  const long pid = ::syscall(SYS_clone3, args, sizeof *args);
  if (pid == 0) ::_exit(body(argument));
  return pid < 0 ? -errno : pid;
}

// Signals wait while the child runs in our memory: no handler of ours may run there.
class BlockedSignals {
 public:
  BlockedSignals() {
    sigset_t all;
    ::sigfillset(&all);
    ::sigprocmask(SIG_SETMASK, &all, &before_);
  }
  BlockedSignals(const BlockedSignals&) = delete;
  BlockedSignals& operator=(const BlockedSignals&) = delete;
  ~BlockedSignals() { ::sigprocmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_ = {};
};

alignas(16) std::array<char, 16384> g_stack;

}  // namespace

Result<ChildProcess> clone_child(const CloneRequest& request, int (*body)(void*), void* argument) {
  int pidfd = -1;
  clone_args args = {};
  args.flags = static_cast<__u64>(request.flags) | CLONE_PIDFD;
  args.pidfd = reinterpret_cast<std::uint64_t>(&pidfd);
  args.exit_signal = SIGCHLD;
  if (request.cgroup >= 0) {
    args.flags |= CLONE_INTO_CGROUP;
    args.cgroup = static_cast<__u64>(request.cgroup);
  }
  long pid = 0;
  {
    const BlockedSignals quiet;
    if (kCanShare && request.share_memory) {
      args.flags |= CLONE_VM | CLONE_VFORK;
      args.stack = reinterpret_cast<std::uint64_t>(g_stack.data());
      args.stack_size = g_stack.size();
      pid = clone_on_stack(&args, body, argument);
    } else {
      pid = clone_copy(&args, body, argument);
    }
  }
  if (pid < 0) {
    const int why = static_cast<int>(-pid);
    return Error{"clone the container's first process", why,
                 why == EPERM    ? "new namespaces need CAP_SYS_ADMIN or a user namespace"
                 : why == ENOSPC ? "a limit in /proc/sys/user/max_*_namespaces is reached"
                                 : ""};
  }
  return ChildProcess(static_cast<pid_t>(pid), UniqueFd(pidfd));
}
