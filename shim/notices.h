// SPDX-License-Identifier: Apache-2.0
// notices.h - what a running shim tells: people on standard error, monitors as events.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "common/events.h"

class Notices {
 public:
  Notices() = default;
  Notices(std::string id, EventLog events) : id_(std::move(id)), events_(std::move(events)) {}

  // Standard error is the container's or nobody's: only events from now on.
  void be_quiet() { quiet_ = true; }

  void use_syslog() { syslog_ = true; }

  // `data` is a JSON object or empty.
  void event(std::string_view name, int pid = 0, std::string_view data = "") const;
  // An event with "message", and a line for people.
  void warn(std::string_view name, std::string_view text) const;

 private:
  std::string id_;
  EventLog events_;
  bool quiet_ = false;
  bool syslog_ = false;
};
