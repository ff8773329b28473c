// SPDX-License-Identifier: Apache-2.0
#include "log_compression.h"

#include <sys/resource.h>
#include <unistd.h>
#include <zstd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <vector>

namespace {

constexpr std::uint32_t kSkippable = 0x184D2A5CU;  // one of zstd's sixteen numbers for such frames
constexpr std::size_t kHeaderSize = 16;            // number, size of what follows (8), inode
constexpr int kLevel = 3;
constexpr int kWindow = 18;  // 256 KiB: log lines repeat soon

void put(std::array<char, kHeaderSize>& to, std::size_t at, std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i, value >>= 8U) to.at(at++) = static_cast<char>(value & 0xffU);
}

std::uint64_t get(const std::array<char, kHeaderSize>& from, std::size_t at, int bytes) {
  std::uint64_t value = 0;
  for (int i = bytes; i-- > 0;)
    value = value << 8U | static_cast<unsigned char>(from.at(at + static_cast<std::size_t>(i)));
  return value;
}

struct Deleter {
  void operator()(ZSTD_CCtx* context) const { (void)ZSTD_freeCCtx(context); }
  void operator()(ZSTD_DCtx* context) const { (void)ZSTD_freeDCtx(context); }
};

Error zstd_error(std::size_t code, const std::string& what) {
  return Error{what + ": " + ZSTD_getErrorName(code)};
}

Result<std::size_t> read_some(FdRef fd, char* to, std::size_t size, const std::string& name) {
  for (;;) {
    const ssize_t n = ::read(fd.get(), to, size);
    if (n >= 0) return static_cast<std::size_t>(n);
    if (errno != EINTR) return errno_error("read", name);
  }
}

}  // namespace

Result<void> compress_log(ino_t inode) {
  (void)::setpriority(PRIO_PROCESS, 0, 19);
  const FdRef in(STDIN_FILENO);
  const FdRef out(STDOUT_FILENO);
  std::array<char, kHeaderSize> header = {};
  put(header, 0, kSkippable, 4);
  put(header, 4, 8, 4);
  put(header, 8, inode, 8);
  TRY(write_all(out, {header.data(), header.size()}, "compressed log"));
  const std::unique_ptr<ZSTD_CCtx, Deleter> context(ZSTD_createCCtx());
  if (!context) return Error{"compress log", ENOMEM};
  (void)ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, kLevel);
  (void)ZSTD_CCtx_setParameter(context.get(), ZSTD_c_windowLog, kWindow);
  (void)ZSTD_CCtx_setParameter(context.get(), ZSTD_c_checksumFlag, 1);
  std::vector<char> plain(ZSTD_CStreamInSize());
  std::vector<char> packed(ZSTD_CStreamOutSize());
  for (bool more = true; more;) {
    const std::size_t n = TRY(read_some(in, plain.data(), plain.size(), "log"));
    ZSTD_inBuffer from = {plain.data(), n, 0};
    more = n != 0;
    for (std::size_t left = 1; more ? from.pos < from.size : left != 0;) {
      ZSTD_outBuffer to = {packed.data(), packed.size(), 0};
      left = ZSTD_compressStream2(context.get(), &to, &from, more ? ZSTD_e_continue : ZSTD_e_end);
      if (ZSTD_isError(left) != 0) return zstd_error(left, "compress log");
      TRY(write_all(out, {packed.data(), to.pos}, "compressed log"));
    }
  }
  if (::fsync(out.get()) != 0) return errno_error("fsync", "compressed log");
  return {};
}

ino_t original_inode(FdRef fd) {
  std::array<char, kHeaderSize> header = {};
  const ssize_t n = ::pread(fd.get(), header.data(), header.size(), 0);
  if (n != static_cast<ssize_t>(header.size()) || get(header, 0, 4) != kSkippable) return 0;
  return static_cast<ino_t>(get(header, 8, 8));
}

struct LogDecompression::Impl {
  std::unique_ptr<ZSTD_DCtx, Deleter> context{ZSTD_createDCtx()};
  std::vector<char> packed = std::vector<char>(ZSTD_DStreamInSize());
  ZSTD_inBuffer from = {packed.data(), 0, 0};
  bool more = false;  // the last answer filled the room it was given
};

LogDecompression::LogDecompression() : impl_(std::make_unique<Impl>()) {}
LogDecompression::~LogDecompression() = default;

Result<std::size_t> LogDecompression::read(FdRef fd, const std::string& path, char* to,
                                           std::size_t size) {
  if (!impl_->context) return Error{"decompress '" + path + "'", ENOMEM};
  ZSTD_outBuffer out = {to, size, 0};
  while (out.pos == 0) {
    ZSTD_inBuffer& from = impl_->from;
    if (from.pos == from.size && !impl_->more) {
      from.size = TRY(read_some(fd, impl_->packed.data(), impl_->packed.size(), path));
      from.pos = 0;
      if (from.size == 0) return std::size_t{0};
    }
    const std::size_t left = ZSTD_decompressStream(impl_->context.get(), &out, &from);
    if (ZSTD_isError(left) != 0) return zstd_error(left, "decompress '" + path + "'");
    impl_->more = out.pos == out.size;
  }
  return out.pos;
}
