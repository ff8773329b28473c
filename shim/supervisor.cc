// SPDX-License-Identifier: Apache-2.0
#include "supervisor.h"

#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>

#include "common/child_process.h"

namespace {

// What a person or a service manager sends to stop, reload or resize.
constexpr auto kForwarded =
    std::to_array<int>({SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH});

constexpr auto kStopping = std::to_array<int>({SIGTERM, SIGINT, SIGQUIT});

// How long a log that cannot be written may hold up the news of the exit.
constexpr std::chrono::seconds kDrainTime{10};

// How often, and after which time each, the kernel is asked for the status of a
// process whose parent has not taken note of its end yet.
constexpr int kAskings = 50;
constexpr std::chrono::milliseconds kAskAgain{100};

// PIDFD_GET_INFO of linux/pidfd.h, which may be older than the kernel (6.15 for the
// exit code): the status of any process that we have a pidfd of.
struct PidfdInfo {
  std::uint64_t mask = 0;
  std::uint64_t cgroup = 0;
  std::array<std::uint32_t, 11> ids = {};
  std::int32_t exit_code = 0;
};
constexpr std::uint64_t kExitInfo = 8;

enum class Known { Yes, NotYet, Never };
Known ask_kernel(const UniqueFd& pidfd, int& status) {
  PidfdInfo info;
  info.mask = kExitInfo;
  if (::ioctl(pidfd.get(), _IOWR(0xff, 11, PidfdInfo), &info) != 0) return Known::Never;
  if ((info.mask & kExitInfo) == 0) return Known::NotYet;
  status = exit_code(info.exit_code);
  return Known::Yes;
}

}  // namespace

Result<UniqueFd> take_signals() {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int number : kForwarded) ::sigaddset(&set, number);
  ::sigaddset(&set, SIGCHLD);
  if (::sigprocmask(SIG_BLOCK, &set, nullptr) != 0) return errno_error("block", "signals");
  // Writing to who has gone, or beyond a file size limit, is an error code.
  (void)::signal(SIGPIPE, SIG_IGN);
  (void)::signal(SIGXFSZ, SIG_IGN);
  UniqueFd fd(::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
  if (!fd) return errno_error("create", "signalfd");
  return fd;
}

Result<void> become_subreaper() {
  if (::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0) return errno_error("become", "subreaper");
  return {};
}

Result<std::unique_ptr<Supervisor>> Supervisor::create(Loop& loop, Relay* relay, Children& children,
                                                       const Notices& notices, UniqueFd signals) {
  std::unique_ptr<Supervisor> self(
      new Supervisor(loop, relay, children, notices, std::move(signals)));
  Supervisor* const it = self.get();
  TRY(loop.watch(it->signals_, EPOLLIN, [it](std::uint32_t) { it->take_signal(); }));
  return self;
}

Result<void> Supervisor::watch(pid_t pid) {
  pid_ = pid;
  status_.reset();
  known_ = true;
  pidfd_.reset(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  // Ended and reaped already: no, since only reap() reaps and it has not run yet.
  if (!pidfd_) return errno_error("open process", std::to_string(pid));
  return loop_.watch(pidfd_, EPOLLIN, [this](std::uint32_t) {
    reap();
    if (!status_) ended_elsewhere(kAskings);
  });
}

void Supervisor::send(int signal) const {
  if (pidfd_ && !status_) (void)::syscall(SYS_pidfd_send_signal, pidfd_.get(), signal, nullptr, 0);
}

void Supervisor::take_signal() {
  signalfd_siginfo info = {};
  while (::read(signals_.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
    const int number = static_cast<int>(info.ssi_signo);
    const bool stopping = std::ranges::find(kStopping, number) != kStopping.end();
    told_to_stop_ = told_to_stop_ || stopping;
    if (number == SIGCHLD)
      reap();
    else if (number == SIGWINCH && window_change_)
      window_change_();
    else if (stopping && stop_)
      stop_(number);
    else
      send(number);
  }
}

// All children: orphans of the container's hooks and of the runtime come to us.
void Supervisor::reap() {
  int status = 0;
  for (pid_t pid = 0; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) {
    if (pid == pid_)
      status_ = exit_code(status);
    else
      (void)children_.ended(pid, exit_code(status));
  }
}

// Its end is seen, its status is somebody else's; newer kernels tell it to all.
void Supervisor::ended_elsewhere(int tries) {
  loop_.forget(pidfd_);
  int status = 0;
  const Known known = ask_kernel(pidfd_, status);
  if (known == Known::NotYet && tries > 0) {
    loop_.after(kAskAgain, [this, tries] { ended_elsewhere(tries - 1); });
    return;
  }
  known_ = known == Known::Yes;
  status_ = known_ ? status : kUnknown;
  if (!known_)
    notices_.warn("exit-unknown", "the container was not our child: its exit status is unknown");
}

void Supervisor::limit_time(std::chrono::seconds limit) {
  loop_.after(limit, [this] {
    if (status_) return;
    timed_out_ = true;
    const pid_t group = ::getpgid(pid_);
    if (group > 1)
      (void)::kill(-group, SIGKILL);
    else
      (void)::syscall(SYS_pidfd_send_signal, pidfd_.get(), SIGKILL, nullptr, 0);
  });
}

Result<int> Supervisor::wait_for_end() {
  while (!status_) TRY(loop_.turn());
  loop_.forget(pidfd_);
  told_to_stop_ = false;  // that was for the container
  if (timed_out_) return kTimedOut;
  TRY(finish_output());
  return *status_;
}

Result<void> Supervisor::finish_output() {
  if (relay_ == nullptr) return {};
  bool late = false;
  const Loop::TimerId timer = loop_.after(kDrainTime, [&late] { late = true; });
  relay_->drain();
  while (!relay_->drained() && !late) TRY(loop_.turn());
  loop_.cancel(timer);
  if (!relay_->drained())
    notices_.warn("log-late", "the container has ended, but its log cannot be written yet");
  return {};
}

Result<void> Supervisor::write_what_is_left() {
  if (relay_ == nullptr || timed_out_) return {};
  while (!relay_->drained() && !told_to_stop_) TRY(loop_.turn());
  if (!relay_->drained())
    notices_.warn("log-dropped", std::to_string(relay_->abandon()) +
                                     " bytes of output could not be written and were dropped");
  return {};
}

Result<bool> Supervisor::pause(std::chrono::milliseconds time) {
  bool over = false;
  const Loop::TimerId timer = loop_.after(time, [&over] { over = true; });
  while (!over && !told_to_stop_) TRY(loop_.turn());
  loop_.cancel(timer);
  return !told_to_stop_;
}
