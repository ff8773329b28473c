// SPDX-License-Identifier: Apache-2.0
// byte_sink.h - where bytes go, without a copy: the writer puts them where the
// consumer reads them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <span>
#include <string_view>

#include "common/result.h"

class ByteSink {
 public:
  ByteSink() = default;
  ByteSink(const ByteSink&) = delete;
  ByteSink& operator=(const ByteSink&) = delete;
  virtual ~ByteSink() = default;

  // Where the next bytes belong: at least one. Valid until filled().
  virtual Result<std::span<unsigned char>> room() = 0;
  // So many of them are there now.
  virtual void filled(std::size_t size) = 0;

  Result<void> write(std::string_view bytes) {
    while (!bytes.empty()) {
      const std::span<unsigned char> place = TRY(room());
      const std::size_t n = std::min(place.size(), bytes.size());
      std::memcpy(place.data(), bytes.data(), n);
      filled(n);
      bytes.remove_prefix(n);
    }
    return {};
  }
};
