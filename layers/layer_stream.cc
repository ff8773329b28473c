// SPDX-License-Identifier: Apache-2.0
#include "layer_stream.h"

#include <cerrno>

namespace {

std::span<const unsigned char> bytes(std::string_view text) {
  const void* start = text.data();
  return {static_cast<const unsigned char*>(start), text.size()};
}

Error differs(std::string_view what, const std::string& expected, const std::string& found) {
  return Error{std::string(what) + " does not match: expected " + expected + ", found " + found, 0,
               "the data is damaged or not what the manifest means; fetch it again"};
}

}  // namespace

LayerStream::LayerStream(std::unique_ptr<ByteStream> source, LayerExpectation expected, FdRef copy)
    : source_(std::move(source)), expected_(std::move(expected)), copy_(copy) {
  producer_ = std::thread([this] { produce(); });
  hasher_ = std::thread([this] { hash(); });
}

LayerStream::~LayerStream() {
  ring_.stop();
  if (producer_.joinable()) producer_.join();
  if (hasher_.joinable()) hasher_.join();
}

void LayerStream::produce() {
  Result<void> done = inflate();
  if (done)
    ring_.close(std::nullopt);
  else
    ring_.close(std::move(done).error());
}

// The next piece of the blob into input_, hashed and copied.
Result<void> LayerStream::refill() {
  input_ = TRY(source_->next(static_cast<std::size_t>(-1)));
  if (input_.empty()) {
    input_ended_ = true;
    return {};
  }
  blob_hash_.update(input_);
  blob_size_ += input_.size();
  if (expected_.blob_size && blob_size_ > *expected_.blob_size)
    return Error{"blob is longer than the " + std::to_string(*expected_.blob_size) +
                 " bytes that its descriptor says"};
  if (copy_.get() >= 0) TRY(write_all(copy_, input_, "blob"));
  return {};
}

Result<std::unique_ptr<Decompressor>> LayerStream::choose() {
  while (first_.size() < kMagicSize && !input_ended_) {
    TRY(refill());
    first_.append(input_);
  }
  input_ = first_;
  compression_ = compression_of(input_);
  return Decompressor::create(compression_);
}

// One chunk; true when the stream is at its end.
Result<bool> LayerStream::fill(std::span<unsigned char> room, std::size_t& used) {
  while (used < room.size()) {
    if (input_.empty() && !input_ended_) TRY(refill());
    const auto step = TRY(decompressor_->run(bytes(input_), room.subspan(used)));
    input_.remove_prefix(step.in);
    used += step.out;
    if (step.in != 0 || step.out != 0 || !input_ended_) continue;
    if (!decompressor_->complete() || !input_.empty())
      return Error{"decompress " + std::string(name_of(compression_)) +
                   ": the data ends too early: the blob is truncated"};
    return true;
  }
  return false;
}

Result<void> LayerStream::inflate() {
  decompressor_ = TRY(choose());
  std::uint64_t total = 0;
  for (bool end = false; !end;) {
    const std::span<unsigned char> room = ring_.room();
    if (room.empty()) return {};  // nobody listens any more
    std::size_t used = 0;
    end = TRY(fill(room, used));
    total += used;
    if (total > expected_.diff_size_limit)
      return Error{"decompressed data exceeds the limit of " +
                       std::to_string(expected_.diff_size_limit) + " bytes",
                   EFBIG, "raise it with --max-size if the image is trusted"};
    if (used != 0) ring_.publish(used);
  }
  return {};
}

void LayerStream::hash() {
  for (;;) {
    const auto chunk = ring_.chunk(ChunkRing::Consumer::Hash);
    if (!chunk || chunk->empty()) return;
    diff_hash_.update(*chunk);
    diff_size_ += chunk->size();
    ring_.release(ChunkRing::Consumer::Hash);
  }
}

Result<std::string_view> LayerStream::next(std::size_t most) {
  if (chunk_.empty()) {
    if (holds_chunk_) ring_.release(ChunkRing::Consumer::Write);
    holds_chunk_ = false;
    chunk_ = TRY(ring_.chunk(ChunkRing::Consumer::Write));
    if (chunk_.empty()) return chunk_;
    holds_chunk_ = true;
  }
  const std::string_view piece = chunk_.substr(0, most);
  chunk_.remove_prefix(piece.size());
  return piece;
}

Result<LayerFacts> LayerStream::finish() {
  while (!TRY(next(ChunkRing::kChunkSize)).empty()) {
  }
  producer_.join();
  hasher_.join();
  LayerFacts facts{blob_hash_.finish(), blob_size_, diff_hash_.finish(), diff_size_, compression_};
  TRY(verify(facts));
  return facts;
}

Result<void> LayerStream::verify(const LayerFacts& facts) const {
  if (expected_.blob_size && *expected_.blob_size != facts.blob_size)
    return differs("size", std::to_string(*expected_.blob_size), std::to_string(facts.blob_size));
  if (expected_.blob && *expected_.blob != facts.blob)
    return differs("digest", expected_.blob->text(), facts.blob.text());
  if (expected_.diff_id && *expected_.diff_id != facts.diff_id)
    return differs("diffID", expected_.diff_id->text(), facts.diff_id.text());
  return {};
}
