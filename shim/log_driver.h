// SPDX-License-Identifier: Apache-2.0
// log_driver.h - the log destinations of a command line, DRIVER:PATH.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "log_file.h"
#include "log_sink.h"
#include "notices.h"

struct LogDriver {
  enum class Kind { K8sFile, Json, None, Passthrough };
  Kind kind = Kind::None;
  std::string path = {};
};

// "k8s-file:PATH", "json:PATH", "none" or "passthrough".
Result<LogDriver> parse_log_driver(std::string_view text);
std::string_view driver_name(LogDriver::Kind kind);

// The sink of a driver that writes a file; nullptr for the others. Opens the
// file, so that a log that cannot be written is known before anything runs.
Result<std::unique_ptr<LogSink>> open_sink(const LogDriver& driver, const LogLimits& limits,
                                           const Notices& notices);
