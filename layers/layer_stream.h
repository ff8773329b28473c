// SPDX-License-Identifier: Apache-2.0
// layer_stream.h - a compressed layer as the stream of its tar, every digest
// verified on the way.
//
//   thread 1: read, hash what is read (blob digest), inflate
//   thread 2: hash what came out (diffID)
//   caller:   next() … finish()
//
// What next() gives is not verified yet: whoever writes it must make it visible
// only after finish() has agreed.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "common/fd.h"

#include "byte_stream.h"
#include "chunk_ring.h"
#include "decompress.h"
#include "digest.h"

struct LayerFacts {
  Digest blob;
  std::uint64_t blob_size = 0;
  Digest diff_id;
  std::uint64_t diff_size = 0;
  Compression compression = Compression::None;
};

// What the layer has to be; anything else is an error.
struct LayerExpectation {
  std::optional<Digest> blob = {};
  std::optional<std::uint64_t> blob_size = {};
  std::optional<Digest> diff_id = {};
  std::uint64_t diff_size_limit = std::uint64_t{1} << 40;  // a decompression bomb ends here
};

class LayerStream final : public ByteStream {
 public:
  // `copy`, when valid, gets the blob's bytes as they are read.
  LayerStream(std::unique_ptr<ByteStream> source, LayerExpectation expected,
              FdRef copy = FdRef(-1));
  ~LayerStream() override;

  Result<std::string_view> next(std::size_t most) override;
  // Takes what next() has not taken, and compares.
  Result<LayerFacts> finish();

 private:
  void produce();
  Result<void> inflate();
  Result<bool> fill(std::span<unsigned char> room, std::size_t& used);
  Result<void> refill();
  Result<std::unique_ptr<Decompressor>> choose();
  void hash();
  Result<void> verify(const LayerFacts& facts) const;

  std::unique_ptr<ByteStream> source_;
  LayerExpectation expected_;
  FdRef copy_;

  // Thread 1 only, until joined.
  std::string first_;       // bytes read to learn the format
  std::string_view input_;  // read, not yet inflated
  bool input_ended_ = false;
  Sha256 blob_hash_;
  std::uint64_t blob_size_ = 0;
  Compression compression_ = Compression::None;
  std::unique_ptr<Decompressor> decompressor_;

  // Thread 2 only, until joined.
  Sha256 diff_hash_;
  std::uint64_t diff_size_ = 0;

  std::string_view chunk_;  // the caller's place
  bool holds_chunk_ = false;

  ChunkRing ring_;
  std::thread producer_;
  std::thread hasher_;
};
