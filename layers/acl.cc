// SPDX-License-Identifier: Apache-2.0
#include "acl.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <tuple>
#include <vector>

#include "pax.h"

namespace {

// linux/posix_acl_xattr.h: version, then entries of tag, permissions and id, all little-endian.
constexpr std::uint32_t kVersion = 2;
constexpr std::uint32_t kNoId = UINT32_MAX;
enum Tag : std::uint16_t {
  kUserObject = 0x01,
  kUser = 0x02,
  kGroupObject = 0x04,
  kGroup = 0x08,
  kMask = 0x10,
  kOther = 0x20
};

struct AclEntry {
  std::uint16_t tag = 0;
  std::uint16_t permissions = 0;
  std::uint32_t id = kNoId;
};

std::vector<std::string_view> split(std::string_view text, std::string_view separators) {
  std::vector<std::string_view> parts;
  for (;;) {
    const auto end = text.find_first_of(separators);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::optional<std::uint16_t> tag_of(std::string_view word, bool named) {
  if (word == "user" || word == "u") return named ? kUser : kUserObject;
  if (word == "group" || word == "g") return named ? kGroup : kGroupObject;
  if ((word == "mask" || word == "m") && !named) return kMask;
  if ((word == "other" || word == "o") && !named) return kOther;
  return std::nullopt;
}

std::optional<std::uint16_t> permissions_of(std::string_view text) {
  constexpr auto kLetters =
      std::to_array<std::pair<char, unsigned>>({{'r', 4}, {'w', 2}, {'x', 1}, {'-', 0}});
  unsigned value = 0;
  for (const char c : text) {
    const auto found = std::ranges::find(kLetters, c, &std::pair<char, unsigned>::first);
    if (found == kLetters.end()) return std::nullopt;
    value |= found->second;
  }
  return static_cast<std::uint16_t>(value);
}

std::optional<AclEntry> entry_of(std::string_view text) {
  const auto parts = split(text, ":");
  if (parts.size() < 3) return std::nullopt;
  const bool named = !parts[1].empty();
  const auto tag = tag_of(parts[0], named);
  const auto permissions = permissions_of(parts[2]);
  if (!tag || !permissions) return std::nullopt;
  AclEntry entry{*tag, *permissions, kNoId};
  if (named) {
    const auto id = parse_decimal(parts.size() > 3 ? parts[3] : parts[1]);
    if (!id || *id >= kNoId) return std::nullopt;
    entry.id = static_cast<std::uint32_t>(*id);
  }
  return entry;
}

void put(std::string& out, std::uint32_t value, unsigned bytes) {
  for (unsigned i = 0; i < bytes; ++i) out += static_cast<char>((value >> (8 * i)) & 0xffU);
}

}  // namespace

std::optional<std::string> acl_from_text(std::string_view text) {
  std::vector<AclEntry> entries;
  for (const std::string_view part : split(text, ",\n")) {
    if (part.empty()) continue;
    const auto entry = entry_of(part);
    if (!entry) return std::nullopt;
    entries.push_back(*entry);
  }
  // The kernel wants them in this order.
  std::ranges::sort(entries, {}, [](const AclEntry& e) { return std::tuple(e.tag, e.id); });
  std::string out;
  put(out, kVersion, 4);
  for (const AclEntry& entry : entries) {
    put(out, entry.tag, 2);
    put(out, entry.permissions, 2);
    put(out, entry.id, 4);
  }
  return out;
}
