// SPDX-License-Identifier: Apache-2.0
// supervisor.h - watches over one running container: its end, and the signals for it.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>

#include "loop.h"
#include "notices.h"
#include "relay.h"

// Blocks the signals that a supervisor takes from its loop, for good, and makes
// it the parent of whatever the runtime leaves behind.
Result<UniqueFd> take_signals();
Result<void> become_subreaper();

class Supervisor {
 public:
  // `relay` may be absent (passthrough).
  static Result<std::unique_ptr<Supervisor>> create(Loop& loop, Relay* relay,
                                                    const Notices& notices, UniqueFd signals);

  Result<void> watch(pid_t pid);
  // Instead of the container, for SIGWINCH.
  void on_window_change(std::function<void()> action) { window_change_ = std::move(action); }

  // Runs the loop until the container has ended and all that it wrote is logged.
  // Its status is the exit code or 128 + signal.
  Result<int> wait_for_end();

  // Kills it, its process group and what runs there when `limit` has passed; the
  // status is then kTimedOut, and output that is not yet read stays unread.
  static constexpr int kTimedOut = -1;
  void limit_time(std::chrono::seconds limit);

  pid_t pid() const { return pid_; }
  const UniqueFd& pidfd() const { return pidfd_; }

 private:
  Supervisor(Loop& loop, Relay* relay, const Notices& notices, UniqueFd signals)
      : loop_(loop), relay_(relay), notices_(notices), signals_(std::move(signals)) {}
  void take_signal();
  void reap();
  void ended_elsewhere();
  Result<void> finish_output();

  Loop& loop_;
  Relay* relay_;
  const Notices& notices_;
  UniqueFd signals_;
  pid_t pid_ = 0;
  UniqueFd pidfd_;
  std::function<void()> window_change_;
  std::optional<int> status_;
  bool timed_out_ = false;
};
