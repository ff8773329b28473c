// SPDX-License-Identifier: Apache-2.0
// timestamp.h - instants as engines and log readers expect them (RFC 3339).
#pragma once

#include <ctime>
#include <optional>
#include <string>
#include <string_view>

timespec now();  // CLOCK_REALTIME

// "2026-11-22T16:25:21.725223214Z": UTC, nine digits always, so lines sort as text.
std::string rfc3339_nano(const timespec& at);

// Any RFC 3339 instant, with fraction and offset; nothing when it is none.
std::optional<timespec> parse_rfc3339(std::string_view text);
