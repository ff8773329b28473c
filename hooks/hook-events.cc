// SPDX-License-Identifier: Apache-2.0
// hook-events.cc - an OCI hook: the state on standard input becomes one event line.
//
//   {"time":"…Z","id":"web","source":"hook","event":"running","pid":7,
//    "data":{"bundle":"/b/web","annotations":{…}}}
//
// It never fails a container: what goes wrong is said on standard error, and is
// the exit status only with --strict.
#include <array>
#include <cstdio>
#include <exception>

#include "common/cli.h"
#include "common/events.h"
#include "common/json.h"
#include "common/oci_state.h"

namespace {

using Kind = Option::Kind;

constexpr auto kOptions = std::to_array<Option>({
    {"to", 0, Kind::Value, "PATH", "file, FIFO or socket (default: $RUNC_LIKE_EVENTS)"},
    {"event", 0, Kind::Value, "NAME", "what has happened (default: the state's status)"},
    {"strict", 0, Kind::Flag, "", "a failure fails the container"},
    {"help", 'h', Kind::Flag, "", "show this text"},
});

// Annotations can be long: an event that would not fit into one atomic line
// goes without them.
std::string data_of(const OciState& state, bool annotations) {
  JsonWriter w;
  w.begin_object().member("bundle", state.bundle).member("status", state.status);
  if (annotations && !state.annotations.empty()) {
    w.key("annotations").begin_object();
    for (const auto& [key, value] : state.annotations) w.member(key, value);
    w.end_object();
  }
  return w.end_object().take();
}

Result<void> record(const Options& options) {
  const OciState state = TRY(read_oci_state(FdRef(STDIN_FILENO)));
  const EventLog log = EventLog::open("hook", options.value_or("to", ""));
  if (!log.is_open())
    return Error{"no target for events: '" + options.value_or("to", "") + "'"}.with_hint(
        "name one that can be written with --to or $RUNC_LIKE_EVENTS");
  const std::string event = options.value_or("event", state.status);
  constexpr std::size_t kRoom = 3500;  // of PIPE_BUF, for the data
  std::string data = data_of(state, true);
  if (data.size() > kRoom) data = data_of(state, false);
  if (!log.emit(state.id, event, state.pid, data))
    return Error{"event '" + event + "' of '" + state.id + "' was dropped"}.with_hint(
        "its target is full, or nobody reads it");
  return {};
}

int fail(const std::string& text, int status) {
  std::fprintf(stderr, "hook-events: %s\n", text.c_str());
  return status;
}

}  // namespace

int main(int argc, char** argv) try {
  const std::vector<std::string> words(argv + (argc > 0 ? 1 : 0), argv + argc);
  const auto parsed = parse_words(kOptions, words);
  if (!parsed) return fail(parsed.error().text(), 2);
  if (parsed->options.flag("help")) {
    std::printf("usage: hook-events [OPTION]... <STATE\n\n%s", describe(kOptions).c_str());
    return 0;
  }
  const auto recorded = record(parsed->options);
  if (recorded) return 0;
  return fail(recorded.error().text(), parsed->options.flag("strict") ? 1 : 0);
} catch (const std::exception& e) {
  return fail(std::string("internal error: ") + e.what(), 125);
}
