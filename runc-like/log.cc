// SPDX-License-Identifier: Apache-2.0
#include "log.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "common/fd.h"
#include "common/json.h"
#include "common/timestamp.h"

namespace {

enum class Sink { File, Journal, Syslog };

struct Log {
  UniqueFd fd;
  Sink sink = Sink::File;
  std::string name = {};  // of the journal's or the system log's entries
  LogFormat format = LogFormat::Text;
  bool warnings = true;
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
  const int fd = the_log().fd ? the_log().fd.get() : 2;
  (void)write_all(FdRef(fd), line + "\n", "log");  // nowhere to report a failure to
}

// One datagram: the journal's own form, or the old form of syslog. A log that is
// full or gone never stops a container.
void send_entry(bool error, std::string message) {
  std::ranges::replace(message, '\n', ' ');
  const Log& log = the_log();
  const std::string entry = log.sink == Sink::Journal
                                ? "SYSLOG_IDENTIFIER=" + log.name +
                                      "\nPRIORITY=" + (error ? "3" : "4") + "\nMESSAGE=" + message +
                                      "\n"
                                : (error ? "<27>" : "<28>") + log.name + ": " + message;
  (void)::send(log.fd.get(), entry.data(), entry.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

Result<UniqueFd> connect_log(const char* path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path, sizeof address.sun_path - 1);
  UniqueFd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd || ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return errno_error("connect to log", path);
  return fd;
}

std::string text_line(std::string_view level, const std::string& message) {
  return "time=" + quoted(seconds_now()) + " level=" + std::string(level) +
         " msg=" + quoted(message);
}

void say(std::string_view level, const std::string& message, const Error* error) {
  if (the_log().sink != Sink::File) {
    send_entry(error != nullptr, message);
    return;
  }
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

Result<void> open_log(const std::string& target, LogFormat format, bool warnings) {
  Log& log = the_log();
  log.format = format;
  log.warnings = warnings;
  const std::string kind = target.substr(0, target.find(':'));
  if (kind == "journald" || kind == "syslog") {
    log.sink = kind == "syslog" ? Sink::Syslog : Sink::Journal;
    log.name = target.size() > kind.size() + 1 ? target.substr(kind.size() + 1) : "runc-like";
    log.fd = TRY(connect_log(kind == "syslog" ? "/dev/log" : "/run/systemd/journal/socket"));
    return {};
  }
  const std::string path = target.starts_with("file:") ? target.substr(5) : target;
  if (!path.empty()) log.fd = TRY(open_at(kCwd, path, O_WRONLY | O_CREAT | O_APPEND, 0644));
  return {};
}

void log_warning(std::string_view text) {
  if (!the_log().warnings) return;
  say("warning", std::string(text), nullptr);
}

void log_error(std::string_view verb, const Error& error) {
  std::string text = error.text();
  // Which field asked for it, unless the text says so already.
  if (!error.field.empty() && text.find(error.field) == std::string::npos)
    text += " (config.json: " + error.field + ")";
  const std::string message = "runc-like " + std::string(verb) + " failed: " + text;
  const bool plain = !the_log().fd && the_log().format == LogFormat::Text;
  if (!plain) say("error", message, &error);
  // People read standard error, and so does conmon.
  if (the_log().fd || plain)
    std::fprintf(stderr, "runc-like: %s: %s\n", std::string(verb).c_str(), text.c_str());
}
