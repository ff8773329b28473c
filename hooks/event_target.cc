// SPDX-License-Identifier: Apache-2.0
#include "event_target.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include "common/child_process.h"
#include "common/events.h"

#include "background.h"

Result<EventTarget> parse_event_target(const std::string& text) {
  using Kind = EventTarget::Kind;
  const char* variable = std::getenv("RUNC_LIKE_EVENTS");
  const std::string target = !text.empty() ? text : variable != nullptr ? variable : "";
  if (target == "journald") return EventTarget{Kind::Journal, "/run/systemd/journal/socket"};
  if (target.starts_with("journald:")) return EventTarget{Kind::Journal, target.substr(9)};
  if (target == "syslog") return EventTarget{Kind::Syslog, "/dev/log"};
  if (target.starts_with("syslog:")) return EventTarget{Kind::Syslog, target.substr(7)};
  if (target.starts_with("exec:")) return EventTarget{Kind::Program, target.substr(5)};
  if (target.empty())
    return Error{"no target for events"}.with_hint("name one with --to or $RUNC_LIKE_EVENTS");
  return EventTarget{Kind::Path, target};
}

void add_journal_field(std::string& entry, std::string_view key, std::string_view value) {
  entry += key;
  if (value.find('\n') == std::string_view::npos) {
    entry.append("=").append(value).append("\n");
    return;
  }
  const std::uint64_t size = value.size();
  std::array<char, sizeof size> little = {};
  for (std::size_t i = 0; i < little.size(); ++i)
    little[i] = static_cast<char>(size >> (8 * i) & 0xffU);
  entry.append("\n").append(little.data(), little.size()).append(value).append("\n");
}

std::string journal_entry(const Event& event, std::string_view line) {
  std::string entry;
  add_journal_field(entry, "MESSAGE", line);
  add_journal_field(entry, "PRIORITY", "6");
  add_journal_field(entry, "SYSLOG_IDENTIFIER", "hook-events");
  add_journal_field(entry, "CONTAINER_ID", event.id);
  add_journal_field(entry, "CONTAINER_EVENT", event.name);
  return entry;
}

std::string syslog_entry(std::string_view line, time_t at, pid_t pid) {
  std::array<char, 32> stamp = {};
  tm local = {};
  ::localtime_r(&at, &local);
  (void)std::strftime(stamp.data(), stamp.size(), "%b %e %H:%M:%S", &local);
  return "<30>" + std::string(stamp.data()) + " hook-events[" + std::to_string(pid) +
         "]: " + std::string(line);
}

namespace {

Result<void> send_datagram(const std::string& path, std::string_view text) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return Error{"socket '" + path + "'", ENAMETOOLONG};
  std::memcpy(address.sun_path, path.data(), path.size());
  const UniqueFd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): the sockets API
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  if (!fd ||
      ::sendto(fd.get(), text.data(), text.size(), MSG_NOSIGNAL, generic, sizeof address) < 0)
    return errno_error("send to", path);
  return {};
}

Result<void> send_to_program(const std::string& program, const std::string& line,
                             const std::string& counters) {
  struct stat info = {};
  if (::stat(program.c_str(), &info) != 0 || ::access(program.c_str(), X_OK) != 0)
    return errno_error("execute", program);
  if (!TRY(go_to_background())) return {};
  RunOptions options;
  options.input = line;
  options.timeout = std::chrono::seconds(30);
  const auto output = run(Command{{program}}, options);
  if (!output || output->status != 0) count_dropped(counters);
  ::_exit(0);
}

Result<void> send_to_path(const std::string& path, const Event& event) {
  const EventLog log = EventLog::open(event.source, path);
  if (!log.is_open()) return errno_error("open", path);
  if (log.append(event_line(event.source, event.id, event.name, event.pid, event.data))) return {};
  const std::string_view shorter = event.short_data.empty() ? event.data : event.short_data;
  if (log.emit(event.id, event.name, event.pid, shorter)) return {};
  return Error{"event '" + event.name + "' of '" + event.id + "' was dropped: '" + path +
               "' is full, or nobody reads it"};
}

}  // namespace

Result<void> send_event(const EventTarget& target, const Event& event,
                        const std::string& counters) {
  using Kind = EventTarget::Kind;
  if (target.kind == Kind::Path) return send_to_path(target.path, event);
  std::string line = event_line(event.source, event.id, event.name, event.pid, event.data);
  if (target.kind == Kind::Program) return send_to_program(target.path, line, counters);
  line.pop_back();
  if (target.kind == Kind::Journal) return send_datagram(target.path, journal_entry(event, line));
  return send_datagram(target.path, syslog_entry(line, ::time(nullptr), ::getpid()));
}
