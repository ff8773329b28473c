// SPDX-License-Identifier: Apache-2.0
#include "decompress.h"

#include <bzlib.h>
#include <gtest/gtest.h>
#include <isa-l/igzip_lib.h>
#include <lzma.h>
#include <zstd.h>

#include <string>
#include <vector>

#include "layer_stream.h"

namespace {

using Bytes = std::vector<unsigned char>;

std::string sample() {
  std::string text;
  for (int i = 0; text.size() < 700'000; ++i)
    text += "line " + std::to_string(i * 7919 % 10007) + "\n";
  return text;
}

unsigned char* bytes(std::string& text) {
  void* start = text.data();
  return static_cast<unsigned char*>(start);
}

std::string gzip(std::string text) {
  std::string out(text.size() + 1000, '\0');
  isal_zstream stream = {};
  isal_deflate_stateless_init(&stream);
  stream.gzip_flag = IGZIP_GZIP;
  stream.end_of_stream = 1;
  stream.next_in = bytes(text);
  stream.avail_in = static_cast<unsigned>(text.size());
  stream.next_out = bytes(out);
  stream.avail_out = static_cast<unsigned>(out.size());
  EXPECT_EQ(isal_deflate_stateless(&stream), 0);
  out.resize(stream.total_out);
  return out;
}

std::string zstd(const std::string& text) {
  std::string out(::ZSTD_compressBound(text.size()), '\0');
  out.resize(::ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 1));
  return out;
}

std::string xz(std::string text) {
  std::string out(text.size() + 1000, '\0');
  std::size_t used = 0;
  EXPECT_EQ(::lzma_easy_buffer_encode(0, LZMA_CHECK_CRC32, nullptr, bytes(text), text.size(),
                                      bytes(out), &used, out.size()),
            LZMA_OK);
  out.resize(used);
  return out;
}

std::string bzip2(std::string text) {
  std::string out(text.size() + 1000, '\0');
  auto size = static_cast<unsigned>(out.size());
  EXPECT_EQ(::BZ2_bzBuffToBuffCompress(out.data(), &size, text.data(),
                                       static_cast<unsigned>(text.size()), 1, 0, 0),
            BZ_OK);
  out.resize(size);
  return out;
}

// Through the whole pipeline, as a layer goes.
std::string through(const std::string& blob, LayerExpectation expected = {}) {
  LayerStream stream(std::make_unique<MemoryStream>(blob), std::move(expected));
  std::string out;
  for (;;) {
    const auto piece = stream.next(100'000);
    if (!piece) return "error: " + piece.error().text();
    if (piece->empty()) break;
    out += *piece;
  }
  const auto facts = stream.finish();
  if (!facts) return "error: " + facts.error().text();
  EXPECT_EQ(facts->blob, digest_of(blob));
  EXPECT_EQ(facts->diff_id, digest_of(out));
  return out;
}

TEST(Decompress, EveryFormatIsKnownByItsFirstBytes) {
  const std::string text = sample();
  EXPECT_EQ(through(text), text);
  EXPECT_EQ(through(gzip(text)), text);
  EXPECT_EQ(through(zstd(text)), text);
  EXPECT_EQ(through(xz(text)), text);
  EXPECT_EQ(through(bzip2(text)), text);
  EXPECT_EQ(through(""), "");
}

TEST(Decompress, StreamsThatFollowOneAnotherAreOne) {
  EXPECT_EQ(through(gzip("one ") + gzip("two")), "one two");
  EXPECT_EQ(through(zstd("one ") + std::string("\x50\x2a\x4d\x18\x03\0\0\0abc", 11) + zstd("two")),
            "one two");
  EXPECT_EQ(through(xz("one ") + xz("two")), "one two");
  EXPECT_EQ(through(bzip2("one ") + bzip2("two")), "one two");
}

TEST(Decompress, PaddingIsRead) {
  EXPECT_EQ(through(gzip("text") + std::string(600'000, '\0')), "text");
}

TEST(Decompress, OtherBytesAfterTheEndAreRefused) {
  EXPECT_NE(through(gzip("text") + "garbage").find("unexpected bytes"), std::string::npos);
  EXPECT_NE(through(gzip("text") + std::string(3, '\0') + gzip("more")).find("unexpected bytes"),
            std::string::npos);
}

// CVE-2021-20291: a stream that ends too early ends in an error, not in waiting.
TEST(Decompress, TruncationAndDamageAreErrors) {
  const std::string text = sample();
  for (const std::string& blob : {gzip(text), zstd(text), xz(text), bzip2(text)}) {
    EXPECT_EQ(through(blob.substr(0, blob.size() / 2)).substr(0, 6), "error:");
    EXPECT_EQ(through(blob.substr(0, blob.size() - 1)).substr(0, 6), "error:");
    std::string damaged = blob;
    damaged[blob.size() / 2] = static_cast<char>(damaged[blob.size() / 2] ^ 0x40);
    // zstd without a checksum may not notice; the diffID does.
    EXPECT_NE(through(damaged), text);
  }
}

// CVE-2017-14992: much comes out of little.
TEST(Decompress, ABombEndsAtTheLimit) {
  const std::string blob = gzip(std::string(50'000'000, '\0'));
  LayerExpectation expected;
  expected.diff_size_limit = 1'000'000;
  EXPECT_NE(through(blob, expected).find("exceeds the limit of 1000000 bytes"), std::string::npos);
}

TEST(LayerStream, ComparesWithWhatTheLayerHasToBe) {
  const std::string blob = gzip("text");
  LayerExpectation expected;
  expected.blob = digest_of(blob);
  expected.blob_size = blob.size();
  expected.diff_id = digest_of("text");
  EXPECT_EQ(through(blob, expected), "text");
  expected.diff_id = digest_of("other");
  EXPECT_NE(through(blob, expected).find("diffID does not match"), std::string::npos);
  expected.blob = digest_of("other");
  EXPECT_NE(through(blob, expected).find("digest does not match"), std::string::npos);
  expected.blob_size = blob.size() - 1;
  EXPECT_NE(through(blob, expected).find("longer than"), std::string::npos);
  expected.blob_size = blob.size() + 1;
  EXPECT_NE(through(blob, expected).find("size does not match"), std::string::npos);
}

TEST(LayerStream, MayBeDroppedAtAnyPlace) {
  const std::string blob = gzip(std::string(20'000'000, 'x'));
  LayerStream stream(std::make_unique<MemoryStream>(blob), {});
  EXPECT_TRUE(stream.next(10));
}

}  // namespace
