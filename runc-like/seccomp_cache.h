// SPDX-License-Identifier: Apache-2.0
// seccomp_cache.h - compiled filters on disk, found by the content of the profile.
//
// The name of an entry is a fast hash that anyone could collide with on purpose;
// so the entry holds the whole text that it was made from, and only an equal
// text is a hit. A directory or file that another user could have written is
// not read.
#pragma once

#include <linux/filter.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/fd.h"

class SeccompCache {
 public:
  // Nothing when the directory cannot be made or is not ours alone.
  static std::optional<SeccompCache> open(const std::string& path);

  // `text`: everything that decides the program.
  std::optional<std::vector<sock_filter>> find(std::string_view text) const;
  // Failures are ignored: the next start compiles again.
  void store(std::string_view text, const std::vector<sock_filter>& filter) const;

  static constexpr std::size_t kEntries = 64;  // at most; the oldest goes

 private:
  explicit SeccompCache(UniqueFd directory) : directory_(std::move(directory)) {}
  void make_room() const;
  UniqueFd directory_;
};
