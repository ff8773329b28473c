// SPDX-License-Identifier: Apache-2.0
#include "tar_reader.h"

#include <algorithm>
#include <cstring>

namespace {

// The header of a member (ustar; other dialects use the same places).
struct Field {
  std::size_t offset;
  std::size_t size;
};
constexpr Field kName{0, 100}, kMode{100, 8}, kUid{108, 8}, kGid{116, 8}, kSize{124, 12},
    kMtime{136, 12}, kChecksum{148, 8}, kLink{157, 100}, kMagic{257, 8}, kMajor{329, 8},
    kMinor{337, 8}, kPrefix{345, 155}, kStarPrefix{345, 131}, kStarTrailer{508, 4};
constexpr std::size_t kType = 156;

// GNU's own sparse map: four extents in the header, 21 in each block that follows.
constexpr std::size_t kGnuMap = 386, kGnuMapEntries = 4, kGnuExtended = 482;
constexpr Field kGnuRealSize{483, 12};
constexpr std::size_t kExtensionEntries = 21, kExtensionExtended = 504;

// Long names and pax headers are small; more is an attack on memory.
constexpr std::uint64_t kMostBody = std::uint64_t{1} << 20;

std::string_view text_of(std::string_view field) {
  return field.substr(0, std::min(field.find('\0'), field.size()));
}

std::uint64_t padding_of(std::uint64_t size) {
  return (TarReader::kBlock - size % TarReader::kBlock) % TarReader::kBlock;
}

bool is_zero(const TarReader::Block& block) {
  return block[0] == '\0' && std::memcmp(block.data(), block.data() + 1, block.size() - 1) == 0;
}

// Old writers summed signed bytes.
bool checksum_matches(const TarReader::Block& block, std::int64_t expected) {
  std::int64_t plain = 0;
  std::int64_t with_sign = 0;
  for (std::size_t i = 0; i < block.size(); ++i) {
    const bool own = i >= kChecksum.offset && i < kChecksum.offset + kChecksum.size;
    const char c = own ? ' ' : block[i];
    plain += static_cast<unsigned char>(c);
    with_sign += static_cast<signed char>(c);
  }
  return expected == plain || expected == with_sign;
}

std::optional<std::int64_t> parse_base256(std::string_view field) {
  const bool negative = (static_cast<unsigned char>(field[0]) & 0x40U) != 0;
  std::uint64_t value = negative ? UINT64_MAX : 0;
  for (std::size_t i = 0; i < field.size(); ++i) {
    auto byte = static_cast<unsigned char>(field[i]);
    if (i == 0) byte = static_cast<unsigned char>(negative ? byte | 0x80U : byte & 0x7fU);
    // The bits that fall out at the top must all be sign.
    const auto top = static_cast<unsigned char>(value >> 56U);
    if (top != (negative ? 0xff : 0)) return std::nullopt;
    value = (value << 8U) | byte;
  }
  const auto result = static_cast<std::int64_t>(value);
  if ((result < 0) != negative) return std::nullopt;
  return result;
}

Result<void> check_extents(const TarEntry& entry) {
  std::uint64_t end = 0;
  std::uint64_t stored = 0;
  for (const TarExtent& extent : entry.sparse) {
    if (extent.offset < end || extent.length > entry.real_size ||
        extent.offset > entry.real_size - extent.length)
      return Error{"sparse map is out of order or beyond the file's end"};
    end = extent.offset + extent.length;
    stored += extent.length;
  }
  if (stored != entry.size) return Error{"sparse map does not fit the size of the data"};
  return {};
}

}  // namespace

std::optional<std::int64_t> parse_tar_number(std::string_view field) {
  if (!field.empty() && (static_cast<unsigned char>(field[0]) & 0x80U) != 0)
    return parse_base256(field);
  const auto blank = [](char c) { return c == ' ' || c == '\0'; };
  while (!field.empty() && blank(field.front())) field.remove_prefix(1);
  while (!field.empty() && blank(field.back())) field.remove_suffix(1);
  std::uint64_t value = 0;
  for (const char c : field) {
    if (c < '0' || c > '7' || (value >> 59U) != 0) return std::nullopt;
    value = value * 8 + static_cast<std::uint64_t>(c - '0');
  }
  return static_cast<std::int64_t>(value);
}

