// SPDX-License-Identifier: Apache-2.0
#include "closest.h"

#include <algorithm>
#include <numeric>

namespace {

// Insertions, deletions and replacements that turn one into the other.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

}  // namespace

std::string closest(std::string_view wanted, const std::vector<std::string>& words) {
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(2, wanted.size() / 4) + 1;
  for (const std::string& word : words) {
    const std::size_t d = distance(wanted, word);
    if (d >= best_distance) continue;
    best = word;
    best_distance = d;
  }
  return best;
}
