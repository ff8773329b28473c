// SPDX-License-Identifier: Apache-2.0
#include "relay.h"

#include <sys/ioctl.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "common/timestamp.h"

namespace {

using std::chrono::milliseconds;

constexpr std::size_t kReadSize = std::size_t{64} << 10;
// A pipe whose writer keeps it full is made larger: fewer, longer turns. It is
// not done before, because the kernel counts the pipes of a user.
constexpr int kLargePipe = 256 << 10;
// No pipe holds more, so all that the container wrote before its end is within.
constexpr std::size_t kDrainLimit = std::size_t{4} << 20;
constexpr milliseconds kCarryTime{100};
constexpr milliseconds kRestTime{1000};
constexpr milliseconds kFirstDelay{20};
constexpr milliseconds kLongestDelay{1000};
constexpr milliseconds kHangUpTime{100};

}  // namespace

Result<std::unique_ptr<Relay>> Relay::create(Loop& loop, const Notices& notices) {
  PageBuffer buffer = TRY(PageBuffer::create(kReadSize + kLineLimit));
  return std::unique_ptr<Relay>(new Relay(loop, notices, std::move(buffer)));
}

Result<void> Relay::add_source(Stream stream, UniqueFd fd, bool terminal) {
  if (::fcntl(fd.get(), F_SETFL, O_NONBLOCK) != 0)
    return errno_error("unblock", "container output");
  draining_ = false;
  sources_.push_back(std::make_unique<Source>(Source{stream, std::move(fd), terminal}));
  return start_reading(*sources_.back());
}

Result<void> Relay::start_reading(Source& source) {
  return loop_.watch(source.fd, EPOLLIN, [this, &source](std::uint32_t) {
    if (!blocked_) (void)read_once(source);
  });
}

// False when there is nothing more to read from it for now, or ever.
bool Relay::read_once(Source& source) {
  const std::size_t carried = source.carry.size();
  std::memcpy(buffer_.data(), source.carry.data(), carried);
  const ssize_t n = ::read(source.fd.get(), buffer_.data() + carried, kReadSize);
  if (n > 0) {
    take(source, carried, static_cast<std::size_t>(n));
    return true;
  }
  if (n < 0 && errno == EINTR) return true;
  if (n < 0 && errno == EAGAIN && !draining_) return false;
  if (n < 0 && errno == EIO && source.terminal && !draining_)
    hang_up(source);
  else
    end(source);
  return false;
}

void Relay::take(Source& source, std::size_t carried, std::size_t got) {
  arm_rest_timer();
  if (got >= kReadSize / 2 && !source.terminal && !std::exchange(source.grown, true))
    (void)::fcntl(source.fd.get(), F_SETPIPE_SZ, kLargePipe);  // refused: it stays as it is
  source.left -= std::min(source.left, got);
  const std::string_view all(buffer_.data(), carried + got);
  const auto newline = all.rfind('\n');
  std::size_t whole = newline == std::string_view::npos ? 0 : newline + 1;
  if (all.size() - whole >= kLineLimit) whole = all.size();
  source.carry.assign(all.substr(whole));
  source.stale = false;
  if (!source.carry.empty()) arm_carry_timer();
  const std::string_view raw = all.substr(carried);
  offer(source.stream, all.substr(0, whole), raw);
  if (listener_) listener_(source.stream, raw);
}

// Nobody has the terminal open just now; the container may open it again.
void Relay::hang_up(Source& source) {
  loop_.forget(source.fd);
  loop_.after(kHangUpTime, [this, s = &source] {
    const auto known = std::ranges::find(sources_, s, &std::unique_ptr<Source>::get);
    if (known != sources_.end() && !blocked_) (void)start_reading(*s);
  });
}

void Relay::end(Source& source) {
  flush_carry(source);
  loop_.forget(source.fd);
  std::erase_if(sources_, [&](const auto& s) { return s.get() == &source; });
}

void Relay::flush_carry(Source& source) {
  if (source.carry.empty()) return;
  std::memcpy(buffer_.data(), source.carry.data(), source.carry.size());
  const std::string_view bytes(buffer_.data(), source.carry.size());
  source.carry.clear();
  offer(source.stream, bytes, {});
}

