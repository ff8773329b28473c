// SPDX-License-Identifier: Apache-2.0
#include "tar_writer.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace {

constexpr std::size_t kBlock = 512;
constexpr std::uint64_t kMostOctal8 = 07777777;       // seven digits
constexpr std::uint64_t kMostOctal12 = 077777777777;  // eleven

using Block = std::array<char, kBlock>;

constexpr struct {
  std::size_t name = 0, mode = 100, uid = 108, gid = 116, size = 124, mtime = 136, checksum = 148,
              type = 156, link = 157, magic = 257, major = 329, minor = 337, prefix = 345;
} kAt;
constexpr std::size_t kNameSize = 100;
constexpr std::size_t kPrefixSize = 155;

void put(Block& block, std::size_t at, std::string_view text, std::size_t most) {
  std::memcpy(block.data() + at, text.data(), std::min(text.size(), most));
}

// Octal digits and a NUL. What does not fit stands in a pax record, and 0 here.
void put_number(Block& block, std::size_t at, std::uint64_t value, std::size_t width) {
  const std::uint64_t most = width == 8 ? kMostOctal8 : kMostOctal12;
  if (value > most) value = 0;
  for (std::size_t i = width - 1; i-- > 0; value >>= 3U)
    block.at(at + i) = static_cast<char>('0' + (value & 7U));
}

void seal(Block& block) {
  std::fill_n(block.begin() + kAt.checksum, 8, ' ');
  std::uint64_t sum = 0;
  for (const char c : block) sum += static_cast<unsigned char>(c);
  put_number(block, kAt.checksum, sum, 7);  // six digits, NUL, blank
  block.at(kAt.checksum + 6) = '\0';
}

char type_flag(TarType type) {
  switch (type) {
    case TarType::File:
      return '0';
    case TarType::HardLink:
      return '1';
    case TarType::Symlink:
      return '2';
    case TarType::Character:
      return '3';
    case TarType::Block:
      return '4';
    case TarType::Directory:
      return '5';
    case TarType::Fifo:
      break;
  }
  return '6';
}

// Where a long name is cut in prefix and name; npos when ustar cannot hold it.
std::size_t cut(std::string_view name) {
  const std::size_t first = name.size() - kNameSize - 1;  // the name part must fit
  const auto slash = name.find('/', first);
  const bool fits =
      slash != std::string_view::npos && slash <= kPrefixSize && slash + 1 < name.size();
  return fits ? slash : std::string_view::npos;
}

bool fits_name(std::string_view name) {
  return name.size() <= kNameSize ||
         (name.size() <= kNameSize + 1 + kPrefixSize && cut(name) != std::string_view::npos);
}

// "LENGTH KEY=VALUE\n", where LENGTH counts itself.
void add_record(std::string& out, std::string_view key, std::string_view value) {
  const std::size_t rest = key.size() + value.size() + 3;
  std::size_t total = rest + 1;
  while (total != rest + std::to_string(total).size()) total = rest + std::to_string(total).size();
  out.append(std::to_string(total)).append(" ").append(key).append("=").append(value).append("\n");
}

std::string pax_records(const TarEntry& entry, std::string_view name, std::uint64_t size) {
  std::string out;
  if (entry.is_sparse) {
    add_record(out, "GNU.sparse.major", "1");
    add_record(out, "GNU.sparse.minor", "0");
    add_record(out, "GNU.sparse.name", entry.name);
    add_record(out, "GNU.sparse.realsize", std::to_string(entry.real_size));
  }
  if (!fits_name(name)) add_record(out, "path", name);
  if (entry.link.size() > kNameSize) add_record(out, "linkpath", entry.link);
  if (size > kMostOctal12) add_record(out, "size", std::to_string(size));
  if (entry.uid > kMostOctal8) add_record(out, "uid", std::to_string(entry.uid));
  if (entry.gid > kMostOctal8) add_record(out, "gid", std::to_string(entry.gid));
  if (entry.mtime.tv_sec < 0 || static_cast<std::uint64_t>(entry.mtime.tv_sec) > kMostOctal12)
    add_record(out, "mtime", std::to_string(entry.mtime.tv_sec));
  auto xattrs = entry.xattrs;
  std::ranges::sort(xattrs);
  // An empty value would delete the record, and a name with '=' ends early.
  for (const auto& [key, value] : xattrs)
    if (!value.empty() && key.find('=') == std::string::npos)
      add_record(out, "SCHILY.xattr." + key, value);
  return out;
}

