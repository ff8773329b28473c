// SPDX-License-Identifier: Apache-2.0
// log_driver.h - the log destinations of a command line, DRIVER:PATH.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "children.h"
#include "log_file.h"
#include "log_labels.h"
#include "log_sink.h"
#include "loop.h"
#include "notices.h"

struct LogDriver {
  enum class Kind { K8sFile, Json, Journald, Syslog, Program, None, Passthrough };
  Kind kind = Kind::None;
  std::string path = {};  // of a file or a socket; the words of a program
  bool is_file() const { return kind == Kind::K8sFile || kind == Kind::Json; }
};

// "k8s-file:PATH", "json:PATH", "journald", "syslog[:SOCKET]", "|PROGRAM ARG…",
// "none" or "passthrough".
Result<LogDriver> parse_log_driver(std::string_view text);
std::string_view driver_name(LogDriver::Kind kind);

// The container has the shim's own streams; there is nothing in between.
bool passes_through(std::span<const LogDriver> logs);

struct LogSettings {
  LogLimits limits = {};
  LogLabels labels = {};
};

// Who waits for what a sink cannot do at once, and for the processes that it starts.
struct LogHost {
  Loop& loop;
  Children& children;
  const Notices& notices;
};

// The sink of a driver; nullptr for none and passthrough. Opens the file, so that
// a log that cannot be written is known before anything runs.
Result<std::unique_ptr<LogSink>> open_sink(const LogDriver& driver, const LogSettings& settings,
                                           const LogHost& host);
