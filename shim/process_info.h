// SPDX-License-Identifier: Apache-2.0
// process_info.h - what /proc says of a process.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>

// When it started, in clock ticks since boot: with the pid it names one process.
// Nothing when it is gone or a zombie.
std::optional<std::uint64_t> start_of_process(pid_t pid);
