// SPDX-License-Identifier: Apache-2.0
#include "log_driver.h"

#include <algorithm>
#include <array>

#include "journald.h"
#include "line_sink.h"
#include "log_format.h"
#include "program_sink.h"
#include "syslog_sink.h"

namespace {

struct Row {
  std::string_view name;
  LogDriver::Kind kind;
  enum class Path { None, May, Must } path;
};

constexpr auto kDrivers = std::to_array<Row>({
    {"journald", LogDriver::Kind::Journald, Row::Path::None},
    {"json", LogDriver::Kind::Json, Row::Path::Must},
    {"k8s-file", LogDriver::Kind::K8sFile, Row::Path::Must},
    {"none", LogDriver::Kind::None, Row::Path::None},
    {"passthrough", LogDriver::Kind::Passthrough, Row::Path::None},
    {"program", LogDriver::Kind::Program, Row::Path::Must},
    {"syslog", LogDriver::Kind::Syslog, Row::Path::May},
});

}  // namespace

Result<LogDriver> parse_log_driver(std::string_view text) {
  if (text.starts_with('|')) return parse_log_driver("program:" + std::string(text.substr(1)));
  const auto colon = text.find(':');
  const std::string_view name = text.substr(0, colon);
  const std::string_view path = colon == std::string_view::npos ? "" : text.substr(colon + 1);
  const auto row = std::ranges::find(kDrivers, name, &Row::name);
  if (row == kDrivers.end())
    return Error{"unknown log driver '" + std::string(name) + "'", 0,
                 "use k8s-file:PATH, json:PATH, journald, syslog, '|PROGRAM', none or passthrough"};
  if (row->path == Row::Path::Must && path.empty())
    return Error{"log driver '" + std::string(name) + "' needs a file", 0,
                 "write " + std::string(name) + ":PATH"};
  if (row->path == Row::Path::None && !path.empty())
    return Error{"log driver '" + std::string(name) + "' takes no path"};
  return LogDriver{row->kind, std::string(path)};
}

std::string_view driver_name(LogDriver::Kind kind) {
  return std::ranges::find(kDrivers, kind, &Row::kind)->name;
}

bool passes_through(std::span<const LogDriver> logs) {
  return std::ranges::find(logs, LogDriver::Kind::Passthrough, &LogDriver::kind) != logs.end();
}

Result<std::unique_ptr<LogSink>> open_sink(const LogDriver& driver, const LogSettings& settings,
                                           const LogHost& host) {
  std::unique_ptr<LogSink> sink;
  if (driver.kind == LogDriver::Kind::Journald) return JournalSink::open(settings.labels);
  if (driver.kind == LogDriver::Kind::Syslog) return SyslogSink::open(settings.labels, driver.path);
  if (driver.kind == LogDriver::Kind::Program)
    return ProgramSink::open(driver.path, host.loop, host.children, host.notices);
  if (!driver.is_file()) return sink;
  LogFile file = TRY(LogFile::open(driver.path, settings.limits));
  file.compress_with(host.children, host.notices);
  if (driver.kind == LogDriver::Kind::Json)
    sink = std::make_unique<LineSink<JsonFormat>>(std::move(file), host.notices,
                                                  JsonFormat(settings.labels));
  else
    sink = std::make_unique<LineSink<K8sFormat>>(std::move(file), host.notices);
  return sink;
}
