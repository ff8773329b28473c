// SPDX-License-Identifier: Apache-2.0
#include "program_sink.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>
#include <utility>

namespace {

constexpr std::chrono::milliseconds kFirstDelay{100};
constexpr std::chrono::milliseconds kLongestDelay{10'000};
constexpr std::chrono::seconds kGoodTime{10};  // who ran so long is started again at once
constexpr std::chrono::seconds kLastWait{10};

}  // namespace

Result<std::unique_ptr<LogSink>> ProgramSink::open(std::string words, Loop& loop,
                                                   Children& children, const Notices& notices) {
  std::unique_ptr<ProgramSink> sink(new ProgramSink(std::move(words), loop, children, notices));
  std::array<int, 2> fds = {};
  if (::pipe2(fds.data(), O_CLOEXEC) != 0) return errno_error("create", "pipe");
  sink->read_.reset(fds[0]);
  sink->write_.reset(fds[1]);
  if (::fcntl(fds[1], F_SETFL, O_NONBLOCK) != 0) return errno_error("unblock", "pipe");
  TRY(sink->start());
  return std::unique_ptr<LogSink>(std::move(sink));
}

Result<void> ProgramSink::start() {
  Command command;
  command.argv = {"/bin/sh", "-c", "exec " + words_};
  command.in = read_.get();
  started_ = Loop::Clock::now();
  pid_ = TRY(children_.start(command, [this](int status) { ended(status); }));
  return {};
}

void ProgramSink::ended(int status) {
  pid_ = 0;
  notices_.warn("log-program-ended",
                "'" + words_ + "' ended with status " + std::to_string(status));
  const bool good = Loop::Clock::now() - started_ > kGoodTime;
  delay_ = good ? kFirstDelay : std::clamp(delay_ * 2, kFirstDelay, kLongestDelay);
  again_ = loop_.after(delay_, [this] {
    again_ = 0;
    if (!start()) ended(127);
  });
}

int ProgramSink::waiting() const {
  int bytes = 0;
  return ::ioctl(read_.get(), FIONREAD, &bytes) == 0 ? bytes : 0;
}

// Until the program has ended; false when that takes too long.
bool ProgramSink::wait_for_program(Loop::Clock::time_point until) {
  if (pid_ == 0) return true;
  children_.forget(pid_);
  const UniqueFd program(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
  pollfd end = {program.get(), POLLIN, 0};
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Loop::Clock::now());
  const int wait = static_cast<int>(std::max<long>(left.count(), 0));
  if (program && ::poll(&end, 1, wait) != 1) return false;
  (void)::waitpid(pid_, nullptr, 0);
  pid_ = 0;
  return true;
}

// What one program leaves in the pipe is for the next, as long as each takes some of it.
ProgramSink::~ProgramSink() {
  loop_.forget(write_);
  if (again_ != 0) loop_.cancel(again_);
  write_.reset();
  const auto until = Loop::Clock::now() + kLastWait;
  int left = std::numeric_limits<int>::max();
  while (wait_for_program(until)) {
    const int before = std::exchange(left, waiting());
    if (left == 0 || left >= before || !start()) return;
  }
}

LogSink::Progress ProgramSink::pump() {
  while (!rest_.empty()) {
    const ssize_t n = ::write(write_.get(), rest_.data(), rest_.size());
    if (n >= 0) {
      rest_.remove_prefix(static_cast<std::size_t>(n));
      continue;
    }
    errno_ = errno;
    if (errno_ == EINTR) continue;
    return errno_ == EAGAIN ? Progress::Writable : Progress::Retry;
  }
  errno_ = 0;
  return Progress::Done;
}
