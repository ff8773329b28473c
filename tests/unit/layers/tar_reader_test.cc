// SPDX-License-Identifier: Apache-2.0
#include "tar_reader.h"

#include <gtest/gtest.h>

#include "tar_builder.h"

namespace {

struct Read {
  std::vector<TarEntry> entries;
  std::vector<std::string> data;
  std::string error;
};

Read read(const std::string& archive) {
  MemoryStream stream(archive);
  TarReader tar(stream);
  Read out;
  TarEntry entry;
  for (;;) {
    auto more = tar.next(entry);
    if (!more) {
      out.error = more.error().text();
      return out;
    }
    if (!*more) return out;
    out.entries.push_back(entry);
    out.data.emplace_back();
    for (;;) {
      const auto piece = tar.data();
      if (!piece) {
        out.error = piece.error().text();
        return out;
      }
      if (piece->empty()) break;
      out.data.back() += *piece;
    }
  }
}

std::string error_of(const std::string& archive) {
  return read(archive).error;
}

TEST(TarReader, ReadsMembersAndTheirData) {
  const Read r = read(TarBuilder().directory("d/").file("d/f", "hello").symlink("l", "d/f").end());
  ASSERT_EQ(r.error, "");
  ASSERT_EQ(r.entries.size(), 3U);
  EXPECT_EQ(r.entries[0].type, TarType::Directory);
  EXPECT_EQ(r.entries[1].name, "d/f");
  EXPECT_EQ(r.data[1], "hello");
  EXPECT_EQ(r.entries[1].mtime.tv_sec, 100);
  EXPECT_EQ(r.entries[2].link, "d/f");
}

TEST(TarReader, JoinsUstarPrefixAndName) {
  const Read r = read(TarBuilder().add({.name = "file", .prefix = "long/dir"}).end());
  ASSERT_EQ(r.entries.size(), 1U);
  EXPECT_EQ(r.entries[0].name, "long/dir/file");
}

TEST(TarReader, ReadsV7WithoutMagic) {
  const Read r =
      read(TarBuilder().add({.name = "old", .type = '\0', .data = "x", .magic = ""}).end());
  ASSERT_EQ(r.error, "");
  EXPECT_EQ(r.entries.at(0).type, TarType::File);
}

TEST(TarReader, ReadsGnuLongNames) {
  const std::string name(300, 'n');
  const std::string link(300, 'l');
  const Read r = read(TarBuilder()
                          .add({.name = "././@LongLink", .type = 'K', .data = link + '\0'})
                          .add({.name = "././@LongLink", .type = 'L', .data = name + '\0'})
                          .symlink("short", "short")
                          .file("after")
                          .end());
  ASSERT_EQ(r.error, "");
  ASSERT_EQ(r.entries.size(), 2U);
  EXPECT_EQ(r.entries[0].name, name);
  EXPECT_EQ(r.entries[0].link, link);
  EXPECT_EQ(r.entries[1].name, "after");
}

TEST(TarReader, PaxSaysMoreThanTheHeader) {
  const Read r = read(TarBuilder()
                          .pax({{"path", "real/name"},
                                {"uid", "70000"},
                                {"gid", "3000000"},
                                {"mtime", "1700000000.123456789"},
                                {"SCHILY.xattr.user.a", std::string("\0b\n", 3)}})
                          .file("header-name")
                          .end());
  ASSERT_EQ(r.error, "");
  const TarEntry& e = r.entries.at(0);
  EXPECT_EQ(e.name, "real/name");
  EXPECT_EQ(e.uid, 70000U);
  EXPECT_EQ(e.gid, 3000000U);
  EXPECT_EQ(e.mtime.tv_sec, 1700000000);
  EXPECT_EQ(e.mtime.tv_nsec, 123456789);
  ASSERT_EQ(e.xattrs.size(), 1U);
  EXPECT_EQ(e.xattrs[0].first, "user.a");
  EXPECT_EQ(e.xattrs[0].second, std::string("\0b\n", 3));
}

TEST(TarReader, TimesBeforeTheEpochRoundTowardsThePast) {
  const Read r = read(TarBuilder().pax({{"mtime", "-1.25"}}).file("f").end());
  EXPECT_EQ(r.entries.at(0).mtime.tv_sec, -2);
  EXPECT_EQ(r.entries.at(0).mtime.tv_nsec, 750'000'000);
}

TEST(TarReader, LibarchiveAttributesCountOnlyWithoutTheirTwin) {
  const Read r = read(TarBuilder()
                          .pax({{"SCHILY.xattr.user.both", "raw"},
                                {"LIBARCHIVE.xattr.user.both", "b3RoZXI="},
                                {"LIBARCHIVE.xattr.user.sp%20ace", "aGk"}})
                          .file("f")
                          .end());
  ASSERT_EQ(r.error, "");
  ASSERT_EQ(r.entries.at(0).xattrs.size(), 2U);
  EXPECT_EQ(r.entries[0].xattrs[0].second, "raw");
  EXPECT_EQ(r.entries[0].xattrs[1].first, "user.sp ace");
  EXPECT_EQ(r.entries[0].xattrs[1].second, "hi");
}

// CVE-2025-62518: data that looks like members to who believes the other size.
TEST(TarReader, ThePaxSizeIsTheSize) {
  const std::string hidden = TarBuilder().file("evil").open_end();
  const Read longer = read(TarBuilder()
                               .pax({{"size", std::to_string(hidden.size())}})
                               .add({.name = "f", .data = hidden, .size = "00000000000"})
                               .file("after")
                               .end());
  ASSERT_EQ(longer.error, "");
  ASSERT_EQ(longer.entries.size(), 2U);
  EXPECT_EQ(longer.data[0], hidden);
  EXPECT_EQ(longer.entries[1].name, "after");
}

TEST(TarReader, ALinkHasNoDataWhateverItsSizeSays) {
  const Read r = read(TarBuilder()
                          .add({.name = "l", .type = '2', .link = "t", .size = "00000001000"})
                          .file("after")
                          .end());
  ASSERT_EQ(r.entries.size(), 2U);
  EXPECT_EQ(r.entries[1].name, "after");
}

TEST(TarReader, MalformedPaxIsAnErrorNotSkipped) {
  for (const std::string body :
       {"5 a=b\n", "999 path=x\n", "x path=x\n", "8 nokey\n", "11 path=abcd"}) {
    const std::string archive =
        TarBuilder().add({.name = "p", .type = 'x', .data = body}).file("f").end();
    EXPECT_NE(error_of(archive).find("malformed pax header"), std::string::npos) << body;
  }
}

// CVE-2022-2879, CVE-2025-58183: headers and maps without a bound.
TEST(TarReader, RefusesHugeHeaders) {
  EXPECT_NE(error_of(TarBuilder().add({.name = "p", .type = 'x', .size = "00100000000"}).end())
                .find("more than 1 MiB"),
            std::string::npos);
  EXPECT_NE(error_of(TarBuilder().add({.name = "p", .type = 'L', .size = "00100000000"}).end())
                .find("more than 1 MiB"),
            std::string::npos);
  EXPECT_NE(error_of(TarBuilder()
                         .pax({{"GNU.sparse.major", "1"}, {"GNU.sparse.realsize", "10"}})
                         .file("f", "100000000\n" + std::string(600, '0'))
                         .end())
                .find("sparse map is too long"),
            std::string::npos);
}

TEST(TarReader, ReadsBase256Numbers) {
  EXPECT_EQ(parse_tar_number(std::string_view("\x80\0\0\0\0\0\x01\0", 8)), 256);
  EXPECT_EQ(parse_tar_number(std::string_view("\xff\xff\xff\xff\xff\xff\xff\xfe", 8)), -2);
  EXPECT_EQ(
      parse_tar_number(std::string_view("\x80\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 12)),
      std::nullopt);
  EXPECT_EQ(parse_tar_number(std::string_view("  644 \0", 7)), 0644);
  EXPECT_EQ(parse_tar_number(std::string_view("\0\0\0\0", 4)), 0);
  EXPECT_EQ(parse_tar_number("12x4"), std::nullopt);
}

TEST(TarReader, ReadsSparseFilesOfEveryKind) {
  const std::vector<std::vector<std::pair<std::string, std::string>>> headers = {
      {{"GNU.sparse.size", "4096"},
       {"GNU.sparse.numblocks", "2"},
       {"GNU.sparse.offset", "0"},
       {"GNU.sparse.numbytes", "3"},
       {"GNU.sparse.offset", "1000"},
       {"GNU.sparse.numbytes", "2"}},
      {{"GNU.sparse.size", "4096"}, {"GNU.sparse.name", "f"}, {"GNU.sparse.map", "0,3,1000,2"}},
  };
  for (const auto& header : headers) {
    const Read r = read(TarBuilder().pax(header).file("f", "abcde").end());
    ASSERT_EQ(r.error, "");
    EXPECT_EQ(r.entries.at(0).real_size, 4096U);
    ASSERT_EQ(r.entries[0].sparse.size(), 2U);
    EXPECT_EQ(r.entries[0].sparse[1].offset, 1000U);
    EXPECT_EQ(r.data[0], "abcde");
  }
  std::string map = "2\n0\n3\n1000\n2\n";
  map.resize(512, '\0');
  const Read r = read(TarBuilder()
                          .pax({{"GNU.sparse.major", "1"},
                                {"GNU.sparse.minor", "0"},
                                {"GNU.sparse.name", "real"},
                                {"GNU.sparse.realsize", "4096"}})
                          .file("GNUSparse.0/real", map + "abcde")
                          .file("after")
                          .end());
  ASSERT_EQ(r.error, "");
  EXPECT_EQ(r.entries.at(0).name, "real");
  EXPECT_EQ(r.data[0], "abcde");
  EXPECT_EQ(r.entries.at(1).name, "after");
}

TEST(TarReader, ASparseMapMustFitTheFile) {
  for (const std::string map : {"0,3,2,2", "5,4", "4090,5,0,0", "0,4"}) {
    const std::string archive = TarBuilder()
                                    .pax({{"GNU.sparse.size", "4092"}, {"GNU.sparse.map", map}})
                                    .file("f", "abcde")
                                    .end();
    EXPECT_NE(error_of(archive), "") << map;
  }
}

TEST(TarReader, TruncationIsAnError) {
  const std::string archive = TarBuilder().file("f", std::string(2000, 'x')).end();
  EXPECT_NE(error_of(archive.substr(0, 1000)).find("truncated"), std::string::npos);
  EXPECT_NE(error_of(archive.substr(0, 100)).find("truncated"), std::string::npos);
}

TEST(TarReader, AcceptsAnEndWithoutMarkerOrPadding) {
  const std::string archive = TarBuilder().file("f", "four").open_end();
  EXPECT_EQ(error_of(archive), "");
  EXPECT_EQ(error_of(archive.substr(0, 516)), "");
}

TEST(TarReader, DamageIsAnError) {
  std::string archive = TarBuilder().file("f").end();
  archive[3] = 'z';
  EXPECT_NE(error_of(archive).find("checksum"), std::string::npos);
  EXPECT_NE(error_of(std::string(512, '\0') + TarBuilder().file("f").end()).find("single block"),
            std::string::npos);
  EXPECT_NE(
      error_of(TarBuilder().add({.name = "f", .type = 'Q'}).end()).find("unknown member type"),
      std::string::npos);
}

TEST(TarReader, DeviceNumbersBeyondTheKernelsAreRefused) {
  EXPECT_NE(error_of(TarBuilder().add({.name = "d", .type = '3', .major = 70000}).end()), "");
}

TEST(TarReader, AnAclInTextBecomesTheKernelsBytes) {
  const Read r =
      read(TarBuilder()
               .pax({{"SCHILY.acl.access", "user::rwx,user:7:r--,group::r-x,mask::r-x,other::---"}})
               .file("f")
               .end());
  ASSERT_EQ(r.error, "");
  ASSERT_EQ(r.entries.at(0).xattrs.size(), 1U);
  EXPECT_EQ(r.entries[0].xattrs[0].first, "system.posix_acl_access");
  EXPECT_EQ(r.entries[0].xattrs[0].second.size(), 4U + 5 * 8);
}

}  // namespace
