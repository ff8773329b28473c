// SPDX-License-Identifier: Apache-2.0
#include "phases.h"

#include <unistd.h>

#include <ctime>

#include "common/beneath.h"
#include "common/cli.h"
#include "common/fd.h"
#include "common/json.h"

#include "process_facts.h"

Phases parse_phases(std::string_view text) {
  Phases out;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    const std::size_t space = line.rfind(' ');
    if (space == std::string_view::npos) continue;
    const auto number = parse_integer(line.substr(space + 1));
    if (!number) continue;
    if (line.substr(0, space) == "pid" && out.seen.empty())
      out.pid = static_cast<int>(*number);
    else
      out.seen.emplace_back(line.substr(0, space), *number);
  }
  return out;
}

std::string to_text(const Phases& phases) {
  std::string out = "pid " + std::to_string(phases.pid) + "\n";
  for (const auto& [event, at] : phases.seen) out += event + " " + std::to_string(at) + "\n";
  return out;
}

std::string phase_durations(const Phases& phases, std::optional<std::int64_t> born) {
  JsonWriter w;
  w.begin_object();
  std::optional<std::int64_t> before = born;
  for (const auto& [event, at] : phases.seen) {
    if (before) w.member(event, static_cast<double>(at - *before) / 1000.0);
    before = at;
  }
  return w.end_object().take();
}

namespace {

std::int64_t microseconds_since_boot() {
  timespec at = {};
  (void)::clock_gettime(CLOCK_BOOTTIME, &at);
  return std::int64_t{at.tv_sec} * 1'000'000 + at.tv_nsec / 1000;
}

bool is_last(const OciState& state, const std::string& event) {
  return state.status == "stopped" || event == "stopped";
}

}  // namespace

std::string note_phase(const std::string& directory, const OciState& state,
                       const std::string& event) {
  if (!is_plain_name(state.id) || state.id == "dropped" || event.find('\n') != std::string::npos)
    return "{}";
  const std::string path = directory + "/" + state.id;
  Phases phases;
  if (const auto text = read_file(path, std::size_t{64} << 10)) phases = parse_phases(*text);
  // An id may be used again; the last event has no process any more.
  if (phases.pid != state.pid && state.pid != 0) phases = {state.pid, {}};
  phases.seen.emplace_back(event, microseconds_since_boot());
  const bool last = is_last(state, event);
  if (last)
    (void)::unlink(path.c_str());
  else if (make_directories(directory))
    (void)replace_file(path, to_text(phases));
  return phase_durations(phases, process_born(state.pid));
}
