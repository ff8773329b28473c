// SPDX-License-Identifier: Apache-2.0
#include "foreground.h"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>

#include <array>
#include <cerrno>

Result<Signals> Signals::take() {
  sigset_t all;
  ::sigfillset(&all);
  for (const int own : {SIGSEGV, SIGILL, SIGFPE, SIGBUS, SIGABRT, SIGTRAP}) ::sigdelset(&all, own);
  ::sigprocmask(SIG_SETMASK, &all, nullptr);
  UniqueFd fd(::signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd) return errno_error("create", "signalfd");
  return Signals(std::move(fd));
}

void Signals::forward(FdRef pidfd, const Terminal* terminal) const {
  signalfd_siginfo info = {};
  while (::read(fd_.get(), &info, sizeof info) == sizeof info) {
    const int number = static_cast<int>(info.ssi_signo);
    if (number == SIGWINCH && terminal != nullptr) terminal->resize();
    if (number == SIGCHLD || number == SIGURG || number == SIGWINCH) continue;
    (void)::syscall(SYS_pidfd_send_signal, pidfd.get(), number, nullptr, 0);
  }
}

Result<int> wait_in_foreground(Init& init, const Signals& signals, Terminal* terminal,
                               NotifyRelay* relay) {
  const FdRef pidfd = init.child().pidfd();
  std::array<pollfd, 5> fds = {};
  do {
    fds = {{{pidfd.get(), POLLIN, 0},
            {signals.fd().get(), POLLIN, 0},
            {-1, 0, 0},
            {-1, 0, 0},
            {-1, 0, 0}}};
    if (relay != nullptr) fds[4] = {relay->socket().get(), POLLIN, 0};
    if (terminal != nullptr) terminal->watch(fds[2], fds[3]);
    if (::poll(fds.data(), fds.size(), -1) < 0 && errno != EINTR)
      return errno_error("poll", "container");
    if (fds[1].revents != 0) signals.forward(pidfd, terminal);
    if (terminal != nullptr) terminal->serve(fds[2], fds[3]);
    if (fds[4].revents != 0) relay->pass_on();
  } while (fds[0].revents == 0);
  if (terminal != nullptr) terminal->drain();
  if (relay != nullptr) relay->pass_on();
  return init.child().wait();
}