Error TarReader::at_member(Error error) const {
  std::string where = "tar";
  if (!name_.empty()) where.append(" member '").append(name_.substr(0, 200)).append("'");
  return std::move(error).in(where + " at byte " + std::to_string(offset_));
}

// At least one byte, or the error that the archive ends here.
Result<std::string_view> TarReader::read_exactly_some(std::size_t most) {
  const std::string_view piece = TRY(stream_->next(most));
  if (piece.empty()) return at_member(Error{"the archive ends too early: it is truncated"});
  offset_ += piece.size();
  return piece;
}

// The next block into block_; false when the archive ends before its first byte.
Result<bool> TarReader::read_block() {
  std::string_view piece = TRY(stream_->next(kBlock));
  if (piece.empty()) return false;
  offset_ += piece.size();
  std::memcpy(block_.data(), piece.data(), piece.size());
  for (std::size_t have = piece.size(); have < kBlock; have += piece.size()) {
    piece = TRY(read_exactly_some(kBlock - have));
    std::memcpy(block_.data() + have, piece.data(), piece.size());
  }
  return true;
}

Result<void> TarReader::skip(std::uint64_t bytes) {
  while (bytes > 0) {
    const std::size_t most = static_cast<std::size_t>(std::min<std::uint64_t>(bytes, kMostBody));
    bytes -= TRY(read_exactly_some(most)).size();
  }
  return {};
}

// umoci's insert ends an archive with the last byte of the last member: no
// padding, no end marker. Nothing is missing from such an archive.
Result<void> TarReader::skip_padding() {
  data_ = 0;
  while (padding_ > 0) {
    const std::string_view piece = TRY(stream_->next(static_cast<std::size_t>(padding_)));
    if (piece.empty()) padding_ = 0;
    padding_ -= piece.size();
    offset_ += piece.size();
  }
  return {};
}

Result<std::string_view> TarReader::data_at_most(std::uint64_t most) {
  most = std::min({most, data_, std::uint64_t{1} << 30});
  if (most == 0) return std::string_view();
  const std::string_view piece = TRY(read_exactly_some(static_cast<std::size_t>(most)));
  data_ -= piece.size();
  return piece;
}

// A header with the right checksum into block_; false at the end of the archive.
Result<bool> TarReader::next_header() {
  if (!TRY(read_block())) return false;
  if (is_zero(block_)) {
    if (!TRY(read_block()) || is_zero(block_)) return false;
    return at_member(Error{"data after a single block of zeros"});
  }
  const auto expected = parse_tar_number(field(kChecksum.offset, kChecksum.size));
  if (!expected || !checksum_matches(block_, *expected))
    return at_member(Error{"header checksum does not match: not a tar archive, or damaged"});
  return true;
}

// The data of an extension header, which describes the next member.
Result<std::string> TarReader::read_body(std::string_view what) {
  const auto size = parse_tar_number(field(kSize.offset, kSize.size));
  if (!size || *size < 0) return at_member(Error{std::string(what) + " without a valid size"});
  const auto length = static_cast<std::uint64_t>(*size);
  if (length > kMostBody)
    return at_member(
        Error{std::string(what) + " of " + std::to_string(length) + " bytes: more than 1 MiB"});
  std::string body;
  while (body.size() < length)
    body.append(TRY(read_exactly_some(static_cast<std::size_t>(length) - body.size())));
  TRY(skip(padding_of(length)));
  return body;
}

// Takes the header in block_ if it only describes the next member.
Result<bool> TarReader::extension() {
  switch (block_[kType]) {
    case 'x':
    case 'X': {
      const std::string body = TRY(read_body("pax header"));
      auto parsed = parse_pax(body, pax_);
      if (!parsed) return at_member(std::move(parsed).error());
      return true;
    }
    case 'g': {
      // Describes all members that follow; no image tool writes anything that
      // matters there and none applies it. It must be well-formed all the same.
      PaxHeader ignored;
      const std::string body = TRY(read_body("global pax header"));
      auto parsed = parse_pax(body, ignored);
      if (!parsed) return at_member(std::move(parsed).error());
      return true;
    }
    case 'L':
      long_name_ = std::string(text_of(TRY(read_body("long name"))));
      return true;
    case 'K':
      long_link_ = std::string(text_of(TRY(read_body("long link name"))));
      return true;
    default:
      return false;
  }
}

