// SPDX-License-Identifier: Apache-2.0
#include "decompress.h"

#include <bzlib.h>
#include <isa-l/igzip_lib.h>
#include <lzma.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace {

using In = std::span<const unsigned char>;
using Out = std::span<unsigned char>;

// Libraries count in 32 bits; we never hand them more than this at once.
constexpr std::size_t kMost = std::size_t{1} << 30;

Error broken(std::string_view format, std::string_view why) {
  return Error{"decompress " + std::string(format) + ": " + std::string(why)};
}

// For formats whose streams may follow one another: what the bytes between two
// of them are. Only NULs (padding to a block size) are accepted besides a new
// stream; a second meaning of the same bytes is how two readers are set at odds.
class Streams {
 public:
  bool between() const { return between_; }
  void ended() {
    between_ = true;
    any_ = true;
  }
  bool complete() const { return between_ && any_; }

  // How many bytes of `in` are padding; at a byte that begins a stream it leaves
  // the state between streams.
  Result<std::size_t> skip(In in, unsigned char first_of_magic, std::string_view format) {
    std::size_t n = 0;
    while (n < in.size() && in[n] == 0 && any_) {
      padded_ = true;
      ++n;
    }
    if (n == in.size()) return n;
    if (padded_ || (in[n] != first_of_magic && any_))
      return broken(format, "unexpected bytes after the end of the stream");
    between_ = false;
    return n;
  }

 private:
  bool between_ = true;
  bool any_ = false;
  bool padded_ = false;
};

class Plain final : public Decompressor {
 public:
  Result<Progress> run(In in, Out out) override {
    const std::size_t n = std::min(in.size(), out.size());
    std::memcpy(out.data(), in.data(), n);
    return Progress{n, n};
  }
  bool complete() const override { return true; }
};

class Gzip final : public Decompressor {
 public:
  Result<Progress> run(In in, Out out) override {
    Progress total;
    while (total.in < in.size() && total.out < out.size()) {
      if (streams_.between()) {
        total.in += TRY(streams_.skip(in.subspan(total.in), 0x1f, "gzip"));
        if (streams_.between()) break;
        ::isal_inflate_init(state_.get());
        state_->crc_flag = ISAL_GZIP;
      }
      const Progress step = TRY(member(in.subspan(total.in), out.subspan(total.out)));
      total.in += step.in;
      total.out += step.out;
      if (step.in == 0 && step.out == 0) break;
    }
    // What was decoded but did not fit comes out although no input is left.
    if (in.empty() && !streams_.between()) total = TRY(member(in, out));
    return total;
  }
  bool complete() const override { return streams_.complete(); }

 private:
  Result<Progress> member(In in, Out out) {
    static unsigned char none = 0;
    const auto size = static_cast<std::uint32_t>(std::min(in.size(), kMost));
    const auto room = static_cast<std::uint32_t>(std::min(out.size(), kMost));
    // The library reads only; its interface has no const.
    state_->next_in = in.empty() ? &none : const_cast<unsigned char*>(in.data());  // NOLINT
    state_->avail_in = size;
    state_->next_out = out.data();
    state_->avail_out = room;
    const int result = ::isal_inflate(state_.get());
    if (result < 0)
      return broken("gzip",
                    result == ISAL_INCORRECT_CHECKSUM ? "checksum does not match" : "invalid data");
    if (state_->block_state == ISAL_BLOCK_FINISH) streams_.ended();
    return Progress{size - state_->avail_in, room - state_->avail_out};
  }

  std::unique_ptr<inflate_state> state_ = std::make_unique<inflate_state>();
  Streams streams_;
};

class Zstd final : public Decompressor {
 public:
  Zstd() : stream_(::ZSTD_createDStream()) {
    if (!stream_) std::abort();  // no memory
    // A window of 128 MiB is what the command line accepts too; more would let
    // a few bytes claim gigabytes.
    ::ZSTD_DCtx_setParameter(stream_.get(), ZSTD_d_windowLogMax, 27);
  }
  Result<Progress> run(In in, Out out) override {
    ZSTD_inBuffer input{in.data(), in.size(), 0};
    ZSTD_outBuffer output{out.data(), out.size(), 0};
    const std::size_t left = ::ZSTD_decompressStream(stream_.get(), &output, &input);
    if (::ZSTD_isError(left) != 0) return broken("zstd", ::ZSTD_getErrorName(left));
    // Asked again with nothing, the library would name the size of a next frame's header.
    if (input.pos != 0 || output.pos != 0) at_frame_end_ = left == 0;
    return Progress{input.pos, output.pos};
  }
  bool complete() const override { return at_frame_end_; }

 private:
  struct Free {
    void operator()(ZSTD_DStream* s) const noexcept { ::ZSTD_freeDStream(s); }
  };
  std::unique_ptr<ZSTD_DStream, Free> stream_;
  bool at_frame_end_ = false;
};

