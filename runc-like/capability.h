// SPDX-License-Identifier: Apache-2.0
// capability.h - capabilities by name and number, as libcap knows them: capabilities(7).
#pragma once

#include <linux/capability.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

inline constexpr std::uint64_t kEveryCapability = (std::uint64_t{2} << CAP_LAST_CAP) - 1;

// "CAP_NET_ADMIN", "net_admin": the bit, or nothing.
std::optional<unsigned> capability_number(std::string_view name);

// The bits of a set, from the lowest: "CAP_CHOWN", …
std::vector<std::string> capability_names(std::uint64_t set);

// "; did you mean 'CAP_CHOWN'?", or nothing when no name comes near.
std::string nearest_capability(std::string_view name);
