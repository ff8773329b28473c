// SPDX-License-Identifier: Apache-2.0
// supervisor.h - watches over one running container: its end, and the signals for it.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>

#include "children.h"
#include "loop.h"
#include "notices.h"
#include "relay.h"

// Blocks the signals that a supervisor takes from its loop, for good, and makes
// it the parent of whatever the runtime leaves behind.
Result<UniqueFd> take_signals();
Result<void> become_subreaper();

class Supervisor {
 public:
  // `relay` may be absent (passthrough). `children` are told of their ends.
  static Result<std::unique_ptr<Supervisor>> create(Loop& loop, Relay* relay, Children& children,
                                                    const Notices& notices, UniqueFd signals);

  // Of a container; of its next life when the one before has ended.
  Result<void> watch(pid_t pid);
  // Instead of the container, for SIGWINCH; and for SIGTERM, SIGINT and SIGQUIT.
  void on_window_change(std::function<void()> action) { window_change_ = std::move(action); }
  void on_stop(std::function<void(int signal)> action) { stop_ = std::move(action); }
  void send(int signal) const;

  // Runs the loop until the container has ended and all that it wrote is logged, or
  // has waited some seconds for a log that cannot be written. Its status is the exit
  // code or 128 + signal.
  Result<int> wait_for_end();
  // False when nobody can know it: the container was not our child.
  bool status_is_known() const { return known_; }
  // Goes on until the rest is logged as well. Being told to go ends it: what is
  // then still left is counted, told and dropped.
  Result<void> write_what_is_left();
  // False when it is told to stop meanwhile.
  Result<bool> pause(std::chrono::milliseconds time);

  // Kills it, its process group and what runs there when `limit` has passed; the
  // status is then kTimedOut, and output that is not yet read stays unread.
  static constexpr int kTimedOut = -1;
  static constexpr int kUnknown = 255;
  void limit_time(std::chrono::seconds limit);

  pid_t pid() const { return pid_; }

 private:
  Supervisor(Loop& loop, Relay* relay, Children& children, const Notices& notices, UniqueFd signals)
      : loop_(loop),
        relay_(relay),
        children_(children),
        notices_(notices),
        signals_(std::move(signals)) {}
  void take_signal();
  void reap();
  void ended_elsewhere(int tries);
  Result<void> finish_output();

  Loop& loop_;
  Relay* relay_;
  Children& children_;
  const Notices& notices_;
  UniqueFd signals_;
  pid_t pid_ = 0;
  UniqueFd pidfd_;
  std::function<void()> window_change_;
  std::function<void(int)> stop_;
  std::optional<int> status_;
  bool known_ = true;
  bool told_to_stop_ = false;
  bool timed_out_ = false;
};
