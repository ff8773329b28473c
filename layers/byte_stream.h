// SPDX-License-Identifier: Apache-2.0
// byte_stream.h - bytes in order, without a copy: the reader looks at them where
// the producer put them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

#include "common/result.h"

class ByteStream {
 public:
  ByteStream() = default;
  ByteStream(const ByteStream&) = delete;
  ByteStream& operator=(const ByteStream&) = delete;
  virtual ~ByteStream() = default;

  // At most `most` bytes, and fewer only where the producer's buffer ends; empty
  // at the end of the stream. Valid until the next call.
  virtual Result<std::string_view> next(std::size_t most) = 0;
};

class MemoryStream final : public ByteStream {
 public:
  explicit MemoryStream(std::string_view bytes) : rest_(bytes) {}
  Result<std::string_view> next(std::size_t most) override {
    const std::string_view piece = rest_.substr(0, most);
    rest_.remove_prefix(piece.size());
    return piece;
  }

 private:
  std::string_view rest_;
};
