// SPDX-License-Identifier: Apache-2.0
// conmon_runtime.h - how an engine's monitor starts the runtime: all that the
// engine has left open goes with it, and it dies with the monitor.
#pragma once

#include <string>
#include <vector>

#include "common/child_process.h"

#include "runtime.h"

// The kernel is to spare the monitor when memory is short, but not what it starts.
class OomScore {
 public:
  OomScore();            // remembers the score and lowers it as far as allowed
  void restore() const;  // in a child, before it becomes something else

 private:
  std::string before_;
};

// `listen_pid`: LISTEN_PID of the environment is made the child's.
Result<ChildProcess> start_runtime(const std::vector<std::string>& words, const RuntimeStdio& io,
                                   bool listen_pid, const OomScore& score);

// Runs a program to its end, without our descriptors; its status.
int run_exit_command(const std::vector<std::string>& words, long delay, const OomScore& score);
