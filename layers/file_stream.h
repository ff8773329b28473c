// SPDX-License-Identifier: Apache-2.0
// file_stream.h - a descriptor (file, pipe, standard input) as a ByteStream.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "common/fd.h"

#include "byte_stream.h"

class FileStream final : public ByteStream {
 public:
  FileStream(UniqueFd fd, std::string name) : fd_(std::move(fd)), name_(std::move(name)) {}
  Result<std::string_view> next(std::size_t most) override;
  // The first bytes, at least `least` of them unless the file is shorter; next() gives them again.
  Result<std::string_view> peek(std::size_t least);

 private:
  Result<bool> fill();

  static constexpr std::size_t kBuffer = std::size_t{256} << 10;

  UniqueFd fd_;
  std::string name_;
  std::unique_ptr<char[]> buffer_;  // NOLINT(modernize-avoid-c-arrays): never cleared
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};
