// SPDX-License-Identifier: Apache-2.0
// hooks.cc - createContainer and startContainer: programs run in the container's
// namespaces before its own.
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/memfd.h>
#include <linux/poll.h>
#include <linux/sched.h>
#include <linux/signal.h>
#include <linux/wait.h>

#include "init.h"

namespace init {

namespace {

long write_text(long fd, const char* text, size_t size) noexcept {
  while (size > 0) {
    const long n = call(__NR_write, fd, text, size);
    if (n < 0) return n;
    text += n;
    size -= static_cast<size_t>(n);
  }
  return 0;
}

}  // namespace

// The state document, cut in two where our pid stands: it is the pid as seen here.
long Init::hook_input(const Step& step) noexcept {
  const long file = call(__NR_memfd_create, "state", MFD_CLOEXEC);
  if (file < 0) return file;
  const char* before = text(step.text[3]);
  const char* after = before + length(before) + 1;
  char digits[24];
  size_t at = sizeof digits;
  unsigned long pid = static_cast<unsigned long>(call(__NR_getpid));
  do {
    digits[--at] = static_cast<char>('0' + pid % 10);
    pid /= 10;
  } while (pid != 0);
  long done = write_text(file, before, length(before));
  if (done == 0) done = write_text(file, digits + at, sizeof digits - at);
  if (done == 0) done = write_text(file, after, length(after));
  if (done == 0) done = call(__NR_lseek, file, 0, 0);
  if (done >= 0) return file;
  close_fd(file);
  return done;
}

long Init::await_hook(long child, long pidfd, uint64_t seconds) noexcept {
  pollfd wait = {static_cast<int>(pidfd), POLLIN, 0};
  const long limit[2] = {static_cast<long>(seconds), 0};
  long ready = 0;
  do {
    ready = call(__NR_ppoll, &wait, 1, seconds == 0 ? nullptr : limit, nullptr, 0);
  } while (ready == -EINTR);
  if (ready == 0) (void)call(__NR_pidfd_send_signal, pidfd, SIGKILL, nullptr, 0);
  int status = 0;
  long reaped = 0;
  do {
    reaped = call(__NR_wait4, child, &status, 0, nullptr);
  } while (reaped == -EINTR);
  if (ready == 0) {
    detail_ = wire::kHookTimeout;
    return -ETIMEDOUT;
  }
  if (reaped < 0) return reaped;
  if (status == 0) return 0;
  detail_ = wire::kHookStatus;
  return -status;
}

long Init::hook(const Step& step) noexcept {
  const Fd input(hook_input(step));
  if (!input.ok()) return input.get();
  int pidfd = -1;
  clone_args args = {};
  args.flags = CLONE_PIDFD;
  args.pidfd = reinterpret_cast<uint64_t>(&pidfd);
  args.exit_signal = SIGCHLD;
  const long child = call(__NR_clone3, &args, sizeof args);
  if (child < 0) return child;
  if (child == 0) {
    (void)call(__NR_dup3, input.get(), 0, 0);
    (void)call(__NR_dup3, slot(wire::kNull), 1, 0);
    (void)call(__NR_dup3, slot(wire::kNull), 2, 0);
    (void)call(__NR_close_range, 3, ~0U, 4 /* CLOSE_RANGE_CLOEXEC */);
    (void)call(__NR_execve, text(step.text[0]), pointers(step.text[1]), pointers(step.text[2]));
    for (;;) (void)call(__NR_exit_group, 127);
  }
  const Fd watched(pidfd);
  return await_hook(child, watched.get(), step.arg[0]);
}

}  // namespace init
