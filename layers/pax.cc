// SPDX-License-Identifier: Apache-2.0
#include "pax.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "acl.h"

namespace {

Error malformed(std::string_view what) {
  return Error{"malformed pax header: " + std::string(what)};
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// "-1.5" is one and a half seconds before the epoch: -2 s and 500000000 ns.
std::optional<timespec> parse_time(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  const auto dot = text.find('.');
  const auto seconds = parse_decimal(text.substr(0, dot));
  if (!seconds) return std::nullopt;
  long nanoseconds = 0;
  if (dot != std::string_view::npos) {
    long unit = 100'000'000;
    for (const char c : text.substr(dot + 1)) {
      if (!is_digit(c)) return std::nullopt;
      nanoseconds += unit * (c - '0');
      unit /= 10;
    }
  }
  timespec at = {static_cast<time_t>(*seconds), nanoseconds};
  if (!negative) return at;
  at.tv_sec = -at.tv_sec;
  if (at.tv_nsec != 0) {
    --at.tv_sec;
    at.tv_nsec = 1'000'000'000 - at.tv_nsec;
  }
  return at;
}

constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::optional<std::string> decode_base64(std::string_view text) {
  std::string out;
  std::uint32_t bits = 0;
  unsigned count = 0;
  while (text.ends_with('=')) text.remove_suffix(1);
  for (const char c : text) {
    const auto digit = kBase64.find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    bits = (bits << 6U) | static_cast<std::uint32_t>(digit);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    out += static_cast<char>((bits >> count) & 0xffU);
  }
  return out;
}

std::optional<std::string> decode_percent(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    unsigned value = 0;
    const std::string_view digits = text.substr(i + 1, 2);
    const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    if (digits.size() != 2 || parsed.ptr != digits.data() + 2) return std::nullopt;
    out += static_cast<char>(value);
    i += 2;
  }
  return out;
}

void set_xattr(PaxHeader& header, std::string name, std::string value) {
  const auto same =
      std::ranges::find(header.xattrs, name, &std::pair<std::string, std::string>::first);
  if (same != header.xattrs.end())
    same->second = std::move(value);
  else
    header.xattrs.emplace_back(std::move(name), std::move(value));
}

Result<void> take_xattr(PaxHeader& header, std::string_view name, std::string_view value) {
  if (name.empty() || name.find('\0') != std::string_view::npos)
    return malformed("extended attribute without a name");
  set_xattr(header, std::string(name), std::string(value));
  return {};
}

// The other spelling of the same thing; where both stand, SCHILY.xattr is raw and wins.
Result<void> take_encoded_xattr(PaxHeader& header, std::string_view name, std::string_view value) {
  const auto decoded_name = decode_percent(name);
  const auto decoded = decode_base64(value);
  if (!decoded_name || !decoded || decoded_name->empty()) return malformed("LIBARCHIVE.xattr");
  const bool known =
      std::ranges::find(header.xattrs, *decoded_name,
                        &std::pair<std::string, std::string>::first) != header.xattrs.end();
  if (!known) header.xattrs.emplace_back(*decoded_name, *decoded);
  return {};
}

Result<void> take_acl(PaxHeader& header, std::string_view xattr, std::string_view text) {
  const auto binary = acl_from_text(text);
  if (!binary) return malformed("access control list '" + std::string(text.substr(0, 80)) + "'");
  set_xattr(header, std::string(xattr), *binary);
  return {};
}

Result<std::uint64_t> number(std::string_view key, std::string_view value) {
  const auto parsed = parse_decimal(value);
  if (!parsed)
    return malformed(std::string(key) + " is no number: '" + std::string(value.substr(0, 40)) +
                     "'");
  return *parsed;
}

Result<void> take_sparse_map(PaxHeader& header, std::string_view text) {
  header.sparse_map.clear();
  while (!text.empty()) {
    std::array<std::uint64_t, 2> pair = {};
    for (std::uint64_t& value : pair) {
      const auto comma = text.find(',');
      value = TRY(number("GNU.sparse.map", text.substr(0, comma)));
      text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
    }
    if (header.sparse_map.size() == kMostExtents) return malformed("sparse map is too long");
    header.sparse_map.push_back({pair[0], pair[1]});
  }
  return {};
}

Result<void> take_sparse(PaxHeader& header, std::string_view key, std::string_view value) {
  header.sparse = true;
  if (key == "name") {
    header.sparse_name = value;
  } else if (key == "map") {
    return take_sparse_map(header, value);
  } else if (key == "major") {
    header.sparse_map_in_data = TRY(number(key, value)) == 1;
  } else if (key == "size" || key == "realsize") {
    header.sparse_real_size = TRY(number(key, value));
  } else if (key == "offset") {
    if (header.sparse_map.size() == kMostExtents) return malformed("sparse map is too long");
    header.sparse_map.push_back({TRY(number(key, value)), 0});
  } else if (key == "numbytes") {
    if (header.sparse_map.empty()) return malformed("GNU.sparse.numbytes without an offset");
    header.sparse_map.back().length = TRY(number(key, value));
  }
  return {};
}

Result<std::string> text_value(std::string_view key, std::string_view value) {
  if (value.find('\0') != std::string_view::npos) return malformed(std::string(key) + " has a NUL");
  return std::string(value);
}

Result<void> take_standard(PaxHeader& header, std::string_view key, std::string_view value) {
  // An empty value takes the record back.
  if (key == "path")
    header.path = value.empty() ? std::nullopt : std::optional(TRY(text_value(key, value)));
  else if (key == "linkpath")
    header.link = value.empty() ? std::nullopt : std::optional(TRY(text_value(key, value)));
  else if (key == "size")
    header.size = value.empty() ? std::nullopt : std::optional(TRY(number(key, value)));
  else if (key == "uid")
    header.uid = value.empty() ? std::nullopt : std::optional(TRY(number(key, value)));
  else if (key == "gid")
    header.gid = value.empty() ? std::nullopt : std::optional(TRY(number(key, value)));
  if (key != "mtime") return {};
  header.mtime = parse_time(value);
  if (!header.mtime && !value.empty()) return malformed("mtime is no time");
  return {};
}

Result<void> take(PaxHeader& header, std::string_view key, std::string_view value) {
  constexpr std::string_view kXattr = "SCHILY.xattr.";
  constexpr std::string_view kEncodedXattr = "LIBARCHIVE.xattr.";
  constexpr std::string_view kSparse = "GNU.sparse.";
  if (key.starts_with(kXattr)) return take_xattr(header, key.substr(kXattr.size()), value);
  if (key.starts_with(kEncodedXattr))
    return take_encoded_xattr(header, key.substr(kEncodedXattr.size()), value);
  if (key.starts_with(kSparse)) return take_sparse(header, key.substr(kSparse.size()), value);
  if (key == "SCHILY.acl.access") return take_acl(header, "system.posix_acl_access", value);
  if (key == "SCHILY.acl.default") return take_acl(header, "system.posix_acl_default", value);
  return take_standard(header, key, value);
}

}  // namespace

std::optional<std::uint64_t> parse_decimal(std::string_view text) {
  std::uint64_t value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || !is_digit(text[0]) || parsed.ec != std::errc() ||
      parsed.ptr != text.data() + text.size() || value > INT64_MAX)
    return std::nullopt;
  return value;
}

Result<void> parse_pax(std::string_view body, PaxHeader& header) {
  while (!body.empty()) {
    // Some writers pad the last block with NULs and count them as content.
    if (body.find_first_not_of('\0') == std::string_view::npos) return {};
    const auto space = body.find(' ');
    const auto length = parse_decimal(body.substr(0, std::min<std::size_t>(space, 20)));
    if (space == std::string_view::npos || !length || *length > body.size() ||
        *length < space + 3 || body[*length - 1] != '\n')
      return malformed("record length");
    const std::string_view record = body.substr(space + 1, *length - space - 2);
    const auto equals = record.find('=');
    if (equals == std::string_view::npos || equals == 0) return malformed("record without a key");
    TRY(take(header, record.substr(0, equals), record.substr(equals + 1)));
    body.remove_prefix(*length);
  }
  return {};
}
