// SPDX-License-Identifier: Apache-2.0
#include "chunk_ring.h"

#include <algorithm>

namespace {
constexpr std::size_t index_of(ChunkRing::Consumer who) {
  return static_cast<std::size_t>(who);
}
}  // namespace

ChunkRing::ChunkRing() : memory_(new unsigned char[kChunkSize * kChunks]) {}

std::span<unsigned char> ChunkRing::room() {
  std::unique_lock lock(mutex_);
  moved_.wait(lock, [this] {
    return stopped_ || produced_ - std::min(consumed_[0], consumed_[1]) < kChunks;
  });
  if (stopped_) return {};
  return {memory_.get() + (produced_ % kChunks) * kChunkSize, kChunkSize};
}

void ChunkRing::publish(std::size_t size) {
  {
    const std::lock_guard lock(mutex_);
    sizes_[produced_ % kChunks] = size;
    ++produced_;
  }
  moved_.notify_all();
}

void ChunkRing::close(std::optional<Error> why) {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    error_ = std::move(why);
  }
  moved_.notify_all();
}

Result<std::string_view> ChunkRing::chunk(Consumer who) {
  const std::size_t me = index_of(who);
  std::unique_lock lock(mutex_);
  moved_.wait(lock, [&] { return stopped_ || closed_ || consumed_[me] < produced_; });
  if (consumed_[me] < produced_ && !stopped_) {
    const std::size_t slot = consumed_[me] % kChunks;
    const void* start = memory_.get() + slot * kChunkSize;
    return std::string_view(static_cast<const char*>(start), sizes_[slot]);
  }
  if (error_) return *error_;
  return std::string_view();
}

void ChunkRing::release(Consumer who) {
  {
    const std::lock_guard lock(mutex_);
    ++consumed_[index_of(who)];
  }
  moved_.notify_all();
}

void ChunkRing::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  moved_.notify_all();
}
