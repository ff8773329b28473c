// SPDX-License-Identifier: Apache-2.0
#include "archive_file.h"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <numeric>

namespace {

constexpr std::size_t kBlock = 512;

struct Header {
  std::array<char, kBlock> bytes = {};
  void text(std::size_t at, std::string_view value) {
    std::memcpy(bytes.data() + at, value.data(), value.size());
  }
  void octal(std::size_t at, std::size_t digits, std::uint64_t value) {
    for (std::size_t i = digits; i-- > 0; value /= 8)
      bytes[at + i] = static_cast<char>('0' + value % 8);
  }
  // Eight binary octets after a marker, where eleven octal digits are too few.
  void size(std::uint64_t value) {
    constexpr std::size_t kAt = 124;
    if (value < (std::uint64_t{1} << 33)) return octal(kAt, 11, value);
    bytes[kAt] = static_cast<char>(0x80);
    for (std::size_t i = 12; i-- > 4; value >>= 8U)
      bytes[kAt + i] = static_cast<char>(value & 0xffU);
  }
  void checksum() {
    constexpr std::size_t kAt = 148;
    std::memset(bytes.data() + kAt, ' ', 8);
    const unsigned sum = std::accumulate(bytes.begin(), bytes.end(), 0U, [](unsigned all, char c) {
      return all + static_cast<unsigned char>(c);
    });
    octal(kAt, 6, sum);
    bytes[kAt + 6] = '\0';
  }
};

}  // namespace

Result<std::unique_ptr<ArchiveFile>> ArchiveFile::create(const std::string& path) {
  if (path == "-") {
    if (::isatty(STDOUT_FILENO) == 1)
      return Error{"standard output is a terminal", 0, "send it to a file or a pipe"};
    UniqueFd copy(::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0));
    if (!copy) return errno_error("open", "standard output");
    return std::unique_ptr<ArchiveFile>(new ArchiveFile("standard output", "", std::move(copy)));
  }
  std::string temporary = path + ".tmp" + std::to_string(::getpid());
  UniqueFd fd = TRY(open_at(kCwd, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0644));
  return std::unique_ptr<ArchiveFile>(new ArchiveFile(path, std::move(temporary), std::move(fd)));
}

ArchiveFile::~ArchiveFile() {
  if (!temporary_.empty()) (void)::unlink(temporary_.c_str());
}

Result<void> ArchiveFile::begin(const std::string& name, std::uint64_t size) {
  Header header;
  header.text(0, name);  // ours are shorter than the 100 bytes of the field
  header.octal(100, 7, 0644);
  header.octal(108, 7, 0);
  header.octal(116, 7, 0);
  header.size(size);
  header.octal(136, 11, 0);
  header.text(156, "0");
  header.text(257, std::string_view("ustar\0"
                                    "00",
                                    8));
  header.checksum();
  return write_all(fd_, std::string_view(header.bytes.data(), kBlock), path_);
}

Result<void> ArchiveFile::end(std::uint64_t size) {
  const std::array<char, kBlock> zeros = {};
  const std::size_t padding = (kBlock - size % kBlock) % kBlock;
  return write_all(fd_, std::string_view(zeros.data(), padding), path_);
}

Result<void> ArchiveFile::add(const std::string& name, std::string_view bytes) {
  TRY(begin(name, bytes.size()));
  TRY(write_all(fd_, bytes, path_));
  return end(bytes.size());
}

Result<void> ArchiveFile::close() {
  const std::array<char, 2 * kBlock> zeros = {};
  TRY(write_all(fd_, std::string_view(zeros.data(), zeros.size()), path_));
  if (temporary_.empty()) return {};
  if (::fsync(fd_.get()) != 0) return errno_error("sync", path_);
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) return errno_error("rename to", path_);
  temporary_.clear();
  return {};
}
