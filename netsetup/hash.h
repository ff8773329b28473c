// SPDX-License-Identifier: Apache-2.0
// hash.h - a short number for a long name (FNV-1a), where names are limited:
// interface names, keys of kernel sets. Not for secrets.
#pragma once

#include <cstdint>
#include <string_view>

constexpr std::uint32_t hash32(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : text) {
    hash ^= static_cast<std::uint8_t>(c);
    hash *= 0x100000001b3U;
  }
  return static_cast<std::uint32_t>(hash ^ (hash >> 32));
}
