// SPDX-License-Identifier: Apache-2.0
#include "log_driver.h"

#include <algorithm>
#include <array>

#include "line_sink.h"
#include "log_format.h"

namespace {

struct Row {
  std::string_view name;
  LogDriver::Kind kind;
  bool takes_path;
};

constexpr auto kDrivers = std::to_array<Row>({
    {"journald", LogDriver::Kind::Journald, false},
    {"json", LogDriver::Kind::Json, true},
    {"k8s-file", LogDriver::Kind::K8sFile, true},
    {"none", LogDriver::Kind::None, false},
    {"passthrough", LogDriver::Kind::Passthrough, false},
});

}  // namespace

Result<LogDriver> parse_log_driver(std::string_view text) {
  const auto colon = text.find(':');
  const std::string_view name = text.substr(0, colon);
  const std::string_view path = colon == std::string_view::npos ? "" : text.substr(colon + 1);
  const auto row = std::ranges::find(kDrivers, name, &Row::name);
  if (row == kDrivers.end())
    return Error{"unknown log driver '" + std::string(name) + "'", 0,
                 "use k8s-file:PATH, json:PATH, journald, none or passthrough"};
  if (row->takes_path && path.empty())
    return Error{"log driver '" + std::string(name) + "' needs a file", 0,
                 "write " + std::string(name) + ":PATH"};
  if (!row->takes_path && !path.empty())
    return Error{"log driver '" + std::string(name) + "' takes no path"};
  return LogDriver{row->kind, std::string(path)};
}

std::string_view driver_name(LogDriver::Kind kind) {
  return std::ranges::find(kDrivers, kind, &Row::kind)->name;
}

Result<std::unique_ptr<LogSink>> open_sink(const LogDriver& driver, const LogSettings& settings,
                                           const Notices& notices) {
  std::unique_ptr<LogSink> sink;
  if (driver.kind == LogDriver::Kind::Journald) return JournalSink::open(settings.labels);
  if (driver.kind != LogDriver::Kind::K8sFile && driver.kind != LogDriver::Kind::Json) return sink;
  LogFile file = TRY(LogFile::open(driver.path, settings.limits));
  if (driver.kind == LogDriver::Kind::Json)
    sink = std::make_unique<LineSink<JsonFormat>>(std::move(file), notices);
  else
    sink = std::make_unique<LineSink<K8sFormat>>(std::move(file), notices);
  return sink;
}
