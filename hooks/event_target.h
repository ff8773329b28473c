// SPDX-License-Identifier: Apache-2.0
// event_target.h - where events go: a path (file, FIFO, unix socket), the journal,
// syslog, or a program's standard input. None of them is ever waited for.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "common/result.h"

struct Event {
  std::string source;  // "hook", "audit"
  std::string id;
  std::string name;
  int pid = 0;
  std::string data = {};        // a JSON object
  std::string short_data = {};  // for targets whose lines are limited to PIPE_BUF
};

struct EventTarget {
  enum class Kind { Path, Journal, Syslog, Program };
  Kind kind = Kind::Path;
  std::string path;  // of the file, socket or program
};

// PATH, journald[:SOCKET], syslog[:SOCKET] or exec:PROGRAM. An empty text is
// $RUNC_LIKE_EVENTS.
Result<EventTarget> parse_event_target(const std::string& text);

// An error when the event was dropped. A program is started and not waited for; when
// it fails later, or does not end in half a minute, that is counted in `counters`.
Result<void> send_event(const EventTarget& target, const Event& event, const std::string& counters);

// A journal entry in its native form: KEY=VALUE lines, and a length where a value
// holds line ends. Pure.
void add_journal_field(std::string& entry, std::string_view key, std::string_view value);
std::string journal_entry(const Event& event, std::string_view line);
// "<30>Jan  2 03:04:05 hook-events[7]: LINE". Pure.
std::string syslog_entry(std::string_view line, time_t at, pid_t pid);
