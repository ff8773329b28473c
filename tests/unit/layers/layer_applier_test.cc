// SPDX-License-Identifier: Apache-2.0
#include "layer_applier.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include <cstdlib>

#include "common/temp_dir.h"

#include "tar_builder.h"

namespace {

// A root to unpack into, and beside it what an attack would reach for.
class Apply : public testing::Test {
 protected:
  void SetUp() override {
    ::umask(0);
    const char* base = std::getenv("TMPDIR");
    auto dir = TempDir::create(base != nullptr ? base : "/tmp", "layer-applier-");
    ASSERT_TRUE(dir);
    dir_.emplace(std::move(*dir));
    ASSERT_EQ(::mkdir(at("root").c_str(), 0755), 0);
    ASSERT_EQ(::mkdir(at("outside").c_str(), 0700), 0);
    ASSERT_TRUE(write_file_at(kCwd, at("outside/secret"), "secret", 0600));
  }
  // Nothing outside the root has changed, whatever the layer tried.
  void TearDown() override {
    struct stat st = {};
    ASSERT_EQ(::lstat(at("outside/secret").c_str(), &st), 0);
    EXPECT_EQ(st.st_mode & 07777U, 0600U);
    EXPECT_EQ(st.st_nlink, 1U);
    EXPECT_EQ(*read_file(at("outside/secret")), "secret");
    ASSERT_EQ(::lstat(at("outside").c_str(), &st), 0);
    EXPECT_EQ(st.st_mode & 07777U, 0700U);
    EXPECT_FALSE(there("../outside/x"));
    EXPECT_FALSE(there("../x"));
  }

  std::string at(const std::string& path) const { return dir_->path() + "/" + path; }
  std::string in_root(const std::string& path) const { return at("root/" + path); }
  bool there(const std::string& path) const {
    struct stat st = {};
    return ::lstat(in_root(path).c_str(), &st) == 0;
  }
  struct stat status(const std::string& path) const {
    struct stat st = {};
    EXPECT_EQ(::lstat(in_root(path).c_str(), &st), 0) << path;
    return st;
  }
  std::string content(const std::string& path) const {
    const auto text = read_file(in_root(path));
    return text ? *text : "(" + text.error().text() + ")";
  }

  // "" when complete.
  std::string apply(const std::string& archive, ApplyOptions options = {}) {
    const UniqueFd root = *open_directory(at("root"));
    MemoryStream stream(archive);
    TarReader tar(stream);
    LayerApplier applier(root, options);
    auto applied = applier.apply(tar);
    if (!applied) return applied.error().text();
    return *applied == Applied::NeedsLower ? "needs lower" : "";
  }
  std::string apply_above(const std::string& archive) { return apply(archive, {.lowest = false}); }
  std::string apply_overlay(const std::string& archive) {
    return apply(archive, {.form = LayerForm::Overlay});
  }

