// SPDX-License-Identifier: Apache-2.0
#include "rate_limit.h"

#include <algorithm>
#include <charconv>
#include <ctime>

#include "common/cli.h"
#include "common/fd.h"
#include "common/file_lock.h"

std::optional<Rate> parse_rate(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto most = parse_integer(text.substr(0, slash));
  const auto seconds =
      slash == std::string_view::npos ? std::nullopt : parse_integer(text.substr(slash + 1));
  if (!most || !seconds || *most < 1 || *most > 10'000 || *seconds < 1 || *seconds > 86'400)
    return std::nullopt;
  return Rate{static_cast<std::size_t>(*most), *seconds};
}

RateHistory parse_history(std::string_view text) {
  RateHistory out;
  for (bool first = true; !text.empty(); first = false) {
    const std::size_t end = text.find('\n');
    const auto number = parse_integer(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (!number || *number < 0) continue;
    if (first)
      out.suppressed = static_cast<std::size_t>(*number);
    else
      out.passed.push_back(*number);
  }
  return out;
}

std::string to_text(const RateHistory& history) {
  std::string out = std::to_string(history.suppressed) + "\n";
  for (const std::int64_t at : history.passed) out += std::to_string(at) + "\n";
  return out;
}

std::optional<std::size_t> admit(RateHistory& history, const Rate& rate, std::int64_t now) {
  std::erase_if(history.passed,
                [&](std::int64_t at) { return at <= now - rate.seconds || at > now; });
  if (history.passed.size() >= rate.most) {
    ++history.suppressed;
    return std::nullopt;
  }
  history.passed.push_back(now);
  return std::exchange(history.suppressed, 0);
}

Result<std::optional<std::size_t>> admit_one(const std::string& file, const Rate& rate) {
  const FileLock lock = TRY(FileLock::take(kCwd, file + ".lock"));
  RateHistory history;
  if (const auto text = read_file(file)) history = parse_history(*text);
  timespec at = {};
  (void)::clock_gettime(CLOCK_BOOTTIME, &at);
  const auto admitted = admit(history, rate, at.tv_sec);
  TRY(replace_file(file, to_text(history), 0600));
  return admitted;
}
