// SPDX-License-Identifier: Apache-2.0
// hook-events.cc - an OCI hook: the state on standard input becomes one event line.
//
//   {"time":"…Z","id":"web","source":"hook","event":"running","pid":7,
//    "data":{"bundle":"/b/web","annotations":{…},"phases":{"created":10,"started":3.1}}}
#include <cstdio>

#include "common/json.h"
#include "common/oci_state.h"

#include "background.h"
#include "engine_files.h"
#include "event_target.h"
#include "hook_main.h"
#include "phases.h"

namespace {

using Kind = Option::Kind;

constexpr Option kOptions[] = {
    {"to", 0, Kind::List, "TARGET",
     "file, FIFO, socket, journald, syslog, exec:PROGRAM (default: $RUNC_LIKE_EVENTS)"},
    {"event", 0, Kind::Value, "NAME", "what has happened (default: the state's status)"},
    {"state-dir", 0, Kind::Value, "DIR", "phases and counters (default: /run/hook-events)"},
    {"exit-dir", 0, Kind::List, "DIR", "exit files of the engine (default: podman's and CRI-O's)"},
    {"docker-root", 0, Kind::Value, "DIR", "docker's data, for labels (default: /var/lib/docker)"},
    {"dropped", 0, Kind::Flag, "", "print how many events were dropped so far"},
};

struct Known {
  std::string phases;
  std::string labels;
  std::optional<int> exit_status;
  std::size_t dropped = 0;
};

// Annotations and labels can be long: they are what a limited line goes without.
std::string data_of(const OciState& state, const Known& known, bool whole) {
  JsonWriter w;
  w.begin_object().member("bundle", state.bundle).member("status", state.status);
  if (whole && !state.annotations.empty()) {
    w.key("annotations").begin_object();
    for (const auto& [key, value] : state.annotations) w.member(key, value);
    w.end_object();
  }
  if (whole && !known.labels.empty()) w.key("labels").raw(known.labels);
  if (known.phases != "{}") w.key("phases").raw(known.phases);
  if (known.exit_status) w.member("exit_status", *known.exit_status);
  if (known.dropped != 0) w.member("dropped", std::uint64_t{known.dropped});
  return w.end_object().take();
}

std::vector<std::string> values_or(const Options& options, std::string_view name,
                                   std::vector<std::string> otherwise) {
  return options.given(name) ? options.values(name) : std::move(otherwise);
}

Result<void> record(const OciState& state, const Options& options, const std::string& directory) {
  Event event{"hook", state.id, options.value_or("event", state.status), state.pid};
  Known known;
  known.phases = note_phase(directory, state, event.name);
  known.labels = known_labels(state, options.value_or("docker-root", "/var/lib/docker"));
  if (state.status == "stopped" || event.name == "stopped")
    known.exit_status = known_exit_status(
        state, values_or(options, "exit-dir", {"/run/libpod/exits", "/var/run/crio/exits"}));
  known.dropped = dropped_so_far(directory);
  event.data = data_of(state, known, true);
  event.short_data = data_of(state, known, false);
  Result<void> first_failure;
  for (const std::string& text : values_or(options, "to", {""})) {
    const EventTarget target = TRY(parse_event_target(text));
    auto sent = send_event(target, event, directory);
    if (sent) continue;
    count_dropped(directory);
    if (first_failure) first_failure = std::move(sent);
  }
  return first_failure;
}

Result<int> run_events(const ParsedWords& words) {
  const std::string directory = words.options.value_or("state-dir", "/run/hook-events");
  if (words.options.flag("dropped")) {
    std::printf("%zu\n", dropped_so_far(directory));
    return 0;
  }
  const OciState state = TRY(read_oci_state(FdRef(STDIN_FILENO)));
  TRY(record(state, words.options, directory));
  return 0;
}

constexpr Hook kHook = {"hook-events", "<STATE", "write an event of a container", kOptions,
                        run_events};

}  // namespace

int main(int argc, char** argv) {
  return run_hook(kHook, argc, argv);
}
