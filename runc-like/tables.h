// SPDX-License-Identifier: Apache-2.0
// tables.h - one lookup for all the name tables, and the hint for a name that is
// nearly right.
#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

template <class Row, std::size_t N>
constexpr bool sorted_by_name(const std::array<Row, N>& table) {
  return std::ranges::adjacent_find(table, std::ranges::greater_equal{}, &Row::name) == table.end();
}

template <class Row, std::size_t N>
constexpr const Row* find_row(const std::array<Row, N>& table, std::string_view name) {
  const auto it = std::ranges::lower_bound(table, name, {}, &Row::name);
  return it != table.end() && it->name == name ? &*it : nullptr;
}

// How many letters apart two words are: changed, missing, extra or exchanged.
std::size_t distance(std::string_view a, std::string_view b);

// "; did you mean 'noexec'?", or nothing when no row comes near.
template <class Row, std::size_t N>
std::string did_you_mean(const std::array<Row, N>& table, std::string_view word) {
  const Row* best = nullptr;
  std::size_t least = 3;
  for (const Row& row : table) {
    const std::size_t d = distance(word, row.name);
    if (d >= least) continue;
    least = d;
    best = &row;
  }
  return best == nullptr ? "" : "; did you mean '" + std::string(best->name) + "'?";
}
