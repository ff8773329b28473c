// SPDX-License-Identifier: Apache-2.0
// pax.h - the records of a pax extended header: "LENGTH KEY=VALUE\n", again and again.
#pragma once

#include <cstdint>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/result.h"

#include "tar_entry.h"

// What an extended header says about the next member. An absent field leaves
// what the member's own header says.
struct PaxHeader {
  std::optional<std::string> path = {};
  std::optional<std::string> link = {};
  std::optional<std::uint64_t> size = {};
  std::optional<std::uint64_t> uid = {};
  std::optional<std::uint64_t> gid = {};
  std::optional<timespec> mtime = {};
  std::vector<std::pair<std::string, std::string>> xattrs = {};

  // GNU sparse files, versions 0.0, 0.1 (map in records) and 1.0 (map in the data).
  std::optional<std::string> sparse_name = {};
  std::optional<std::uint64_t> sparse_real_size = {};
  std::vector<TarExtent> sparse_map = {};
  bool sparse = false;
  bool sparse_map_in_data = false;
};

// Adds the records of `body` to `header`. A malformed record is an error, never
// skipped: a reader that skips sees another archive than one that does not.
Result<void> parse_pax(std::string_view body, PaxHeader& header);

// More pieces than this are no file but an attack on memory.
inline constexpr std::size_t kMostExtents = std::size_t{1} << 18;

// Decimal digits only, within 63 bits.
std::optional<std::uint64_t> parse_decimal(std::string_view text);
