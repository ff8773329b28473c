// SPDX-License-Identifier: Apache-2.0
// notify_relay.h - sd_notify messages from inside a container to the service manager outside.
//
// Only what a container may say of itself passes: readiness, state, watchdog.
// Descriptors, MAINPID and barriers do not.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "loop.h"

// The allowed lines of a message, joined as they came.
std::string allowed_notifications(std::string_view message);

class NotifyRelay {
 public:
  // Listens on notify.sock in `directory`, for any user.
  static Result<std::unique_ptr<NotifyRelay>> create(Loop& loop, const std::string& directory,
                                                     std::string target);

 private:
  explicit NotifyRelay(std::string target) : target_(std::move(target)) {}
  void pass_one() const;

  std::string target_;
  UniqueFd socket_;
};
