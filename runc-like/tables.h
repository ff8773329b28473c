// SPDX-License-Identifier: Apache-2.0
// tables.h - one lookup for all the name tables, and the hint for a name that is
// nearly right.
#pragma once

#include <algorithm>
#include <array>
#include <ranges>
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

// "; did you mean 'noexec'?", or nothing when no word comes near.
template <class Words>
std::string nearest_word(const Words& words, std::string_view word) {
  std::string_view best;
  std::size_t least = 3;
  for (const std::string_view known : words) {
    const std::size_t d = distance(word, known);
    if (d >= least) continue;
    least = d;
    best = known;
  }
  return best.empty() ? "" : "; did you mean '" + std::string(best) + "'?";
}

template <class Row, std::size_t N>
std::string did_you_mean(const std::array<Row, N>& table, std::string_view word) {
  return nearest_word(std::views::transform(table, &Row::name), word);
}
