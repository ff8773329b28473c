// SPDX-License-Identifier: Apache-2.0
// restart_policy.h - is a container that has ended started again, and when?
//
// Each start that does not last waits twice as long as the one before; a life of
// ten seconds is a new beginning. Who told the container to stop, through the shim,
// is obeyed by every policy.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "common/result.h"

class RestartPolicy {
 public:
  static constexpr std::chrono::milliseconds kFirstDelay{100};
  static constexpr std::chrono::milliseconds kLongestDelay{60'000};
  static constexpr std::chrono::milliseconds kGoodLife{10'000};

  // no, on-failure[:N], always, unless-stopped
  static Result<RestartPolicy> parse(std::string_view text);

  // How long to wait before the next life; nothing when there is none. Counts it.
  std::optional<std::chrono::milliseconds> next(int status, std::chrono::milliseconds lived,
                                                bool stopped);
  unsigned count() const { return count_; }
  void begin_at(unsigned count) { count_ = count; }  // adopted

 private:
  enum class Kind { No, OnFailure, Always };
  Kind kind_ = Kind::No;
  unsigned most_ = 0;  // 0: no limit
  unsigned count_ = 0;
  std::chrono::milliseconds delay_{0};
};
