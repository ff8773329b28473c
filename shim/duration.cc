// SPDX-License-Identifier: Apache-2.0
#include "duration.h"

#include <algorithm>
#include <array>
#include <cerrno>

namespace {

struct Unit {
  std::string_view name;
  long milliseconds;
};

constexpr auto kUnits = std::to_array<Unit>(
    {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}});
constexpr long kMost = 100L * 365 * 86'400'000;

}  // namespace

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789";
  if (text.empty()) return std::nullopt;
  long sum = 0;
  while (!text.empty()) {
    const auto digits = std::min(text.find_first_not_of(kDigits), text.size());
    const auto number = parse_integer(text.substr(0, digits));
    text.remove_prefix(digits);
    const auto letters = std::min(text.find_first_of(kDigits), text.size());
    const bool bare = sum == 0 && text.empty();
    const auto unit = std::ranges::find(kUnits, bare ? "s" : text.substr(0, letters), &Unit::name);
    text.remove_prefix(letters);
    if (!number || unit == kUnits.end() || *number > kMost / unit->milliseconds)
      return std::nullopt;
    sum += *number * unit->milliseconds;
    if (sum > kMost) return std::nullopt;
  }
  return std::chrono::milliseconds(sum);
}

Result<std::chrono::milliseconds> duration_of(const Options& options, std::string_view name,
                                              std::chrono::milliseconds otherwise) {
  const auto text = options.value(name);
  if (!text) return otherwise;
  const auto duration = parse_duration(*text);
  if (!duration)
    return Error{"--" + std::string(name) + " '" + *text + "' is no duration", EINVAL,
                 "write 90s, 1h30m or 500ms"};
  return *duration;
}