Result<bool> TarReader::next(TarEntry& entry) {
  TRY(skip(data_));
  TRY(skip_padding());
  name_.clear();
  long_name_.reset();
  long_link_.reset();
  pax_ = PaxHeader();
  bool described = false;
  for (;;) {
    if (!TRY(next_header())) {
      if (described) return at_member(Error{"the archive ends after an extension header"});
      return false;
    }
    if (!TRY(extension())) break;
    described = described || block_[kType] != 'g';
  }
  auto filled = fill(entry);
  if (!filled) return at_member(std::move(filled).error());
  return true;
}

Result<void> TarReader::fill_name(TarEntry& entry) {
  entry.name = text_of(field(kName.offset, kName.size));
  const std::string_view magic = field(kMagic.offset, kMagic.size);
  if (magic.starts_with(std::string_view("ustar\0", 6))) {
    const bool star = field(kStarTrailer.offset, kStarTrailer.size) == std::string_view("tar\0", 4);
    const Field where = star ? kStarPrefix : kPrefix;
    const std::string_view prefix = text_of(field(where.offset, where.size));
    if (!prefix.empty()) entry.name.insert(0, std::string(prefix) + "/");
  }
  entry.link = text_of(field(kLink.offset, kLink.size));
  if (long_name_) entry.name = *long_name_;
  if (long_link_) entry.link = *long_link_;
  if (pax_.path) entry.name = *pax_.path;
  if (pax_.link) entry.link = *pax_.link;
  if (pax_.sparse_name) entry.name = *pax_.sparse_name;
  name_ = entry.name;
  return {};
}

Result<void> TarReader::fill_numbers(TarEntry& entry) {
  const auto number = [this](Field where, std::string_view what) -> Result<std::int64_t> {
    const auto value = parse_tar_number(field(where.offset, where.size));
    if (!value) return Error{"invalid " + std::string(what) + " in the header"};
    return *value;
  };
  // Some writers keep the file type in the mode; only the 12 bits are ours.
  entry.mode = static_cast<mode_t>(TRY(number(kMode, "mode"))) & 07777U;
  const auto id = [&number](Field where, const std::optional<std::uint64_t>& pax,
                            std::string_view what) -> Result<std::uint32_t> {
    const std::int64_t value = pax ? static_cast<std::int64_t>(*pax) : TRY(number(where, what));
    // The last number means "leave it as it is" to chown(2).
    if (value < 0 || value >= UINT32_MAX)
      return Error{std::string(what) + " " + std::to_string(value) + " is out of range"};
    return static_cast<std::uint32_t>(value);
  };
  entry.uid = TRY(id(kUid, pax_.uid, "uid"));
  entry.gid = TRY(id(kGid, pax_.gid, "gid"));
  entry.mtime = pax_.mtime ? *pax_.mtime : timespec{TRY(number(kMtime, "mtime")), 0};
  const std::int64_t size =
      pax_.size ? static_cast<std::int64_t>(*pax_.size) : TRY(number(kSize, "size"));
  if (size < 0) return Error{"negative size"};
  entry.size = static_cast<std::uint64_t>(size);
  return {};
}

Result<void> TarReader::fill_type(TarEntry& entry) {
  switch (block_[kType]) {
    case '\0':
    case '0':
    case '7':
    case 'S':
      entry.type = TarType::File;
      break;
    case '1':
      entry.type = TarType::HardLink;
      break;
    case '2':
      entry.type = TarType::Symlink;
      break;
    case '3':
      entry.type = TarType::Character;
      break;
    case '4':
      entry.type = TarType::Block;
      break;
    case '5':
      entry.type = TarType::Directory;
      break;
    case '6':
      entry.type = TarType::Fifo;
      break;
    default:
      return Error{std::string("unknown member type '") + block_[kType] + "'"};
  }
  if (entry.type == TarType::File && entry.name.ends_with('/')) entry.type = TarType::Directory;
  // Only files have data; whatever else claims some must not move the stream.
  if (entry.type != TarType::File) entry.size = 0;
  if (entry.type != TarType::Character && entry.type != TarType::Block) return {};
  const auto major = parse_tar_number(field(kMajor.offset, kMajor.size));
  const auto minor = parse_tar_number(field(kMinor.offset, kMinor.size));
  // What the kernel's 32-bit device number holds.
  if (!major || !minor || *major < 0 || *minor < 0 || *major >= (1 << 12) || *minor >= (1 << 20))
    return Error{"device number is out of range"};
  entry.major = static_cast<std::uint32_t>(*major);
  entry.minor = static_cast<std::uint32_t>(*minor);
  return {};
}