class Xz final : public Decompressor {
 public:
  Xz() {
    constexpr std::uint64_t kMemory = std::uint64_t{256} << 20;
    if (::lzma_stream_decoder(&stream_, kMemory, LZMA_CONCATENATED) != LZMA_OK) std::abort();
  }
  Xz(const Xz&) = delete;
  Xz& operator=(const Xz&) = delete;
  ~Xz() override { ::lzma_end(&stream_); }
  Result<Progress> run(In in, Out out) override {
    stream_.next_in = in.data();
    stream_.avail_in = in.size();
    stream_.next_out = out.data();
    stream_.avail_out = out.size();
    // Concatenated streams end only where the input does, which an empty input says.
    const lzma_ret result = ::lzma_code(&stream_, in.empty() ? LZMA_FINISH : LZMA_RUN);
    if (result == LZMA_STREAM_END) done_ = true;
    if (result == LZMA_MEMLIMIT_ERROR) return broken("xz", "needs more than 256 MiB of memory");
    if (result != LZMA_OK && result != LZMA_STREAM_END && result != LZMA_BUF_ERROR)
      return broken("xz", "invalid data");
    return Progress{in.size() - stream_.avail_in, out.size() - stream_.avail_out};
  }
  bool complete() const override { return done_; }

 private:
  lzma_stream stream_ = LZMA_STREAM_INIT;
  bool done_ = false;
};

class Bzip2 final : public Decompressor {
 public:
  Bzip2() = default;
  Bzip2(const Bzip2&) = delete;
  Bzip2& operator=(const Bzip2&) = delete;
  ~Bzip2() override { (void)::BZ2_bzDecompressEnd(&stream_); }
  Result<Progress> run(In in, Out out) override {
    Progress total;
    while (total.in < in.size() && total.out < out.size()) {
      if (streams_.between()) {
        total.in += TRY(streams_.skip(in.subspan(total.in), 'B', "bzip2"));
        if (streams_.between()) break;
        restart();
      }
      const Progress step = TRY(stream(in.subspan(total.in), out.subspan(total.out)));
      total.in += step.in;
      total.out += step.out;
      if (step.in == 0 && step.out == 0) break;
    }
    if (in.empty() && !streams_.between()) total = TRY(stream(in, out));
    return total;
  }
  bool complete() const override { return streams_.complete(); }

 private:
  void restart() {
    (void)::BZ2_bzDecompressEnd(&stream_);
    stream_ = {};
    if (::BZ2_bzDecompressInit(&stream_, 0, 0) != BZ_OK) std::abort();
  }
  Result<Progress> stream(In in, Out out) {
    const auto size = static_cast<unsigned>(std::min(in.size(), kMost));
    const auto room = static_cast<unsigned>(std::min(out.size(), kMost));
    // The library reads only; its interface has neither const nor unsigned.
    stream_.next_in = const_cast<char*>(reinterpret_cast<const char*>(in.data()));  // NOLINT
    stream_.avail_in = size;
    stream_.next_out = reinterpret_cast<char*>(out.data());  // NOLINT
    stream_.avail_out = room;
    const int result = ::BZ2_bzDecompress(&stream_);
    if (result == BZ_STREAM_END)
      streams_.ended();
    else if (result != BZ_OK)
      return broken("bzip2", "invalid data");
    return Progress{size - stream_.avail_in, room - stream_.avail_out};
  }

  bz_stream stream_ = {};
  Streams streams_;
};

struct Magic {
  Compression format;
  std::string_view bytes;
};
constexpr auto kMagics = std::to_array<Magic>({
    {Compression::Gzip, "\x1f\x8b\x08"},
    {Compression::Zstd, "\x28\xb5\x2f\xfd"},
    {Compression::Xz, {"\xfd\x37zXZ\0", 6}},
    {Compression::Bzip2, "BZh"},
});

}  // namespace

Compression compression_of(std::string_view first) {
  for (const Magic& magic : kMagics)
    if (first.starts_with(magic.bytes)) return magic.format;
  // A skippable zstd frame: 0x184D2A50 to 0x184D2A5F, little-endian.
  if (first.size() >= 4 && (static_cast<unsigned char>(first[0]) & 0xf0U) == 0x50 &&
      first.substr(1, 3) == "\x2a\x4d\x18")
    return Compression::Zstd;
  return Compression::None;
}

std::string_view name_of(Compression format) {
  switch (format) {
    case Compression::None:
      return "none";
    case Compression::Gzip:
      return "gzip";
    case Compression::Zstd:
      return "zstd";
    case Compression::Xz:
      return "xz";
    case Compression::Bzip2:
      return "bzip2";
  }
  return "none";
}

std::unique_ptr<Decompressor> Decompressor::create(Compression format) {
  switch (format) {
    case Compression::Gzip:
      return std::make_unique<Gzip>();
    case Compression::Zstd:
      return std::make_unique<Zstd>();
    case Compression::Xz:
      return std::make_unique<Xz>();
    case Compression::Bzip2:
      return std::make_unique<Bzip2>();
    case Compression::None:
      break;
  }
  return std::make_unique<Plain>();
}
