// SPDX-License-Identifier: Apache-2.0
// Files, trees and paths: what fd.h, beneath.h, temp_dir.h and file_lock.h promise.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cerrno>

#include "common/beneath.h"
#include "common/file_lock.h"
#include "common/temp_dir.h"

namespace {

class Files : public testing::Test {
 protected:
  Files() : dir_(*TempDir::create(testing::TempDir(), "files")) {}
  std::string path(const std::string& name) const { return dir_.path() + "/" + name; }
  TempDir dir_;
};

TEST_F(Files, ReplacedFileHasTheNewContentAndNoTemporaryNameRemains) {
  ASSERT_TRUE(replace_file(path("a"), "one"));
  ASSERT_TRUE(replace_file(path("a"), "two", 0640, Sync::Yes));
  EXPECT_EQ(*read_file(path("a")), "two");
  EXPECT_NE(::access((path("a") + ".tmp" + std::to_string(::getpid())).c_str(), F_OK), 0);
}

TEST_F(Files, WhatIsNoRegularFileIsWrittenToAndStays) {
  ASSERT_EQ(::mkfifo(path("fifo").c_str(), 0600), 0);
  const UniqueFd reader = *open_at(kCwd, path("fifo"), O_RDWR);
  ASSERT_TRUE(replace_file(path("fifo"), "7"));
  char byte = 0;
  EXPECT_EQ(::read(reader.get(), &byte, 1), 1);
  EXPECT_EQ(byte, '7');
  struct stat st = {};
  ASSERT_EQ(::stat(path("fifo").c_str(), &st), 0);
  EXPECT_TRUE(S_ISFIFO(st.st_mode));
}

TEST_F(Files, AFileOverTheLimitIsRefused) {
  ASSERT_TRUE(replace_file(path("big"), std::string(4097, 'x')));
  EXPECT_EQ(read_file(path("big"), 4096).error().code, EFBIG);
  EXPECT_EQ(read_file(path("big"), 4097)->size(), 4097U);
}

TEST_F(Files, APathCannotLeaveItsRoot) {
  ASSERT_EQ(::symlink("/etc", path("abs").c_str()), 0);
  ASSERT_EQ(::symlink("../../../../etc", path("rel").c_str()), 0);
  const UniqueFd root = *open_directory(dir_.path());
  for (const char* link : {"abs/passwd", "rel/passwd", "../../../../../etc/passwd"})
    EXPECT_EQ(open_in_root(root, link, O_RDONLY).error().code, ENOENT) << link;
  EXPECT_EQ(open_beneath(root, "abs/passwd", O_RDONLY).error().code, ELOOP);
  EXPECT_EQ(open_beneath(root, "../x", O_RDONLY).error().code, EXDEV);
}

TEST_F(Files, DirectoriesAreMadeInsideTheRootAlsoThroughLinks) {
  ASSERT_EQ(::symlink("/inner", path("link").c_str()), 0);
  ASSERT_EQ(::mkdir(path("inner").c_str(), 0755), 0);
  const UniqueFd root = *open_directory(dir_.path());
  ASSERT_TRUE(make_directories_in_root(root, "/link/a/b/../c"));
  EXPECT_EQ(::access(path("inner/a/c").c_str(), F_OK), 0);
}

TEST_F(Files, RemovingATreeSparesWhatItsLinksPointTo) {
  ASSERT_TRUE(make_directories(path("keep")));
  ASSERT_TRUE(replace_file(path("keep/file"), "x"));
  ASSERT_TRUE(make_directories(path("tree/a/b")));
  ASSERT_EQ(::symlink("../../keep", path("tree/a/link").c_str()), 0);
  ASSERT_TRUE(remove_tree(kCwd, path("tree")));
  EXPECT_NE(::access(path("tree").c_str(), F_OK), 0);
  EXPECT_EQ(::access(path("keep/file").c_str(), F_OK), 0);
  EXPECT_TRUE(remove_tree(kCwd, path("tree")));  // again: nothing to do
}

TEST_F(Files, ATemporaryDirectoryGoesUnlessKept) {
  std::string gone;
  std::string kept;
  {
    auto a = *TempDir::create(dir_.path(), "gone");
    auto b = *TempDir::create(dir_.path(), "kept");
    gone = a.path();
    kept = b.path();
    b.keep();
  }
  EXPECT_NE(::access(gone.c_str(), F_OK), 0);
  EXPECT_EQ(::access(kept.c_str(), F_OK), 0);
}

TEST_F(Files, ALockIsHeldByOne) {
  auto first = FileLock::take(kCwd, path("lock"));
  ASSERT_TRUE(first);
  EXPECT_FALSE(*FileLock::try_take(kCwd, path("lock")));
  { auto drop = std::move(first); }
  EXPECT_TRUE(*FileLock::try_take(kCwd, path("lock")));
}

TEST(PlainName, MeansItselfOnly) {
  EXPECT_TRUE(is_plain_name("web-1"));
  EXPECT_TRUE(is_plain_name("..."));
  for (const char* name : {"", ".", "..", "a/b", "/"}) EXPECT_FALSE(is_plain_name(name)) << name;
  EXPECT_FALSE(is_plain_name(std::string_view("a\0b", 3)));
}

}  // namespace
