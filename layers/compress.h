// SPDX-License-Identifier: Apache-2.0
// compress.h - what decompress.h reads, written: gzip by ISA-L, zstd by libzstd.
//
// The same input in the same pieces gives the same output, on every machine that
// has the same library: layers keep their digest when nothing has changed.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "common/result.h"

#include "decompress.h"

class Compressor {
 public:
  struct Progress {
    std::size_t in = 0;
    std::size_t out = 0;
    bool complete = false;  // `last` was said and nothing is left inside
  };

  // None, Gzip or Zstd.
  static std::unique_ptr<Compressor> create(Compression format);
  Compressor() = default;
  Compressor(const Compressor&) = delete;
  Compressor& operator=(const Compressor&) = delete;
  virtual ~Compressor() = default;

  // Takes and gives as much as it can; `last`: nothing follows `in`.
  virtual Result<Progress> run(std::string_view in, bool last, std::span<unsigned char> out) = 0;
};

// "gzip", "zstd" or "none", as the user writes it.
Result<Compression> parse_compression(std::string_view text);
