// SPDX-License-Identifier: Apache-2.0
// loop.h - the one place where the shim waits: epoll, level-triggered, and one-shot timers.
//
// No timer set means no wake-up: an idle shim sleeps until its container, a
// client or a signal has something to say.
#pragma once

#include <sys/epoll.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "common/fd.h"

class Loop {
 public:
  using Clock = std::chrono::steady_clock;
  using Handler = std::function<void(std::uint32_t events)>;
  using TimerId = unsigned;

  static Result<Loop> create();

  // One handler for one descriptor. A regular file cannot be watched (EPERM).
  Result<void> watch(FdRef fd, std::uint32_t events, Handler handler);
  void forget(FdRef fd);  // what is not watched is no error

  TimerId after(std::chrono::milliseconds delay, std::function<void()> action);
  void cancel(TimerId id);

  // There may be nothing to do for long: the next wait is to cost little memory.
  void rest() { rest_ = true; }

  // Waits for at least one event or timer and handles what is there. A handler
  // may watch, forget and cancel as it likes.
  Result<void> turn();

 private:
  struct Watch {
    int fd;
    std::uint32_t generation;  // tells an old event from a new user of the same number
    std::shared_ptr<Handler> handler;
  };
  struct Timer {
    TimerId id;
    Clock::time_point at;
    std::function<void()> action;
  };

  explicit Loop(UniqueFd epoll) : epoll_(std::move(epoll)) {}
  int milliseconds_to_wait() const;
  void dispatch(const epoll_event& event);
  void fire_timers();

  UniqueFd epoll_;
  std::vector<Watch> watches_;
  std::vector<Timer> timers_;
  std::uint32_t generation_ = 0;
  TimerId next_timer_ = 1;
  bool rest_ = false;
};