void Relay::offer(Stream stream, std::string_view lines, std::string_view raw) {
  if (log_left_ && lines.size() > *log_left_) {
    lines = lines.substr(0, *log_left_);
    if (*log_left_ != 0)
      notices_.warn("log-full", "the log has reached its limit; more is dropped");
  }
  if (log_left_) *log_left_ -= lines.size();
  const timespec at = now();
  for (const auto& sink : sinks_) sink->offer({stream, sink->takes_lines() ? lines : raw, at});
  pump();
}

void Relay::pump() {
  for (const auto& sink : sinks_) {
    const LogSink::Progress progress = sink->pump();
    if (progress != LogSink::Progress::Done) return block(*sink, progress);
  }
  if (blocked_) resume();
}

// Nobody is read until the sink has taken what it was offered.
void Relay::block(LogSink& sink, LogSink::Progress progress) {
  if (!std::exchange(blocked_, true))
    for (const auto& source : sources_) loop_.forget(source->fd);
  if (progress == LogSink::Progress::Writable) {
    const int fd = sink.wait_fd();
    const auto again = [this, fd](std::uint32_t) {
      loop_.forget(FdRef(fd));
      pump();
    };
    if (loop_.watch(FdRef(fd), EPOLLOUT, again)) return;
  } else if (!std::exchange(told_, true)) {
    const Error why{"log '" + std::string(sink.name()) + "'", sink.last_errno()};
    notices_.warn("log-blocked",
                  why.text() + "; the container's output waits until it can be written");
  }
  delay_ = std::clamp(delay_ * 2, kFirstDelay, kLongestDelay);
  loop_.after(delay_, [this] {
    if (blocked_) pump();
  });
}

void Relay::resume() {
  blocked_ = false;
  delay_ = milliseconds(0);
  if (std::exchange(told_, false)) notices_.event("log-resumed");
  if (draining_) return drain();
  for (const auto& source : sources_) {
    (void)start_reading(*source);
    if (!source->carry.empty()) arm_carry_timer();
  }
}

void Relay::drain() {
  if (!std::exchange(draining_, true))
    for (const auto& source : sources_) source->left = kDrainLimit;
  while (!blocked_ && !sources_.empty()) {
    const Source* const first = sources_.front().get();
    while (!blocked_ && sources_.front()->left > 0)
      if (!read_once(*sources_.front())) break;
    if (blocked_) return;
    if (!sources_.empty() && sources_.front().get() == first) end(*sources_.front());
  }
}

std::size_t Relay::abandon() {
  std::size_t lost = 0;
  for (const auto& sink : sinks_) lost += sink->unwritten();
  for (const auto& source : sources_) {
    int waiting = 0;
    if (::ioctl(source->fd.get(), FIONREAD, &waiting) == 0)
      lost += static_cast<std::size_t>(waiting);
  }
  sources_.clear();
  blocked_ = false;
  return lost;
}

Result<void> Relay::reopen_logs() {
  Result<void> all;
  for (const auto& sink : sinks_) {
    auto reopened = sink->reopen();
    if (!reopened) all = std::move(reopened);
  }
  return all;
}

Result<void> Relay::sync_logs() {
  for (const auto& sink : sinks_) TRY(sink->sync());
  return {};
}

void Relay::arm_carry_timer() {
  if (std::exchange(carrying_, true)) return;
  loop_.after(kCarryTime, [this] {
    carrying_ = false;
    for (const auto& source : sources_) {
      if (blocked_ || source->carry.empty()) continue;
      if (std::exchange(source->stale, true)) flush_carry(*source);
      if (!source->carry.empty()) arm_carry_timer();
    }
  });
}

// While the container talks, one wake-up a second asks whether it still does.
void Relay::arm_rest_timer() {
  active_ = true;
  if (std::exchange(resting_soon_, true)) return;
  loop_.after(kRestTime, [this] {
    resting_soon_ = false;
    if (std::exchange(active_, false)) {
      arm_rest_timer();
      active_ = false;
      return;
    }
    if (blocked_) return;
    for (const auto& sink : sinks_) sink->rest();
    buffer_.forget();
    loop_.rest();
  });
}
