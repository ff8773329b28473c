// SPDX-License-Identifier: Apache-2.0
// log_filter.h - which records of a log somebody wants to see.
#pragma once

#include <regex.h>

#include <ctime>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/cli.h"

#include "log_reader.h"

// An instant: RFC 3339, seconds since 1970, or a duration before `now`.
std::optional<timespec> parse_moment(std::string_view text, const timespec& now);

class LogFilter {
 public:
  // --since, --until, --stream and --grep.
  static Result<LogFilter> create(const Options& options, const timespec& now);
  bool wants(const LogRecord& record) const;
  // Everything written before it is not wanted.
  time_t begin() const { return since_ ? since_->tv_sec : 0; }

 private:
  struct FreeRegex {
    void operator()(regex_t* expression) const;
  };
  std::optional<timespec> since_;
  std::optional<timespec> until_;
  std::string stream_;
  std::unique_ptr<regex_t, FreeRegex> grep_;
};
