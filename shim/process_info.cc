// SPDX-License-Identifier: Apache-2.0
#include "process_info.h"

#include <charconv>
#include <string>

#include "common/fd.h"

std::optional<std::uint64_t> start_of_process(pid_t pid) {
  constexpr int kState = 3;
  constexpr int kStart = 22;  // fields of proc(5), counted from 1
  const auto text = read_file("/proc/" + std::to_string(pid) + "/stat", 4096);
  if (!text) return std::nullopt;
  // The second field, the name, may hold anything, also blanks and parentheses.
  std::string_view rest = *text;
  const auto name_end = rest.rfind(')');
  if (name_end == std::string_view::npos) return std::nullopt;
  rest.remove_prefix(name_end + 1);
  for (int field = kState; field <= kStart; ++field) {
    const auto begin = rest.find_first_not_of(' ');
    if (begin == std::string_view::npos) return std::nullopt;
    rest.remove_prefix(begin);
    if (field == kState && (rest.front() == 'Z' || rest.front() == 'X')) return std::nullopt;
    if (field == kStart) break;
    rest.remove_prefix(std::min(rest.find(' '), rest.size()));
  }
  std::uint64_t start = 0;
  const auto [end, failed] = std::from_chars(rest.data(), rest.data() + rest.size(), start);
  return failed == std::errc() ? std::optional(start) : std::nullopt;
}
