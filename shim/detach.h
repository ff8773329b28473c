// SPDX-License-Identifier: Apache-2.0
// detach.h - a command that returns to its caller once the work is under way.
//
// The caller's process waits on a pipe; a child goes on. What goes wrong before
// ready() still reaches the caller: its text and its status.
#pragma once

#include <optional>
#include <string_view>

#include "common/fd.h"

class Detachment {
 public:
  // In the child: an object. In the caller's process: the status to end with;
  // the text of a failure has been printed.
  struct Fork;
  static Result<Fork> begin();

  void ready();  // standard streams become /dev/null
  void fail(int status, std::string_view text);

 private:
  explicit Detachment(UniqueFd pipe) : pipe_(std::move(pipe)) {}
  UniqueFd pipe_;
};

struct Detachment::Fork {
  std::optional<Detachment> child;
  int caller_status = 0;
};
