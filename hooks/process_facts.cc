// SPDX-License-Identifier: Apache-2.0
#include "process_facts.h"

#include <unistd.h>

#include <charconv>
#include <string>

#include "common/fd.h"

std::optional<std::uint64_t> start_ticks(std::string_view stat) {
  std::size_t at = stat.rfind(')');
  for (int field = 2; field < 22; ++field) {
    if (at == std::string_view::npos) return std::nullopt;
    at = stat.find(' ', at + 1);
  }
  if (at == std::string_view::npos) return std::nullopt;
  std::uint64_t ticks = 0;
  const auto [end, failed] =
      std::from_chars(stat.data() + at + 1, stat.data() + stat.size(), ticks);
  if (failed != std::errc()) return std::nullopt;
  return ticks;
}

bool has_ended(std::string_view stat) {
  const std::size_t name_end = stat.rfind(") ");
  if (name_end == std::string_view::npos || name_end + 2 >= stat.size()) return true;
  const char state = stat[name_end + 2];
  return state == 'Z' || state == 'X';
}

std::optional<std::int64_t> process_born(pid_t pid) {
  if (pid <= 0) return std::nullopt;
  const auto text = read_file("/proc/" + std::to_string(pid) + "/stat", 4096);
  const auto ticks = text ? start_ticks(*text) : std::nullopt;
  const long per_second = ::sysconf(_SC_CLK_TCK);
  if (!ticks || per_second <= 0) return std::nullopt;
  return static_cast<std::int64_t>(*ticks) * 1'000'000 / per_second;
}
