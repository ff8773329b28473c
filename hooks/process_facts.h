// SPDX-License-Identifier: Apache-2.0
// process_facts.h - what /proc tells about a process.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string_view>

// Field 22 of /proc/PID/stat, in clock ticks since boot. The name in the second
// field may hold anything, also spaces and ')'. Pure.
std::optional<std::uint64_t> start_ticks(std::string_view stat);

// Also one that nobody has waited for yet has ended; no text at all: there is none. Pure.
bool has_ended(std::string_view stat);

// When it was started, in µs since boot, as exact as the clock tick (10 ms).
// Nothing when there is no such process.
std::optional<std::int64_t> process_born(pid_t pid);
