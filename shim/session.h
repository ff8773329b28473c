// SPDX-License-Identifier: Apache-2.0
// session.h - `shim run` from its beginning to its end: the lives of one container,
// one after the other, and what they have in common.
#pragma once

#include <memory>
#include <optional>

#include "children.h"
#include "control.h"
#include "detach.h"
#include "life.h"
#include "notices.h"
#include "relay.h"
#include "run.h"
#include "state_dir.h"
#include "supervisor.h"

class Session {
 public:
  Session(RunCommand options, StateDir state);
  // To the end; the container's last exit status. `detachment`: told once the
  // container runs.
  Result<int> run(Detachment* detachment);
  // The same for a container that runs already.
  struct Orphan {
    pid_t pid = 0;
    OutputPipes pipes = {};
    unsigned restarts = 0;
  };
  Result<int> adopt(const Orphan& orphan, Detachment& detachment);

 private:
  Result<void> prepare();
  Result<void> open_logs();
  void obey(const Order& order);
  void stop(int signal);
  void begin_life();
  Result<void> create_and_start();
  Result<int> live(Detachment* detachment);
  Result<int> live_again();
  Result<int> restart_as_told(int status);
  void end_life(int status);
  Result<void> announce_exit(int status);
  Result<void> write_config() const;
  std::chrono::milliseconds lived() const;

  RunCommand options_;
  StateDir state_;
  Notices notices_;
  Runtime runtime_;
  std::unique_ptr<Loop> loop_;
  Children children_;
  std::unique_ptr<Relay> relay_;
  std::unique_ptr<Supervisor> supervisor_;
  std::unique_ptr<Control> control_;
  std::unique_ptr<Life> life_;
  std::optional<std::chrono::milliseconds> next_;  // until the next life
  Loop::Clock::time_point begun_;
  bool stopped_ = false;  // by an order to us
};
