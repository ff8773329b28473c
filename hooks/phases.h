// SPDX-License-Identifier: Apache-2.0
// phases.h - how long each phase of a container's life took. A hook lives for one
// event, so what it has seen stands in a file: DIRECTORY/ID, gone after the last.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/oci_state.h"

struct Phases {
  int pid = 0;  // of the container: another one is another life
  std::vector<std::pair<std::string, std::int64_t>> seen = {};  // event, µs since boot
};

// Text form: "pid 7\ncreated 1234\n". What cannot be read has seen nothing. Pure.
Phases parse_phases(std::string_view text);
std::string to_text(const Phases& phases);

// {"created":12.0,"started":3.4}: milliseconds of each phase, the first since `born`,
// when the process was started. Pure.
std::string phase_durations(const Phases& phases, std::optional<std::int64_t> born);

// Notes the event, and returns the durations so far.
std::string note_phase(const std::string& directory, const OciState& state,
                       const std::string& event);
