// SPDX-License-Identifier: Apache-2.0
// log_reader.h - the lines of a log in the order in which they were written,
// through rotated files, and on while more comes.
#pragma once

#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/fd.h"

#include "log_archive.h"
#include "log_driver.h"
#include "log_sink.h"

struct LogRecord {
  Stream stream = Stream::Out;
  std::string text;  // with its newline, unless it is partial
  std::string time;  // as written
};

// One line of a log file; nothing when it is none.
std::optional<LogRecord> parse_record(LogDriver::Kind kind, std::string_view line);

class LogReader {
 public:
  using Consumer = std::function<Result<void>(const LogRecord&)>;
  LogReader(LogDriver log, Consumer consumer)
      : log_(std::move(log)), consumer_(std::move(consumer)) {}

  // Files that were last written before need not be read.
  void skip_before(time_t moment) { begin_ = moment; }

  // FILE.N … FILE.1, then FILE to its present end. Again: what came since then,
  // also if it was rotated and compressed meanwhile.
  Result<void> read_on();

 private:
  Result<std::vector<LogInput>> open_all() const;
  Result<bool> open_next();
  Result<void> read_current();

  LogDriver log_;
  Consumer consumer_;
  LogInput current_;
  time_t begin_ = 0;
  std::string rest_;  // the beginning of a line that is being written
};
