// SPDX-License-Identifier: Apache-2.0
// stats.h - what a container uses, read from its cgroups (v1 and v2), in the form
// that engines know from runc's `events`.
#pragma once

#include <string>

#include "common/json.h"

#include "cgroup.h"

// The "data" object of a stats event. What this host does not count is left out
// or 0.
void write_stats(JsonWriter& json, const Cgroup& cgroup);

// Counters at the start of a line: "low 0\nhigh 3\n…" -> the number beside the key.
std::uint64_t counter(std::string_view text, std::string_view key);

// "some avg10=0.00 avg60=0.00 avg300=0.00 total=0\nfull …" as runc writes it; false
// when the text is none.
bool write_pressure(JsonWriter& json, std::string_view text);

// A limit or a count: "max" is the largest number.
std::uint64_t number_in(std::string_view text);
