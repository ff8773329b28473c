// SPDX-License-Identifier: Apache-2.0
#include "log.h"

#include <cstdio>

#include "common/fd.h"
#include "common/json.h"
#include "common/timestamp.h"

namespace {

struct Log {
  UniqueFd file;
  LogFormat format = LogFormat::Text;
  bool debug = false;
};

Log& the_log() {
  static Log log;
  return log;
}

std::string quoted(std::string_view text) {
  return JsonWriter().value(text).take();
}

// "2026-11-22T18:38:20Z": without the fraction, as the peers write it.
std::string seconds_now() {
  return rfc3339_nano(now()).substr(0, 19) + "Z";
}

void write_line(const std::string& line) {
  const int fd = the_log().file ? the_log().file.get() : 2;
  (void)write_all(FdRef(fd), line + "\n", "log");  // nowhere to report a failure to
}

std::string text_line(std::string_view level, const std::string& message) {
  return "time=" + quoted(seconds_now()) + " level=" + std::string(level) +
         " msg=" + quoted(message);
}

void say(std::string_view level, const std::string& message, const Error* error) {
  if (the_log().format == LogFormat::Text) {
    write_line(text_line(level, message));
    return;
  }
  JsonWriter json;
  json.begin_object();
  json.member("level", level).member("msg", message).member("time", seconds_now());
  if (error != nullptr) {
    if (error->code != 0) {
      json.member("code", error->code).member("errno", errno_name(error->code));
    }
    if (!error->step.empty()) json.member("step", error->step);
    if (!error->field.empty()) json.member("field", error->field);
    if (!error->hint.empty()) json.member("hint", error->hint);
  }
  write_line(json.end_object().take());
}

}  // namespace

Result<void> open_log(const std::string& path, LogFormat format, bool debug) {
  the_log().format = format;
  the_log().debug = debug;
  if (path.empty()) return {};
  the_log().file = TRY(open_at(kCwd, path, O_WRONLY | O_CREAT | O_APPEND, 0644));
  return {};
}

void log_warning(std::string_view text) {
  say("warning", std::string(text), nullptr);
}

void log_error(std::string_view verb, const Error& error) {
  std::string text = error.text();
  // Which field asked for it, unless the text says so already.
  if (!error.field.empty() && text.find(error.field) == std::string::npos)
    text += " (config.json: " + error.field + ")";
  const std::string message = "runc-like " + std::string(verb) + " failed: " + text;
  const bool plain = !the_log().file && the_log().format == LogFormat::Text;
  if (!plain) say("error", message, &error);
  // People read standard error, and so does conmon.
  if (the_log().file || plain)
    std::fprintf(stderr, "runc-like: %s: %s\n", std::string(verb).c_str(), text.c_str());
}
