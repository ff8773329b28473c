// SPDX-License-Identifier: Apache-2.0
#include "options.h"

#include <array>
#include <charconv>
#include <cstdio>
#include <cstdlib>

std::string store_path(const Arguments& arguments) {
  const char* environment = std::getenv("LAYERS_STORE");  // NOLINT(concurrency-mt-unsafe): at start
  std::string path = arguments.global.value_or(
      "store", environment != nullptr && *environment != '\0' ? environment : "/var/lib/layers");
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  if (path.starts_with('/')) return path;
  std::array<char, 4096> cwd = {};
  if (::getcwd(cwd.data(), cwd.size()) == nullptr) return path;
  return std::string(cwd.data()) + "/" + path;
}

Result<Store> open_store(const Arguments& arguments) {
  return Store::open(store_path(arguments));
}

EventLog open_events(const Arguments& arguments) {
  return EventLog::open("layers", arguments.global.value_or("events", ""));
}

Result<Platform> platform_option(const Options& options) {
  const auto text = options.value("platform");
  return text ? parse_platform(*text) : Result<Platform>(host_platform());
}

Result<UnpackLimits> unpack_limits(const Options& options) {
  UnpackLimits limits;
  if (const auto size = options.value("max-size")) limits.most_bytes = TRY(parse_bytes(*size));
  if (const auto entries = options.value("max-entries")) {
    const auto count = parse_integer(*entries);
    if (!count || *count < 1) return Error{"--max-entries '" + *entries + "': expected a number"};
    limits.most_entries = static_cast<std::uint64_t>(*count);
  }
  return limits;
}

Result<std::uint64_t> parse_bytes(std::string_view text) {
  constexpr std::string_view kUnits = "bkmgt";
  std::string_view digits = text;
  unsigned shift = 0;
  if (!digits.empty()) {
    const char last = static_cast<char>(digits.back() | 0x20);
    const auto unit = kUnits.find(last);
    if (unit != std::string_view::npos) {
      shift = static_cast<unsigned>(10 * unit);
      digits.remove_suffix(1);
    }
  }
  double value = 0;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  const double bytes = value * static_cast<double>(std::uint64_t{1} << shift);
  if (digits.empty() || parsed.ec != std::errc() || parsed.ptr != digits.data() + digits.size() ||
      bytes < 0 || bytes > 9e18)
    return Error{"'" + std::string(text) + "' is no size", 0, "write it like 512m or 1.5g"};
  return static_cast<std::uint64_t>(bytes);
}

std::string human_size(std::uint64_t bytes) {
  constexpr auto kUnits = std::to_array<const char*>({"B", "kB", "MB", "GB", "TB", "PB", "EB"});
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; value >= 1000 && unit + 1 < kUnits.size(); ++unit) value /= 1000;
  std::array<char, 32> out = {};
  (void)std::snprintf(out.data(), out.size(), unit == 0 ? "%.0f %s" : "%.1f %s", value,
                      kUnits[unit]);
  return out.data();
}
