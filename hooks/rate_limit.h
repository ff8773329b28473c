// SPDX-License-Identifier: Apache-2.0
// rate_limit.h - at most so many in any so many seconds, over processes that know
// nothing of one another.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"

struct Rate {
  std::size_t most = 60;
  std::int64_t seconds = 60;
};
// "10/60": ten a minute.
std::optional<Rate> parse_rate(std::string_view text);

// What is remembered: when those that were let through came, and how many were not
// since the last one that was. Pure.
struct RateHistory {
  std::vector<std::int64_t> passed = {};  // seconds
  std::size_t suppressed = 0;
};
RateHistory parse_history(std::string_view text);
std::string to_text(const RateHistory& history);

// How many were suppressed before this one; nothing when this one is, too. Pure.
std::optional<std::size_t> admit(RateHistory& history, const Rate& rate, std::int64_t now);

// The same with the history in a file, under a lock.
Result<std::optional<std::size_t>> admit_one(const std::string& file, const Rate& rate);
