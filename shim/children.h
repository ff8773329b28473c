// SPDX-License-Identifier: Apache-2.0
// children.h - the processes that run beside the container on the shim's behalf,
// and who is told of their end: health checks, log programs, compression.
#pragma once

#include <sys/types.h>

#include <functional>
#include <vector>

#include "common/child_process.h"

class Children {
 public:
  using Ended = std::function<void(int status)>;  // exit code, or 128 + signal

  Result<pid_t> start(const Command& command, Ended ended);
  // `work` is done by a child with `in` and `out` as standard input and output and
  // nothing else open; what it returns is its status. It dies with us.
  Result<pid_t> fork(FdRef in, FdRef out, const std::function<int()>& work, Ended ended);

  // Nobody is told any more.
  void forget(pid_t pid);
  // For who reaps: false when the process is none of ours.
  bool ended(pid_t pid, int status);

 private:
  struct Child {
    pid_t pid;
    Ended ended;
  };
  std::vector<Child> children_;
};
