// SPDX-License-Identifier: Apache-2.0
#include "health.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "common/cli.h"

namespace {

constexpr std::size_t kOutputLimit = 4096;
constexpr int kLate = 124;  // as timeout(1) has it
constexpr std::chrono::milliseconds kSoon{1000};

}  // namespace

bool HealthRecord::take(int status, bool in_start_period) {
  const Status before = status_;
  if (status == 0) {
    failures_ = 0;
    status_ = Status::Healthy;
  } else if (status_ != Status::Starting || !in_start_period) {
    ++failures_;
    if (failures_ >= retries_) status_ = Status::Unhealthy;
  }
  return status_ != before;
}

std::string_view HealthRecord::text() const {
  if (status_ == Status::Starting) return "starting";
  return status_ == Status::Healthy ? "healthy" : "unhealthy";
}

Health::Health(Loop& loop, Children& children, HealthOptions options, std::vector<std::string> exec,
               std::string pid_file, std::function<void(const Report&)> tell)
    : loop_(loop),
      children_(children),
      options_(std::move(options)),
      exec_(std::move(exec)),
      pid_file_(std::move(pid_file)),
      tell_(std::move(tell)),
      record_(options_.retries),
      begun_(Loop::Clock::now()) {
  arm(options_.interval);
}

Health::~Health() {
  loop_.cancel(timer_);
  loop_.forget(output_fd_);
  if (child_ == 0) return;
  children_.forget(child_);
  (void)::kill(child_, SIGKILL);  // not reaped yet, so the number is still its own
}

// A container that is starting is asked more often: good news should not wait.
void Health::arm(std::chrono::milliseconds delay) {
  const bool starting = record_.status() == HealthRecord::Status::Starting &&
                        Loop::Clock::now() - begun_ < options_.start_period;
  timer_ = loop_.after(starting ? std::min(delay, std::max(delay / 10, kSoon)) : delay,
                       [this] { check(); });
}

void Health::check() {
  output_.clear();
  late_ = false;
  std::array<int, 2> fds = {};
  if (::pipe2(fds.data(), O_CLOEXEC | O_NONBLOCK) != 0) return arm(options_.interval);
  output_fd_.reset(fds[0]);
  const UniqueFd write(fds[1]);
  const UniqueFd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  Command command;
  command.argv = exec_;
  for (const char* word : {"/bin/sh", "-c", options_.command.c_str()})
    command.argv.emplace_back(word);
  command.in = null.get();
  command.out = command.err = write.get();
  (void)::unlink(pid_file_.c_str());
  const auto child = children_.start(command, [this](int status) { ended(status); });
  if (!child) {
    output_ = child.error().text();
    return ended(127);
  }
  child_ = *child;
  (void)loop_.watch(output_fd_, EPOLLIN, [this](std::uint32_t) { read_output(output_fd_); });
  timer_ = loop_.after(options_.timeout, [this] { give_up(); });
}

// To its end, so that the command is not held up; kept is only the beginning.
void Health::read_output(const UniqueFd& from) {
  std::array<char, 4096> piece;  // NOLINT(cppcoreguidelines-pro-type-member-init): read fills it
  ssize_t n = 0;
  while ((n = ::read(from.get(), piece.data(), piece.size())) > 0) {
    const std::size_t room = kOutputLimit - std::min(output_.size(), kOutputLimit);
    output_.append(piece.data(), std::min(static_cast<std::size_t>(n), room));
  }
  if (n == 0) loop_.forget(from);
}

// The command in the container first, then who waits for it.
void Health::give_up() {
  const auto text = read_file(pid_file_, 32);
  const auto pid = text ? parse_integer(*text) : std::nullopt;
  if (!late_ && pid && *pid > 1) {
    late_ = true;
    (void)::kill(static_cast<pid_t>(*pid), SIGKILL);
    timer_ = loop_.after(kSoon, [this] { give_up(); });
    return;
  }
  late_ = true;
  (void)::kill(child_, SIGKILL);
}

void Health::ended(int status) {
  loop_.cancel(timer_);
  if (child_ != 0) read_output(output_fd_);
  child_ = 0;
  loop_.forget(output_fd_);
  output_fd_.reset();
  const bool starting = Loop::Clock::now() - begun_ < options_.start_period;
  const int result = late_ ? kLate : status;
  const bool changed = record_.take(result, starting);
  arm(options_.interval);
  tell_({record_, changed, result, output_});
  loop_.rest();
}
