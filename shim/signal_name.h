// SPDX-License-Identifier: Apache-2.0
// signal_name.h - signals by name.
#pragma once

#include <optional>
#include <string_view>

// "TERM", "SIGTERM" or "15".
std::optional<int> signal_number(std::string_view text);
