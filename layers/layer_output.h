// SPDX-License-Identifier: Apache-2.0
// layer_output.h - a layer's tar on its way to a file: the reverse of layer_stream.h.
//
//   caller:   the tar's bytes
//   thread 1: hash them (diffID)
//   thread 2: compress, hash what came out (blob digest), write
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <thread>

#include "common/fd.h"

#include "byte_sink.h"
#include "chunk_ring.h"
#include "compress.h"
#include "decompress.h"
#include "layer_stream.h"

class LayerOutput final : public ByteSink {
 public:
  // `out` gets the compressed bytes; it must live as long as this.
  LayerOutput(FdRef out, Compression compression);
  ~LayerOutput() override;

  Result<std::span<unsigned char>> room() override;
  void filled(std::size_t size) override;
  // After the last byte.
  Result<LayerFacts> finish();

 private:
  void hash();
  void compress();
  Result<void> compress_all();
  Result<void> put(std::string_view bytes, bool last);
  Result<void> failure();

  FdRef out_;
  Compression compression_;
  std::unique_ptr<Compressor> compressor_;
  std::span<unsigned char> chunk_;
  std::size_t used_ = 0;

  Sha256 diff_hash_;  // thread 1 only, until joined
  std::uint64_t diff_size_ = 0;
  Sha256 blob_hash_;  // thread 2 only, until joined
  std::uint64_t blob_size_ = 0;

  std::mutex mutex_;
  std::optional<Error> error_;

  ChunkRing ring_;
  std::thread hasher_;
  std::thread compressor_thread_;
};
