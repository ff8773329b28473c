// SPDX-License-Identifier: Apache-2.0
#include "loop.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <utility>

#include "idle_memory.h"

Result<Loop> Loop::create() {
  UniqueFd epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll) return errno_error("create", "epoll");
  return Loop(std::move(epoll));
}

Result<void> Loop::watch(FdRef fd, std::uint32_t events, Handler handler) {
  forget(fd);
  epoll_event event = {};
  event.events = events;
  const std::uint32_t generation = ++generation_;
  event.data.u64 = (std::uint64_t{generation} << 32U) | static_cast<std::uint32_t>(fd.get());
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd.get(), &event) != 0)
    return errno_error("watch descriptor", std::to_string(fd.get()));
  watches_.push_back({fd.get(), generation, std::make_shared<Handler>(std::move(handler))});
  return {};
}

void Loop::forget(FdRef fd) {
  const auto it = std::ranges::find(watches_, fd.get(), &Watch::fd);
  if (it == watches_.end()) return;
  (void)::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd.get(), nullptr);
  watches_.erase(it);
}

Loop::TimerId Loop::after(std::chrono::milliseconds delay, std::function<void()> action) {
  timers_.push_back({next_timer_, Clock::now() + delay, std::move(action)});
  return next_timer_++;
}

void Loop::cancel(TimerId id) {
  std::erase_if(timers_, [id](const Timer& t) { return t.id == id; });
}

int Loop::milliseconds_to_wait() const {
  if (timers_.empty()) return -1;
  const auto first = std::ranges::min_element(timers_, {}, &Timer::at);
  // Rounded up: waking a moment early would only mean waiting again.
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(first->at - Clock::now()).count();
  return static_cast<int>(std::clamp<long>(left, 0, INT_MAX));
}

void Loop::dispatch(const epoll_event& event) {
  const int fd = static_cast<int>(event.data.u64 & 0xffffffffU);
  const auto generation = static_cast<std::uint32_t>(event.data.u64 >> 32U);
  const auto it = std::ranges::find(watches_, fd, &Watch::fd);
  if (it == watches_.end() || it->generation != generation) return;
  const std::shared_ptr<Handler> handler = it->handler;  // it may forget itself
  (*handler)(event.events);
}

void Loop::fire_timers() {
  const auto at = Clock::now();
  for (;;) {
    const auto it = std::ranges::find_if(timers_, [&](const Timer& t) { return t.at <= at; });
    if (it == timers_.end()) return;
    const std::function<void()> action = std::move(it->action);
    timers_.erase(it);
    action();
  }
}

Result<void> Loop::turn() {
  std::array<epoll_event, 16> events = {};
  const int timeout = milliseconds_to_wait();
  const int ready =
      std::exchange(rest_, false)
          ? wait_in_little_memory(epoll_.get(), events, timeout)
          : ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), timeout);
  if (ready < 0 && errno != EINTR) return errno_error("wait on", "epoll");
  for (int i = 0; i < ready; ++i) dispatch(events[static_cast<std::size_t>(i)]);
  fire_timers();
  return {};
}
