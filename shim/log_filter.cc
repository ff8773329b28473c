// SPDX-License-Identifier: Apache-2.0
#include "log_filter.h"

#include <array>
#include <cerrno>
#include <charconv>

#include "common/timestamp.h"

#include "duration.h"

namespace {

bool before(const timespec& a, const timespec& b) {
  return a.tv_sec != b.tv_sec ? a.tv_sec < b.tv_sec : a.tv_nsec < b.tv_nsec;
}

Result<std::optional<timespec>> moment_of(const Options& options, std::string_view name,
                                          const timespec& now) {
  const auto text = options.value(name);
  if (!text) return std::optional<timespec>();
  auto moment = parse_moment(*text, now);
  if (!moment)
    return Error{"--" + std::string(name) + " '" + *text + "' is no time", EINVAL,
                 "write 2026-11-22T16:25:21Z, 10m (ago) or seconds since 1970"};
  return moment;
}

}  // namespace

std::optional<timespec> parse_moment(std::string_view text, const timespec& now) {
  if (auto moment = parse_rfc3339(text)) return moment;
  if (const auto seconds = parse_integer(text)) return timespec{*seconds, 0};
  const auto ago = parse_duration(text);
  if (!ago) return std::nullopt;
  timespec moment = now;
  moment.tv_sec -= ago->count() / 1000;
  moment.tv_nsec -= ago->count() % 1000 * 1'000'000;
  if (moment.tv_nsec < 0) {
    moment.tv_nsec += 1'000'000'000;
    --moment.tv_sec;
  }
  return moment;
}

void LogFilter::FreeRegex::operator()(regex_t* expression) const {
  ::regfree(expression);
  delete expression;
}

Result<LogFilter> LogFilter::create(const Options& options, const timespec& now) {
  LogFilter filter;
  filter.since_ = TRY(moment_of(options, "since", now));
  filter.until_ = TRY(moment_of(options, "until", now));
  filter.stream_ = options.value_or("stream", "");
  if (!filter.stream_.empty() && filter.stream_ != "stdout" && filter.stream_ != "stderr")
    return Error{"--stream '" + filter.stream_ + "' is neither stdout nor stderr", EINVAL};
  const auto pattern = options.value("grep");
  if (!pattern) return filter;
  auto expression = std::make_unique<regex_t>();
  const int failed = ::regcomp(expression.get(), pattern->c_str(), REG_EXTENDED | REG_NOSUB);
  if (failed != 0) {
    std::array<char, 128> why = {};
    (void)::regerror(failed, expression.get(), why.data(), why.size());
    return Error{"--grep '" + *pattern + "': " + why.data(), EINVAL};
  }
  filter.grep_.reset(expression.release());
  return filter;
}

bool LogFilter::wants(const LogRecord& record) const {
  if (!stream_.empty() && (stream_ == "stderr") != (record.stream == Stream::Err)) return false;
  if (since_ || until_) {
    const auto at = parse_rfc3339(record.time);
    if (at && since_ && before(*at, *since_)) return false;
    if (at && until_ && !before(*at, *until_)) return false;
  }
  if (!grep_) return true;
  // The line is matched, not its end; what follows a NUL is not seen.
  std::string line = record.text;
  if (line.ends_with('\n')) line.pop_back();
  return ::regexec(grep_.get(), line.c_str(), 0, nullptr, 0) == 0;
}
