// SPDX-License-Identifier: Apache-2.0
// decompress.h - one interface over the formats that layers come in.
//
// What a blob is compressed with is decided by its first bytes: media types and
// file names lie. Everything happens in this process; no helper is ever run.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

#include "common/result.h"

enum class Compression { None, Gzip, Zstd, Xz, Bzip2 };

inline constexpr std::size_t kMagicSize = 6;  // as many first bytes as the question needs
Compression compression_of(std::string_view first_bytes);
std::string_view name_of(Compression format);

class Decompressor {
 public:
  struct Progress {
    std::size_t in = 0;   // bytes taken from the input
    std::size_t out = 0;  // bytes put into the output
  };

  static std::unique_ptr<Decompressor> create(Compression format);
  Decompressor() = default;
  Decompressor(const Decompressor&) = delete;
  Decompressor& operator=(const Decompressor&) = delete;
  virtual ~Decompressor() = default;

  // Takes and gives as much as it can. Streams that follow one another (gzip
  // members, zstd frames) are one; NUL bytes after the last are padding.
  virtual Result<Progress> run(std::span<const unsigned char> in, std::span<unsigned char> out) = 0;
  // Whether the input may end here.
  virtual bool complete() const = 0;
};
