// SPDX-License-Identifier: Apache-2.0
// log_time.h - instants in log lines: the calendar is looked up once a second,
// the nanoseconds are written into the text that is there already.
#pragma once

#include <array>
#include <ctime>
#include <string_view>

class LogTime {
 public:
  enum class Zone { Utc, Local };
  explicit LogTime(Zone zone) noexcept : zone_(zone) {}

  // Utc: "2026-11-22T16:25:21.725223214Z". Local: "…214+00:00", always 35
  // characters, as the Kubernetes log format has it. Valid until the next call.
  std::string_view text(const timespec& at) noexcept;

 private:
  Zone zone_;
  bool known_ = false;
  time_t second_ = 0;
  std::size_t size_ = 0;
  std::array<char, 40> text_ = {};
};
