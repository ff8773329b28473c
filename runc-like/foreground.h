// SPDX-License-Identifier: Apache-2.0
// foreground.h - waiting for a container's process as if it were ours: signals
// reach it, the terminal is lent to it, its exit status is ours.
#pragma once

#include "common/fd.h"

#include "notify.h"
#include "spawn.h"
#include "terminal.h"

// From take() on, signals that arrive are kept for the process to come.
class Signals {
 public:
  static Result<Signals> take();
  FdRef fd() const { return fd_; }
  void forward(FdRef pidfd, const Terminal* terminal) const;

 private:
  explicit Signals(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

// Exit code of the process, or 128 + signal.
Result<int> wait_in_foreground(Init& init, const Signals& signals, Terminal* terminal,
                               NotifyRelay* relay = nullptr);
