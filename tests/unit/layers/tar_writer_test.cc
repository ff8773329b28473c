// SPDX-License-Identifier: Apache-2.0
#include "tar_writer.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include "byte_stream.h"
#include "compress.h"
#include "layer_output.h"
#include "tar_reader.h"

namespace {

class StringSink final : public ByteSink {
 public:
  Result<std::span<unsigned char>> room() override { return std::span<unsigned char>(buffer_); }
  void filled(std::size_t size) override {
    const void* start = buffer_.data();
    text.append(static_cast<const char*>(start), size);
  }
  std::string text;

 private:
  std::array<unsigned char, 700> buffer_ = {};  // no multiple of a block
};

std::string archive_of(const TarEntry& entry, std::string_view data) {
  StringSink sink;
  TarWriter tar(sink);
  EXPECT_TRUE(tar.member(entry));
  EXPECT_TRUE(data.empty() || tar.data(data));
  EXPECT_TRUE(tar.finish());
  EXPECT_EQ(sink.text.size() % 512, 0U);
  return sink.text;
}

// What a reader finds in the archive of one member.
TarEntry read_back(const TarEntry& entry, std::string_view data, std::string* content = nullptr) {
  const std::string archive = archive_of(entry, data);
  MemoryStream stream(archive);
  TarReader tar(stream);
  TarEntry out;
  const auto found = tar.next(out);
  EXPECT_TRUE(found && *found) << (found ? "" : found.error().text());
  std::string text;
  for (;;) {
    const auto piece = tar.data();
    if (!piece || piece->empty()) break;
    text += *piece;
  }
  if (content != nullptr) *content = text;
  TarEntry more;
  const auto end = tar.next(more);
  EXPECT_TRUE(end && !*end);
  return out;
}

TarEntry file(const std::string& name, std::size_t size) {
  TarEntry out;
  out.name = name;
  out.mode = 0644;
  out.size = out.real_size = size;
  out.mtime = {1'700'000'000, 0};
  return out;
}

TEST(TarWriter, WritesWhatTheReaderReads) {
  TarEntry entry = file("etc/motd", 5);
  entry.mode = 04755;
  entry.uid = 1000;
  entry.gid = 50;
  std::string content;
  const TarEntry found = read_back(entry, "hello", &content);
  EXPECT_EQ(found.name, "etc/motd");
  EXPECT_EQ(found.mode, 04755U);
  EXPECT_EQ(found.uid, 1000U);
  EXPECT_EQ(found.gid, 50U);
  EXPECT_EQ(found.mtime.tv_sec, 1'700'000'000);
  EXPECT_EQ(content, "hello");
}

TEST(TarWriter, UsesPlainUstarWhereItCan) {
  // Header, data, two blocks of end: no extension.
  EXPECT_EQ(archive_of(file("a", 1), "x").size(), 4 * 512U);
  const std::string split = std::string(120, 'd') + "/" + std::string(90, 'f');
  EXPECT_EQ(archive_of(file(split, 1), "x").size(), 4 * 512U);
  EXPECT_EQ(read_back(file(split, 1), "x").name, split);
}

TEST(TarWriter, LongNamesOfEveryLengthComeBack) {
  for (std::size_t size = 95; size < 300; ++size) {
    for (const std::size_t slash : {std::size_t{0}, std::size_t{40}, std::size_t{90}}) {
      std::string name(size, 'n');
      if (slash != 0) name[slash] = '/';
      EXPECT_EQ(read_back(file(name, 0), "").name, name) << size;
      TarEntry link = file("link", 0);
      link.type = TarType::Symlink;
      link.link = name;
      EXPECT_EQ(read_back(link, "").link, name) << size;
    }
  }
}

TEST(TarWriter, NumbersThatUstarCannotHoldComeBack) {
  TarEntry entry = file("big", 0);
  entry.uid = 4'000'000'000U;
  entry.gid = 2'097'152U;
  entry.mtime = {-5, 0};
  const TarEntry found = read_back(entry, "");
  EXPECT_EQ(found.uid, entry.uid);
  EXPECT_EQ(found.gid, entry.gid);
  EXPECT_EQ(found.mtime.tv_sec, -5);
}

TEST(TarWriter, AttributesAreSortedAndBinary) {
  TarEntry entry = file("f", 0);
  entry.xattrs = {{"user.b", std::string("\0\n=", 3)}, {"user.a", "1"}, {"user.empty", ""}};
  const TarEntry found = read_back(entry, "");
  ASSERT_EQ(found.xattrs.size(), 2U);
  EXPECT_EQ(found.xattrs[0], (std::pair<std::string, std::string>("user.a", "1")));
  EXPECT_EQ(found.xattrs[1].second, std::string("\0\n=", 3));
}

TEST(TarWriter, SparseFilesKeepTheirHoles) {
  TarEntry entry = file("dir/sparse", 6);
  entry.is_sparse = true;
  entry.real_size = std::uint64_t{1} << 40;
  entry.sparse = {{512, 3}, {std::uint64_t{1} << 39, 3}, {entry.real_size, 0}};
  std::string content;
  const TarEntry found = read_back(entry, "abcdef", &content);
  EXPECT_EQ(found.name, "dir/sparse");
  EXPECT_TRUE(found.is_sparse);
  EXPECT_EQ(found.real_size, entry.real_size);
  ASSERT_GE(found.sparse.size(), 2U);
  EXPECT_EQ(found.sparse[1].offset, std::uint64_t{1} << 39);
  EXPECT_EQ(content, "abcdef");
}

class LayerOutputTest : public testing::TestWithParam<Compression> {};

TEST_P(LayerOutputTest, ComesBackThroughTheLayerStream) {
  std::string text;
  for (std::uint64_t i = 0; text.size() < 900'000; ++i) text += std::to_string(i * i) + "\n";
  const UniqueFd file(::memfd_create("layer", MFD_CLOEXEC));
  LayerOutput out(file, GetParam());
  ASSERT_TRUE(out.write(text));
  const auto facts = out.finish();
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->diff_id, digest_of(text));
  EXPECT_EQ(facts->diff_size, text.size());
  std::string blob(facts->blob_size, '\0');
  ASSERT_EQ(::pread(file.get(), blob.data(), blob.size(), 0), std::ssize(blob));
  EXPECT_EQ(digest_of(blob), facts->blob);
  EXPECT_EQ(compression_of(blob), GetParam());
  LayerStream stream(std::make_unique<MemoryStream>(blob), {.diff_id = facts->diff_id});
  EXPECT_TRUE(stream.finish());
}

TEST_P(LayerOutputTest, NothingIsALayerToo) {
  const UniqueFd file(::memfd_create("layer", MFD_CLOEXEC));
  LayerOutput out(file, GetParam());
  const auto facts = out.finish();
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->diff_id, digest_of(""));
}

INSTANTIATE_TEST_SUITE_P(All, LayerOutputTest,
                         testing::Values(Compression::None, Compression::Gzip, Compression::Zstd));

TEST(LayerOutput, AFullDiskIsReported) {
  const UniqueFd full = UniqueFd(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  LayerOutput out(full, Compression::None);
  Result<void> written;
  const std::string piece(100'000, 'x');
  for (int i = 0; i < 200 && written; ++i) written = out.write(piece);
  const auto facts = out.finish();
  ASSERT_FALSE(facts);
  EXPECT_EQ(facts.error().code, ENOSPC);
}

}  // namespace
