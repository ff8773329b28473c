// SPDX-License-Identifier: Apache-2.0
#include "common/timestamp.h"

#include <algorithm>
#include <array>
#include <chrono>

timespec now() {
  timespec at = {};
  (void)::clock_gettime(CLOCK_REALTIME, &at);  // cannot fail with this clock
  return at;
}

// Not by gmtime_r and strftime: they read the time zone's file and set up a
// locale, for numbers that depend on neither.
std::string rfc3339_nano(const timespec& at) {
  using namespace std::chrono;
  const sys_seconds instant{seconds(at.tv_sec)};
  const sys_days day = floor<days>(instant);
  const year_month_day date(day);
  const hh_mm_ss time(instant - day);
  std::string text;
  const auto number = [&text](long value, std::size_t digits, char after) {
    const std::string plain = std::to_string(value);
    text.append(digits - std::min(digits, plain.size()), '0').append(plain).push_back(after);
  };
  number(static_cast<int>(date.year()), 4, '-');
  number(static_cast<unsigned>(date.month()), 2, '-');
  number(static_cast<unsigned>(date.day()), 2, 'T');
  number(time.hours().count(), 2, ':');
  number(time.minutes().count(), 2, ':');
  number(time.seconds().count(), 2, '.');
  number(at.tv_nsec, 9, 'Z');
  return text;
}

namespace {

// Takes exactly `digits` digits off the front.
std::optional<int> take_number(std::string_view& text, std::size_t digits) {
  if (text.size() < digits) return std::nullopt;
  int number = 0;
  for (const char c : text.substr(0, digits)) {
    if (c < '0' || c > '9') return std::nullopt;
    number = number * 10 + (c - '0');
  }
  text.remove_prefix(digits);
  return number;
}

bool take(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

long take_fraction(std::string_view& text) {
  long nanoseconds = 0;
  int digits = 0;
  for (; !text.empty() && text.front() >= '0' && text.front() <= '9'; text.remove_prefix(1))
    if (digits++ < 9) nanoseconds = nanoseconds * 10 + (text.front() - '0');
  for (; digits < 9; ++digits) nanoseconds *= 10;
  return nanoseconds;
}

// "Z" or "+hh:mm", as seconds east of UTC.
std::optional<long> take_offset(std::string_view& text) {
  if (take(text, 'Z') || take(text, 'z')) return 0;
  const bool west = !text.empty() && text.front() == '-';
  if (!take(text, west ? '-' : '+')) return std::nullopt;
  const auto hours = take_number(text, 2);
  if (!hours || !take(text, ':')) return std::nullopt;
  const auto minutes = take_number(text, 2);
  if (!minutes || *hours > 23 || *minutes > 59) return std::nullopt;
  const long seconds = *hours * 3600L + *minutes * 60L;
  return west ? -seconds : seconds;
}

}  // namespace

std::optional<timespec> parse_rfc3339(std::string_view text) {
  std::tm utc = {};
  struct Part {
    int* into;
    std::size_t digits;
    char after;
  };
  const std::array<Part, 5> parts = {{{&utc.tm_year, 4, '-'},
                                      {&utc.tm_mon, 2, '-'},
                                      {&utc.tm_mday, 2, 'T'},
                                      {&utc.tm_hour, 2, ':'},
                                      {&utc.tm_min, 2, ':'}}};
  for (const Part& part : parts) {
    const auto number = take_number(text, part.digits);
    if (!number || !take(text, part.after)) return std::nullopt;
    *part.into = *number;
  }
  const auto seconds = take_number(text, 2);
  if (!seconds) return std::nullopt;
  utc.tm_sec = *seconds;
  utc.tm_year -= 1900;
  utc.tm_mon -= 1;
  if (utc.tm_mon < 0 || utc.tm_mon > 11 || utc.tm_mday < 1 || utc.tm_mday > 31 ||
      utc.tm_hour > 23 || utc.tm_min > 59 || utc.tm_sec > 60)
    return std::nullopt;
  timespec at = {};
  if (take(text, '.')) at.tv_nsec = take_fraction(text);
  const auto offset = take_offset(text);
  if (!offset || !text.empty()) return std::nullopt;
  at.tv_sec = ::timegm(&utc) - *offset;
  return at;
}
