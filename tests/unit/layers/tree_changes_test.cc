// SPDX-License-Identifier: Apache-2.0
#include "tree_changes.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "common/temp_dir.h"

namespace {

class TreeChanges : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* tree : {"old", "new"}) {
      ASSERT_EQ(::mkdirat(dir_->fd().get(), tree, 0755), 0);
      write(tree, "same", "text");
      ASSERT_EQ(::mkdirat(dir_->fd().get(), (std::string(tree) + "/dir").c_str(), 0755), 0);
      write(tree, "dir/inner", "text");
    }
  }
  void write(const std::string& tree, const std::string& name, const std::string& text) {
    ASSERT_TRUE(write_file_at(dir_->fd(), tree + "/" + name, text, 0644));
    still(tree + "/" + name);
  }
  // Times that say nothing.
  void still(const std::string& path) {
    const std::array<timespec, 2> times = {};
    ASSERT_EQ(::utimensat(dir_->fd().get(), path.c_str(), times.data(), AT_SYMLINK_NOFOLLOW), 0);
  }
  std::string changes() {
    for (const char* path : {"old/dir", "new/dir", "old", "new"}) still(path);
    const auto before = open_at(dir_->fd(), "old", O_RDONLY | O_DIRECTORY);
    const auto after = open_at(dir_->fd(), "new", O_RDONLY | O_DIRECTORY);
    const auto found = tree_changes(*before, *after);
    EXPECT_TRUE(found);
    std::string out;
    for (const Change& change : *found)
      out += std::string(change.kind == Change::Kind::Added     ? "A"
                         : change.kind == Change::Kind::Deleted ? "D"
                                                                : "C") +
             " /" + change.path + "\n";
    return out;
  }
  Result<TempDir> dir_ = TempDir::create("/tmp", "tree-changes-");
};

TEST_F(TreeChanges, NothingIsNothing) {
  EXPECT_EQ(changes(), "");
}

TEST_F(TreeChanges, ChangesBringTheirDirectories) {
  write("new", "dir/inner", "other text");
  write("new", "dir/more", "");
  EXPECT_EQ(changes(), "C /dir\nC /dir/inner\nA /dir/more\n");
}

TEST_F(TreeChanges, OnlyTheTopOfADeletionIsNamed) {
  ASSERT_EQ(::mkdirat(dir_->fd().get(), "old/dir/deep", 0755), 0);
  write("old", "dir/deep/file", "");
  EXPECT_EQ(changes(), "C /dir\nD /dir/deep\n");
}

TEST_F(TreeChanges, ADirectoryInPlaceOfAFile) {
  ASSERT_EQ(::unlinkat(dir_->fd().get(), "new/same", 0), 0);
  ASSERT_EQ(::mkdirat(dir_->fd().get(), "new/same", 0755), 0);
  write("new", "same/file", "");
  EXPECT_EQ(changes(), "C /same\nA /same/file\n");
}

TEST_F(TreeChanges, AllNamesOfAFileOrNone) {
  const int fd = dir_->fd().get();
  ASSERT_EQ(::linkat(fd, "new/dir/inner", fd, "new/another", 0), 0);
  EXPECT_EQ(changes(), "A /another\nC /dir\nC /dir/inner\n");
}

}  // namespace