  std::optional<TempDir> dir_;
};

TEST_F(Apply, KeepsModesTimesAndLinks) {
  ASSERT_EQ(apply(TarBuilder()
                      .directory("d", 0711)
                      .add({.name = "d/setuid", .data = "x", .mode = 04755})
                      .hardlink("d/other", "d/setuid")
                      .symlink("l", "/d/setuid")
                      .end()),
            "");
  EXPECT_EQ(status("d/setuid").st_mode & 07777U, 04755U);
  EXPECT_EQ(status("d/setuid").st_nlink, 2U);
  EXPECT_EQ(status("d").st_mode & 07777U, 0711U);
  EXPECT_EQ(status("d").st_mtim.tv_sec, 100);  // although files were made in it later
  EXPECT_EQ(status("l").st_mtim.tv_sec, 100);
}

TEST_F(Apply, ALinkMayStandBeforeItsTarget) {
  ASSERT_EQ(apply(TarBuilder().hardlink("a", "b").file("b", "text").end()), "");
  EXPECT_EQ(content("a"), "text");
  EXPECT_NE(apply(TarBuilder().hardlink("c", "nowhere").end()).find("does not exist"),
            std::string::npos);
}

TEST_F(Apply, AnEntryReplacesAndNeverWritesThroughAHardLink) {
  ASSERT_EQ(apply(TarBuilder().file("a", "old").hardlink("b", "a").end()), "");
  ASSERT_EQ(apply_above(TarBuilder().file("a", "new").end()), "");
  EXPECT_EQ(content("a"), "new");
  EXPECT_EQ(content("b"), "old");
}

TEST_F(Apply, ADirectoryOnADirectoryKeepsItsChildren) {
  ASSERT_EQ(apply(TarBuilder().directory("d").file("d/f").end()), "");
  ASSERT_EQ(apply_above(TarBuilder().directory("d", 0700).end()), "");
  EXPECT_TRUE(there("d/f"));
  EXPECT_EQ(status("d").st_mode & 07777U, 0700U);
}

TEST_F(Apply, AFileReplacesADirectoryAndTheOtherWayRound) {
  ASSERT_EQ(apply(TarBuilder().directory("d").file("d/f").file("e").end()), "");
  ASSERT_EQ(apply_above(TarBuilder().file("d", "file").directory("e").file("e/x").end()), "");
  EXPECT_EQ(content("d"), "file");
  EXPECT_TRUE(there("e/x"));
}

TEST_F(Apply, AFileInAParentsPlaceGivesWay) {
  ASSERT_EQ(apply(TarBuilder().file("p").end()), "");
  ASSERT_EQ(apply_above(TarBuilder().file("p/child").end()), "");
  EXPECT_TRUE(there("p/child"));
}

TEST_F(Apply, AParentWithoutAnEntryKeepsItsTime) {
  ASSERT_EQ(apply(TarBuilder().directory("d").end()), "");
  ASSERT_EQ(apply_above(TarBuilder().file("d/new").end()), "");
  EXPECT_EQ(status("d").st_mtim.tv_sec, 100);
}

TEST_F(Apply, WhiteoutsDeleteOnlyWhatLiesBelow) {
  ASSERT_EQ(apply(TarBuilder().directory("d").file("d/low").file("a").file("b").end()), "");
  ASSERT_EQ(apply_above(TarBuilder()
                            .file("a", "new")
                            .file(".wh.a", "")  // after it, and still only for the layers below
                            .file(".wh.b", "")
                            .file("d/own")
                            .file("d/.wh..wh..opq", "")
                            .file(".wh.nothing", "")
                            .end()),
            "");
  EXPECT_EQ(content("a"), "new");
  EXPECT_FALSE(there("b"));
  EXPECT_FALSE(there("d/low"));
  EXPECT_TRUE(there("d/own"));
  EXPECT_FALSE(there(".wh.b"));
}

TEST_F(Apply, AWhiteoutOfADirectoryLeavesWhatThisLayerPutThere) {
  ASSERT_EQ(apply(TarBuilder().directory("d").file("d/low").directory("d/sub").end()), "");
  ASSERT_EQ(apply_above(TarBuilder().file("d/own").file(".wh.d", "").end()), "");
  EXPECT_TRUE(there("d/own"));
  EXPECT_FALSE(there("d/low"));
  EXPECT_FALSE(there("d/sub"));
}

TEST_F(Apply, OnlyTheLastNameMakesAWhiteout) {
  ASSERT_EQ(apply(TarBuilder().file("etc/f").end()), "");
  ASSERT_EQ(apply_above(TarBuilder().file(".wh.etc/f", "plain").end()), "");
  EXPECT_EQ(content(".wh.etc/f"), "plain");
  EXPECT_TRUE(there("etc/f"));
}

TEST_F(Apply, WhiteoutsOfNothingOrOfDotsAreRefused) {
  for (const char* name : {".wh.", ".wh..", ".wh...", "d/.wh.."}) {
    EXPECT_NE(apply_above(TarBuilder().file(name, "").end()).find("no meaning"), std::string::npos)
        << name;
  }
}

// CVE-2021-29136: the root itself replaced by a link.
TEST_F(Apply, TheRootCanOnlyBeADirectory) {
  for (const char* name : {".", "/", "./", "a/..", ""}) {
    EXPECT_NE(apply(TarBuilder().symlink(name, at("outside")).end()), "") << name;
    EXPECT_NE(apply(TarBuilder().hardlink(name, "x").end()), "") << name;
  }
  ASSERT_EQ(apply(TarBuilder().directory("./", 0750).end()), "");
  EXPECT_EQ(::access(in_root("").c_str(), F_OK), 0);
}

// CVE-2014-6407, CVE-2024-24579 and their like: a way out through names and links.
TEST_F(Apply, NamesAndLinksStayInside) {
  ASSERT_EQ(apply(TarBuilder().file("../x").file("a/../../x2").file("/abs", "in").end()), "");
  EXPECT_TRUE(there("x"));
  EXPECT_TRUE(there("x2"));
  EXPECT_EQ(content("abs"), "in");
}

TEST_F(Apply, AnAbsoluteLinkLeadsToTheRootsOwnPlace) {
  ASSERT_EQ(apply(TarBuilder()
                      .symlink("out", at("outside"))
                      .file("out/x", "inside")
                      .symlink("up", "../../../..")
                      .file("up/y", "inside")
                      .end()),
            "");
  EXPECT_EQ(content(at("outside").substr(1) + "/x"), "inside");
  EXPECT_EQ(content("y"), "inside");
}

TEST_F(Apply, HardLinksCannotReachOutside) {
  EXPECT_NE(apply(TarBuilder().hardlink("got", "../outside/secret").end()), "");
  EXPECT_NE(apply(TarBuilder().symlink("o", at("outside")).hardlink("got", "o/secret").end()), "");
  EXPECT_FALSE(there("got"));
}

// CVE-2021-32760: mode and times through a hard link to a symbolic link.
TEST_F(Apply, AHardLinkToALinkIsThatLink) {
  ASSERT_EQ(apply(TarBuilder()
                      .symlink("p", at("outside/secret"))
                      .add({.name = "q", .type = '1', .link = "p", .mode = 0777})
                      .end()),
            "");
  EXPECT_TRUE(S_ISLNK(status("q").st_mode));
}

// CVE-2025-47290: what was a directory a moment ago is a link now.
TEST_F(Apply, AReplacedDirectoryIsNeverUsedAgain) {
  ASSERT_EQ(apply(TarBuilder()
                      .directory("foo")
                      .file("foo/tmp/x", "1")
                      .symlink("foo", at("outside"))
                      .file("foo/x", "2")
                      .directory("foo")
                      .file("foo/x", "3")
                      .end()),
            "");
  EXPECT_EQ(content("foo/x"), "3");
  EXPECT_EQ(content(at("outside").substr(1) + "/x"), "2");
}

// CVE-2026-33056: a directory entry over a link must not touch the link's target.
TEST_F(Apply, ADirectoryOverALinkReplacesTheLink) {
  ASSERT_EQ(apply(TarBuilder().symlink("foo", at("outside")).directory("foo", 0777).end()), "");
  EXPECT_TRUE(S_ISDIR(status("foo").st_mode));
}

// CVE-2025-45582: the link comes with one layer, the file with the next.
TEST_F(Apply, ALinkOfALowerLayerLeadsNowhereElse) {
  ASSERT_EQ(
      apply(TarBuilder().symlink("d", at("outside")).symlink("f", at("outside/secret")).end()), "");
  ASSERT_EQ(apply_above(TarBuilder().file("d/x", "in").file("f", "own").end()), "");
  EXPECT_EQ(content("f"), "own");
}

TEST_F(Apply, LinkLoopsEnd) {
  EXPECT_NE(apply(TarBuilder().symlink("a", "b").symlink("b", "a").file("a/x").end())
                .find("too many links"),
            std::string::npos);
}

TEST_F(Apply, DepthAndNumberHaveLimits) {
  std::string deep;
  for (int i = 0; i < 300; ++i) deep += "d/";
  EXPECT_NE(
      apply(TarBuilder().pax({{"path", deep + "f"}}).file("f").end()).find("directories below"),
      std::string::npos);
  ApplyOptions few;
  few.most_entries = 2;
  EXPECT_NE(apply(TarBuilder().file("a").file("b").file("c").end(), few).find("more than 2"),
            std::string::npos);
}

TEST_F(Apply, SparseFilesKeepTheirHoles) {
  ASSERT_EQ(apply(TarBuilder()
                      .pax({{"GNU.sparse.size", "10485760"}, {"GNU.sparse.map", "1048576,5"}})
                      .file("f", "abcde")
                      .end()),
            "");
  EXPECT_EQ(status("f").st_size, 10485760);
  EXPECT_LT(status("f").st_blocks, 1000);
  EXPECT_EQ(content("f").substr(1048576, 6), std::string("abcde\0", 6));
}

class ApplyOverlay : public Apply {
 protected:
  void SetUp() override {
    Apply::SetUp();
    if (::geteuid() != 0 || ::setxattr(at("root").c_str(), "trusted.test", "y", 1, 0) != 0)
      GTEST_SKIP() << "needs root and a file system with trusted attributes";
  }
  bool whiteout(const std::string& path) const {
    const struct stat st = status(path);
    return S_ISCHR(st.st_mode) && st.st_rdev == 0;
  }
  bool opaque(const std::string& path) const {
    char value = 0;
    return ::getxattr(in_root(path).c_str(), "trusted.overlay.opaque", &value, 1) == 1 &&
           value == 'y';
  }
};

TEST_F(ApplyOverlay, WhiteoutsBecomeDevices) {
  ASSERT_EQ(apply_overlay(TarBuilder().directory("d").file("d/.wh.f", "").file(".wh.g", "").end()),
            "");
  EXPECT_TRUE(whiteout("d/f"));
  EXPECT_TRUE(whiteout("g"));
}

TEST_F(ApplyOverlay, OpaqueDirectoriesAreMarkedAndHoldNoWhiteouts) {
  ASSERT_EQ(apply_overlay(TarBuilder()
                              .directory("d")
                              .file("d/.wh.f", "")
                              .file("d/.wh..wh..opq", "")
                              .file("d/.wh.g", "")
                              .file("d/own")
                              .end()),
            "");
  EXPECT_TRUE(opaque("d"));
  EXPECT_FALSE(there("d/f"));
  EXPECT_FALSE(there("d/g"));
  EXPECT_TRUE(there("d/own"));
}

TEST_F(ApplyOverlay, ADirectoryMadeAnewHidesTheOldOne) {
  ASSERT_EQ(
      apply_overlay(
          TarBuilder().file(".wh.a", "").directory("a").directory("b").file(".wh.b", "").end()),
      "");
  EXPECT_TRUE(opaque("a"));
  EXPECT_TRUE(opaque("b"));
}

TEST_F(ApplyOverlay, WhatDependsOnLowerLayersIsSaid) {
  EXPECT_EQ(apply_overlay(TarBuilder().file("etc/f").end()), "needs lower");
  EXPECT_EQ(apply_overlay(TarBuilder().hardlink("a", "of-below").end()), "needs lower");
  EXPECT_EQ(apply_overlay(TarBuilder().file(".wh..wh..opq", "").end()), "needs lower");
}

// A layer must not make overlayfs show what it did not bring.
TEST_F(ApplyOverlay, TheLayersOwnOverlayMarksAreDropped) {
  ASSERT_EQ(apply_overlay(TarBuilder()
                              .pax({{"SCHILY.xattr.trusted.overlay.redirect", "/etc"},
                                    {"SCHILY.xattr.trusted.overlay.opaque", "y"}})
                              .directory("d")
                              .end()),
            "");
  EXPECT_FALSE(opaque("d"));
  EXPECT_LT(::getxattr(in_root("d").c_str(), "trusted.overlay.redirect", nullptr, 0), 0);
  EXPECT_NE(apply_overlay(TarBuilder().add({.name = "fake", .type = '3'}).end()), "");
}

TEST_F(ApplyOverlay, OwnersAndSetGroupIdDirectories) {
  ASSERT_EQ(apply(TarBuilder()
                      .add({.name = "mail", .type = '5', .mode = 02775, .uid = 0, .gid = 8})
                      .add({.name = "mail/f", .data = "x", .uid = 0, .gid = 0})
                      .add({.name = "mail/d", .type = '5', .mode = 0755, .uid = 0, .gid = 0})
                      .add({.name = "mail/l", .type = '2', .link = "f", .uid = 0, .gid = 0})
                      .add({.name = "tool", .data = "x", .mode = 04755, .uid = 5, .gid = 6})
                      .end()),
            "");
  EXPECT_EQ(status("mail").st_mode & 07777U, 02775U);
  EXPECT_EQ(status("mail/f").st_gid, 0U);
  EXPECT_EQ(status("mail/l").st_gid, 0U);
  EXPECT_EQ(status("mail/d").st_gid, 0U);
  EXPECT_EQ(status("mail/d").st_mode & 07777U, 0755U);
  EXPECT_EQ(status("tool").st_uid, 5U);
  EXPECT_EQ(status("tool").st_mode & 07777U, 04755U);
}

TEST_F(ApplyOverlay, DevicesAndAttributesOfWhatCannotBeOpened) {
  ASSERT_EQ(apply(TarBuilder()
                      .add({.name = "null", .type = '3', .mode = 0666, .major = 1, .minor = 3})
                      .pax({{"SCHILY.xattr.trusted.a", "b"}})
                      .symlink("l", at("outside/secret"))
                      .end()),
            "");
  EXPECT_EQ(status("null").st_rdev, ::makedev(1, 3));
  EXPECT_EQ(::lgetxattr(in_root("l").c_str(), "trusted.a", nullptr, 0), 1);
  EXPECT_LT(::getxattr(at("outside/secret").c_str(), "trusted.a", nullptr, 0), 0);
}

}  // namespace
