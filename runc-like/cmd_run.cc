// SPDX-License-Identifier: Apache-2.0
// run: create, start, and unless detached wait, forwarding signals; then delete.
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cerrno>
#include <memory>

#include "hooks.h"
#include "log.h"
#include "terminal.h"
#include "verbs.h"

namespace {

// While the container runs every signal meant for it reaches it.
class Signals {
 public:
  static Result<Signals> take() {
    sigset_t all;
    ::sigfillset(&all);
    for (const int kept : {SIGSEGV, SIGILL, SIGFPE, SIGBUS, SIGABRT, SIGTRAP})
      ::sigdelset(&all, kept);
    ::sigprocmask(SIG_SETMASK, &all, nullptr);
    UniqueFd fd(::signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!fd) return errno_error("create", "signalfd");
    return Signals(std::move(fd));
  }

  FdRef fd() const { return fd_; }

  // False once the process that we wait for has ended.
  void forward(FdRef pidfd, Terminal* terminal) const {
    signalfd_siginfo info = {};
    while (::read(fd_.get(), &info, sizeof info) == sizeof info) {
      const int number = static_cast<int>(info.ssi_signo);
      if (number == SIGWINCH && terminal != nullptr) terminal->resize();
      if (number == SIGCHLD || number == SIGURG || number == SIGWINCH) continue;
      (void)::syscall(SYS_pidfd_send_signal, pidfd.get(), number, nullptr, 0);
    }
  }

 private:
  explicit Signals(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

Result<int> wait_for(Init& init, const Signals& signals, Terminal* terminal) {
  const FdRef pidfd = init.child().pidfd();
  for (;;) {
    pollfd fds[4] = {{pidfd.get(), POLLIN, 0}, {signals.fd().get(), POLLIN, 0}, {-1, 0, 0}, {-1, 0, 0}};
    if (terminal != nullptr) terminal->watch(fds[2], fds[3]);
    if (::poll(fds, 4, -1) < 0 && errno != EINTR) return errno_error("poll", "container");
    if (fds[1].revents != 0) signals.forward(pidfd, terminal);
    if (terminal != nullptr) terminal->serve(fds[2], fds[3]);
    if (fds[0].revents != 0) break;
  }
  if (terminal != nullptr) terminal->drain();
  return init.child().wait();
}

Result<void> start_now(Launched& launched) {
  TRY(launched.init.tell(wire::Msg::Start));
  TRY(finish_start(launched.init, launched.program ? &*launched.program : nullptr,
                   launched.container.record(), [&](const wire::Packet& packet) {
                     return step_error(launched.plan, packet);
                   }));
  return run_hooks(launched.spec, HookKind::Poststart,
                   oci_state(launched.container.record(), Status::Running));
}

}  // namespace

Result<int> cmd_run(const Arguments& arguments) {
  const EventLog events = events_of(arguments);
  LaunchOptions options = TRY(launch_options(arguments));
  options.wait_for_start = false;
  options.detach = arguments.options.flag("detach");
  const bool detach = options.detach;
  const bool keep = arguments.options.flag("keep");
  std::unique_ptr<Terminal> terminal;
  if (!detach && options.console_socket.empty()) {
    terminal = TRY(Terminal::offer_if_wanted(options.bundle, options.config));
    if (terminal) options.console_socket = terminal->socket_path();
  }
  const Signals signals = TRY(Signals::take());
  if (!detach && !arguments.options.flag("no-subreaper")) (void)::prctl(PR_SET_CHILD_SUBREAPER, 1);
  Launched launched = TRY(launch(std::move(options), events));
  if (terminal) TRY(terminal->accept());
  TRY(start_now(launched));
  events.emit(launched.container.record().id, "start", launched.container.record().pid);
  if (detach) {
    launched.keep();
    return 0;
  }
  const int status = TRY(wait_for(launched.init, signals, terminal.get()));
  terminal.reset();
  launched.keep();
  if (!keep) TRY(delete_container(launched.container, true, events));
  return status;
}
