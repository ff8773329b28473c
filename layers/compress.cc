// SPDX-License-Identifier: Apache-2.0
#include "compress.h"

#include <isa-l/igzip_lib.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>

namespace {

using Out = std::span<unsigned char>;

class Plain final : public Compressor {
 public:
  Result<Progress> run(std::string_view in, bool last, Out out) override {
    const std::size_t n = std::min(in.size(), out.size());
    if (n != 0) std::memcpy(out.data(), in.data(), n);
    return Progress{n, n, last && n == in.size()};
  }
};

class Gzip final : public Compressor {
 public:
  Gzip() : buffer_(new unsigned char[ISAL_DEF_LVL2_DEFAULT]) {
    ::isal_deflate_init(stream_.get());
    stream_->gzip_flag = IGZIP_GZIP;
    stream_->level = 2;
    stream_->level_buf = buffer_.get();
    stream_->level_buf_size = ISAL_DEF_LVL2_DEFAULT;
  }
  Result<Progress> run(std::string_view in, bool last, Out out) override {
    static unsigned char none = 0;
    const void* start = in.data();
    // The library reads only; its interface has no const.
    stream_->next_in = in.empty() ? &none
                                  : const_cast<unsigned char*>(  // NOLINT
                                        static_cast<const unsigned char*>(start));
    stream_->avail_in = static_cast<std::uint32_t>(in.size());
    stream_->end_of_stream = last ? 1 : 0;
    stream_->flush = NO_FLUSH;
    stream_->next_out = out.data();
    stream_->avail_out = static_cast<std::uint32_t>(out.size());
    if (const int result = ::isal_deflate(stream_.get()); result != COMP_OK)
      return Error{"compress gzip: error " + std::to_string(result)};
    return Progress{in.size() - stream_->avail_in, out.size() - stream_->avail_out,
                    last && stream_->internal_state.state == ZSTATE_END};
  }

 private:
  std::unique_ptr<isal_zstream> stream_ = std::make_unique<isal_zstream>();
  std::unique_ptr<unsigned char[]> buffer_;  // NOLINT(modernize-avoid-c-arrays): never cleared
};

class Zstd final : public Compressor {
 public:
  Zstd() : stream_(::ZSTD_createCCtx()) {
    if (!stream_) std::abort();  // no memory
    (void)::ZSTD_CCtx_setParameter(stream_.get(), ZSTD_c_compressionLevel, 3);
    (void)::ZSTD_CCtx_setParameter(stream_.get(), ZSTD_c_checksumFlag, 1);
  }
  Result<Progress> run(std::string_view in, bool last, Out out) override {
    ZSTD_inBuffer from = {in.data(), in.size(), 0};
    ZSTD_outBuffer to = {out.data(), out.size(), 0};
    const std::size_t left =
        ::ZSTD_compressStream2(stream_.get(), &to, &from, last ? ZSTD_e_end : ZSTD_e_continue);
    if (::ZSTD_isError(left) != 0)
      return Error{"compress zstd: " + std::string(::ZSTD_getErrorName(left))};
    return Progress{from.pos, to.pos, last && left == 0};
  }

 private:
  struct Free {
    void operator()(ZSTD_CCtx* context) const noexcept { (void)::ZSTD_freeCCtx(context); }
  };
  std::unique_ptr<ZSTD_CCtx, Free> stream_;
};

}  // namespace

std::unique_ptr<Compressor> Compressor::create(Compression format) {
  if (format == Compression::Gzip) return std::make_unique<Gzip>();
  if (format == Compression::Zstd) return std::make_unique<Zstd>();
  return std::make_unique<Plain>();
}

Result<Compression> parse_compression(std::string_view text) {
  for (const Compression format : {Compression::None, Compression::Gzip, Compression::Zstd})
    if (text == name_of(format)) return format;
  return Error{"compression '" + std::string(text) + "': expected gzip, zstd or none"};
}
