// SPDX-License-Identifier: Apache-2.0
// duration.h - spans of time as people write them.
#pragma once

#include <chrono>
#include <string_view>

#include "common/cli.h"

// "1h30m", "10s", "500ms", "2d"; a number alone means seconds.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

// The value of an option; an error that names it.
Result<std::chrono::milliseconds> duration_of(const Options& options, std::string_view name,
                                              std::chrono::milliseconds otherwise);
