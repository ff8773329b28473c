// SPDX-License-Identifier: Apache-2.0
#include "layer_output.h"

#include <array>

LayerOutput::LayerOutput(FdRef out, Compression compression)
    : out_(out), compression_(compression), compressor_(Compressor::create(compression)) {
  hasher_ = std::thread([this] { hash(); });
  compressor_thread_ = std::thread([this] { compress(); });
}

LayerOutput::~LayerOutput() {
  ring_.stop();
  if (hasher_.joinable()) hasher_.join();
  if (compressor_thread_.joinable()) compressor_thread_.join();
}

Result<std::span<unsigned char>> LayerOutput::room() {
  if (used_ < chunk_.size()) return chunk_.subspan(used_);
  used_ = 0;
  chunk_ = ring_.room();
  if (chunk_.empty()) TRY(failure());
  return chunk_;
}

void LayerOutput::filled(std::size_t size) {
  used_ += size;
  if (used_ == chunk_.size()) ring_.publish(used_);
}

// Why nobody takes any more bytes.
Result<void> LayerOutput::failure() {
  const std::lock_guard lock(mutex_);
  return error_ ? *error_ : Error{"write layer: ended early"};
}

void LayerOutput::hash() {
  for (;;) {
    const auto chunk = ring_.chunk(ChunkRing::Consumer::Hash);
    if (!chunk || chunk->empty()) return;
    diff_hash_.update(*chunk);
    diff_size_ += chunk->size();
    ring_.release(ChunkRing::Consumer::Hash);
  }
}

void LayerOutput::compress() {
  auto done = compress_all();
  if (done) return;
  {
    const std::lock_guard lock(mutex_);
    error_ = std::move(done).error();
  }
  ring_.stop();
}

Result<void> LayerOutput::compress_all() {
  for (;;) {
    const std::string_view chunk = TRY(ring_.chunk(ChunkRing::Consumer::Write));
    TRY(put(chunk, chunk.empty()));
    if (chunk.empty()) return {};
    ring_.release(ChunkRing::Consumer::Write);
  }
}

Result<void> LayerOutput::put(std::string_view bytes, bool last) {
  std::array<unsigned char, std::size_t{64} << 10> buffer;  // NOLINT: written before it is read
  for (;;) {
    const auto step = TRY(compressor_->run(bytes, last, buffer));
    bytes.remove_prefix(step.in);
    const void* start = buffer.data();
    const std::string_view made(static_cast<const char*>(start), step.out);
    blob_hash_.update(made);
    blob_size_ += made.size();
    TRY(write_all(out_, made, "layer"));
    if (last ? step.complete : bytes.empty() && step.out < buffer.size()) return {};
  }
}

Result<LayerFacts> LayerOutput::finish() {
  if (used_ != 0 && used_ < chunk_.size()) ring_.publish(used_);
  ring_.close(std::nullopt);
  hasher_.join();
  compressor_thread_.join();
  if (error_) return *error_;
  return LayerFacts{blob_hash_.finish(), blob_size_, diff_hash_.finish(), diff_size_, compression_};
}