// The map in front of a sparse member's data (GNU format 1.0).
std::string sparse_map(const TarEntry& entry) {
  std::string out = std::to_string(entry.sparse.size()) + "\n";
  for (const TarExtent& extent : entry.sparse)
    out.append(std::to_string(extent.offset) + "\n" + std::to_string(extent.length) + "\n");
  out.resize((out.size() + kBlock - 1) / kBlock * kBlock, '\0');
  return out;
}

std::string_view base_name(std::string_view name) {
  if (name.ends_with('/')) name.remove_suffix(1);
  return name.substr(name.rfind('/') + 1);
}

}  // namespace

Result<void> TarWriter::header(const TarEntry& entry, std::string_view name, std::uint64_t size,
                               char type) {
  Block block = {};
  const std::size_t slash =
      name.size() > kNameSize && fits_name(name) ? cut(name) : std::string_view::npos;
  if (slash != std::string_view::npos) put(block, kAt.prefix, name.substr(0, slash), kPrefixSize);
  put(block, kAt.name, slash == std::string_view::npos ? name : name.substr(slash + 1), kNameSize);
  put_number(block, kAt.mode, entry.mode & 07777U, 8);
  put_number(block, kAt.uid, entry.uid, 8);
  put_number(block, kAt.gid, entry.gid, 8);
  put_number(block, kAt.size, size, 12);
  put_number(block, kAt.mtime,
             entry.mtime.tv_sec < 0 ? 0 : static_cast<std::uint64_t>(entry.mtime.tv_sec), 12);
  block.at(kAt.type) = type;
  put(block, kAt.link, entry.link, kNameSize);
  put(block, kAt.magic, std::string_view("ustar\00000", 8), 8);
  put_number(block, kAt.major, entry.major, 8);
  put_number(block, kAt.minor, entry.minor, 8);
  seal(block);
  return sink_->write({block.data(), block.size()});
}

Result<void> TarWriter::member(const TarEntry& entry) {
  const std::string map = entry.is_sparse ? sparse_map(entry) : std::string();
  const std::string name =
      entry.is_sparse ? "GNUSparseFile.0/" + std::string(base_name(entry.name)) : entry.name;
  const std::uint64_t size = map.size() + entry.size;
  if (entry.major > kMostOctal8 || entry.minor > kMostOctal8)
    return Error{"device number of '" + entry.name + "' does not fit into an archive"};
  if (const std::string records = pax_records(entry, name, size); !records.empty()) {
    TarEntry extension;
    extension.mode = 0644;
    const std::string label = "PaxHeaders.0/" + std::string(base_name(entry.name)).substr(0, 80);
    TRY(header(extension, label, records.size(), 'x'));
    TRY(sink_->write(records));
    padding_ = (kBlock - records.size() % kBlock) % kBlock;
    TRY(pad());
  }
  TRY(header(entry, name, size, type_flag(entry.type)));
  left_ = size;
  padding_ = (kBlock - size % kBlock) % kBlock;
  return map.empty() ? Result<void>() : data(map);
}

Result<void> TarWriter::pad() {
  static constexpr Block kZeros = {};
  TRY(sink_->write({kZeros.data(), padding_}));
  padding_ = 0;
  return {};
}

Result<void> TarWriter::data(std::string_view bytes) {
  TRY(sink_->write(bytes));
  left_ -= bytes.size();
  return left_ == 0 ? pad() : Result<void>();
}

Result<void> TarWriter::data_from(FdRef file, std::uint64_t offset, std::uint64_t size) {
  while (size > 0) {
    const std::span<unsigned char> place = TRY(sink_->room());
    const ssize_t n = ::pread(file.get(), place.data(), std::min<std::uint64_t>(place.size(), size),
                              static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno_error("read", "file");
    if (n == 0) return Error{"the file became shorter while it was read"};
    const auto count = static_cast<std::size_t>(n);
    sink_->filled(count);
    offset += count;
    size -= count;
    left_ -= count;
  }
  return left_ == 0 ? pad() : Result<void>();
}

Result<void> TarWriter::finish() {
  static constexpr std::array<char, 2 * kBlock> kEnd = {};
  return sink_->write({kEnd.data(), kEnd.size()});
}
