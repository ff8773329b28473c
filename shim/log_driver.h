// SPDX-License-Identifier: Apache-2.0
// log_driver.h - the log destinations of a command line, DRIVER:PATH.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "journald.h"
#include "log_file.h"
#include "log_sink.h"
#include "notices.h"

struct LogDriver {
  enum class Kind { K8sFile, Json, Journald, None, Passthrough };
  Kind kind = Kind::None;
  std::string path = {};
};

// "k8s-file:PATH", "json:PATH", "journald", "none" or "passthrough".
Result<LogDriver> parse_log_driver(std::string_view text);
std::string_view driver_name(LogDriver::Kind kind);

struct LogSettings {
  LogLimits limits = {};
  JournalLabels labels = {};
};

// The sink of a driver; nullptr for none and passthrough. Opens the file, so that
// a log that cannot be written is known before anything runs.
Result<std::unique_ptr<LogSink>> open_sink(const LogDriver& driver, const LogSettings& settings,
                                           const Notices& notices);