Result<void> TarReader::fill(TarEntry& entry) {
  TRY(fill_name(entry));
  TRY(fill_numbers(entry));
  TRY(fill_type(entry));
  entry.xattrs = std::move(pax_.xattrs);
  entry.sparse.clear();
  entry.is_sparse = false;
  data_ = entry.size;
  padding_ = padding_of(entry.size);
  entry.real_size = entry.size;
  if (entry.type == TarType::File) TRY(fill_sparse(entry));
  return {};
}

Result<void> TarReader::fill_sparse(TarEntry& entry) {
  const bool gnu = block_[kType] == 'S';
  if (!gnu && !pax_.sparse) return {};
  entry.is_sparse = true;
  if (gnu) {
    TRY(read_gnu_map(entry));
  } else {
    entry.real_size = pax_.sparse_real_size.value_or(entry.size);
    if (pax_.sparse_map_in_data)
      TRY(read_map_in_data(entry));
    else
      entry.sparse = std::move(pax_.sparse_map);
  }
  // A piece of length zero marks the file's end.
  std::erase_if(entry.sparse, [](const TarExtent& e) { return e.length == 0; });
  return check_extents(entry);
}

Result<void> TarReader::read_gnu_map(TarEntry& entry) {
  const auto real = parse_tar_number(field(kGnuRealSize.offset, kGnuRealSize.size));
  if (!real || *real < 0) return Error{"invalid size of a sparse file"};
  entry.real_size = static_cast<std::uint64_t>(*real);
  std::size_t where = kGnuMap;
  std::size_t count = kGnuMapEntries;
  bool more = field(kGnuExtended, 1) != std::string_view("\0", 1);
  for (;;) {
    for (; count > 0; --count, where += 24) {
      const auto offset = parse_tar_number(field(where, 12));
      const auto length = parse_tar_number(field(where + 12, 12));
      if (!offset || !length || *offset < 0 || *length < 0) return Error{"invalid sparse map"};
      if (entry.sparse.size() == kMostExtents) return Error{"sparse map is too long"};
      entry.sparse.push_back(
          {static_cast<std::uint64_t>(*offset), static_cast<std::uint64_t>(*length)});
    }
    if (!more) return {};
    if (!TRY(read_block())) return Error{"the archive ends within a sparse map"};
    where = 0;
    count = kExtensionEntries;
    more = field(kExtensionExtended, 1) != std::string_view("\0", 1);
  }
}

// Version 1.0: decimal lines at the start of the data, padded to a block: the
// number of pieces, then offset and length of each.
Result<void> TarReader::read_map_in_data(TarEntry& entry) {
  std::string text;
  std::size_t at = 0;
  const auto line = [&]() -> Result<std::uint64_t> {
    std::size_t end = text.find('\n', at);
    while (end == std::string::npos) {
      if (entry.size < kBlock || text.size() - at > kBlock) return Error{"invalid sparse map"};
      if (!TRY(read_block())) return Error{"the archive ends within a sparse map"};
      entry.size -= kBlock;
      data_ -= kBlock;
      text.erase(0, at);
      at = 0;
      text.append(block_.data(), block_.size());
      end = text.find('\n');
    }
    const auto value = parse_decimal(std::string_view(text).substr(at, end - at));
    at = end + 1;
    if (!value) return Error{"invalid sparse map"};
    return *value;
  };
  const std::uint64_t count = TRY(line());
  if (count > kMostExtents) return Error{"sparse map is too long"};
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t offset = TRY(line());
    const std::uint64_t length = TRY(line());
    entry.sparse.push_back({offset, length});
  }
  return {};
}
