// SPDX-License-Identifier: Apache-2.0
// tar_reader.h - reads every tar that image tools write: V7, ustar, pax, GNU
// (long names, base-256 numbers, sparse files), star.
//
// Nothing is guessed and nothing skipped in silence: what is malformed ends the
// reading with an error that names the member and its offset in the archive.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/result.h"

#include "byte_stream.h"
#include "pax.h"
#include "tar_entry.h"

class TarReader {
 public:
  static constexpr std::size_t kBlock = 512;
  using Block = std::array<char, kBlock>;

  explicit TarReader(ByteStream& stream) : stream_(&stream) {}

  // The next member into `entry` (whose memory is used again); false at the end.
  Result<bool> next(TarEntry& entry);
  // The member's data, piece by piece; empty at its end.
  Result<std::string_view> data() { return data_at_most(UINT64_MAX); }
  Result<std::string_view> data_at_most(std::uint64_t most);

 private:
  Result<bool> read_block();
  Result<std::string_view> read_exactly_some(std::size_t most);
  Result<void> skip(std::uint64_t bytes);
  Result<void> skip_padding();
  Result<bool> next_header();
  Result<std::string> read_body(std::string_view what);
  Result<bool> extension();
  Result<void> fill(TarEntry& entry);
  Result<void> fill_name(TarEntry& entry);
  Result<void> fill_numbers(TarEntry& entry);
  Result<void> fill_type(TarEntry& entry);
  Result<void> fill_sparse(TarEntry& entry);
  Result<void> read_gnu_map(TarEntry& entry);
  Result<void> read_map_in_data(TarEntry& entry);
  Error at_member(Error error) const;

  std::string_view field(std::size_t offset, std::size_t size) const {
    return std::string_view(block_.data() + offset, size);
  }

  ByteStream* stream_;
  Block block_ = {};
  std::uint64_t offset_ = 0;   // in the archive
  std::uint64_t data_ = 0;     // bytes of the member not yet given out
  std::uint64_t padding_ = 0;  // after them
  std::optional<std::string> long_name_;
  std::optional<std::string> long_link_;
  PaxHeader pax_;
  std::string name_;  // of the member, for errors
};

// A numeric field: octal digits with blanks around them, or base-256 when the
// first byte has its top bit set. Nothing when it is neither.
std::optional<std::int64_t> parse_tar_number(std::string_view field);
