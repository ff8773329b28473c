// SPDX-License-Identifier: Apache-2.0
// chunk_ring.h - one thread fills chunks, two others look at each of them.
//
//   producer (inflate) ──▶ [chunk][chunk][chunk][chunk] ──▶ Hash, Write
//
// A chunk is free again when both consumers have let it go. Every chunk but the
// last is full, so what is aligned in the stream (tar's 512-byte blocks) is
// aligned in a chunk and never lies across two.
#pragma once

#include <array>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "common/result.h"

class ChunkRing {
 public:
  enum class Consumer { Hash, Write };

  static constexpr std::size_t kChunkSize = std::size_t{256} << 10;
  static constexpr std::size_t kChunks = 24;

  ChunkRing();

  // Producer: waits for a free chunk; empty when the consumers want no more.
  std::span<unsigned char> room();
  void publish(std::size_t size);        // the chunk that room() gave
  void close(std::optional<Error> why);  // the end of the stream, or why it broke

  // Consumer: the chunk at its place, which release() moves on; empty at the end.
  Result<std::string_view> chunk(Consumer who);
  void release(Consumer who);
  // The consumers give up: the producer's next room() is empty.
  void stop();

 private:
  std::unique_ptr<unsigned char[]> memory_;  // NOLINT(modernize-avoid-c-arrays): never cleared
  std::array<std::size_t, kChunks> sizes_ = {};
  std::mutex mutex_;
  std::condition_variable moved_;
  std::uint64_t produced_ = 0;
  std::array<std::uint64_t, 2> consumed_ = {};
  bool closed_ = false;
  bool stopped_ = false;
  std::optional<Error> error_;
};
