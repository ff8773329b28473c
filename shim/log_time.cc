// SPDX-License-Identifier: Apache-2.0
#include "log_time.h"

namespace {

char* put_digits(char* to, long number, int digits) noexcept {
  for (int i = digits - 1; i >= 0; --i) {
    to[i] = static_cast<char>('0' + number % 10);
    number /= 10;
  }
  return to + digits;
}

char* put(char* to, char c) noexcept {
  *to = c;
  return to + 1;
}

constexpr std::size_t kFraction = 20;  // where the nanoseconds begin

}  // namespace

std::string_view LogTime::text(const timespec& at) noexcept {
  if (!known_ || at.tv_sec != second_) {
    std::tm parts = {};
    if (zone_ == Zone::Utc)
      (void)::gmtime_r(&at.tv_sec, &parts);
    else
      (void)::localtime_r(&at.tv_sec, &parts);
    char* to = put_digits(text_.data(), parts.tm_year + 1900L, 4);
    to = put_digits(put(to, '-'), parts.tm_mon + 1, 2);
    to = put_digits(put(to, '-'), parts.tm_mday, 2);
    to = put_digits(put(to, 'T'), parts.tm_hour, 2);
    to = put_digits(put(to, ':'), parts.tm_min, 2);
    to = put_digits(put(to, ':'), parts.tm_sec, 2);
    to = put(to, '.') + 9;
    if (zone_ == Zone::Utc) {
      to = put(to, 'Z');
    } else {
      const long minutes = (parts.tm_gmtoff < 0 ? -parts.tm_gmtoff : parts.tm_gmtoff) / 60;
      to = put_digits(put(to, parts.tm_gmtoff < 0 ? '-' : '+'), minutes / 60, 2);
      to = put_digits(put(to, ':'), minutes % 60, 2);
    }
    size_ = static_cast<std::size_t>(to - text_.data());
    second_ = at.tv_sec;
    known_ = true;
  }
  put_digits(text_.data() + kFraction, at.tv_nsec, 9);
  return {text_.data(), size_};
}
