// SPDX-License-Identifier: Apache-2.0
#include "hosts_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "common/temp_dir.h"

namespace {

Member member(const std::string& name, std::string_view address) {
  Member out;
  out.name = name;
  out.addresses.push_back({Cidr{*parse_address(address), 24}});
  return out;
}

TEST(HostsFile, OneLinePerAddressOfEveryNamedMember) {
  Member web = member("web", "10.89.0.2");
  web.aliases = {"www", "w"};
  web.addresses.push_back({*parse_cidr("fd00::2/64")});
  EXPECT_EQ(hosts_lines({web, member("", "10.89.0.3"), member("db", "10.89.0.4")}),
            "10.89.0.2\tweb www w\nfd00::2\tweb www w\n10.89.0.4\tdb\n");
}

TEST(HostsFile, OnlyOurBlockChanges) {
  const std::string own = "127.0.0.1 localhost\n";
  const std::string once = with_hosts_block(own, "n", "a\n");
  EXPECT_EQ(once, own + "# netsetup begin n\na\n# netsetup end n\n");
  EXPECT_EQ(with_hosts_block(once + "tail\n", "n", "b\nc\n"),
            own + "# netsetup begin n\nb\nc\n# netsetup end n\ntail\n");
  EXPECT_EQ(with_hosts_block(once + "tail\n", "n", ""), own + "tail\n");
  EXPECT_EQ(with_hosts_block(once, "n", "a\n"), once);
}

TEST(HostsFile, NetworksKeepBlocksOfTheirOwn) {
  const std::string both = with_hosts_block(with_hosts_block("", "a", "1\n"), "b", "2\n");
  EXPECT_EQ(with_hosts_block(both, "a", ""), "# netsetup begin b\n2\n# netsetup end b\n");
}

TEST(HostsFile, AFileWithoutFinalNewlineOrWithATornBlockIsMended) {
  EXPECT_EQ(with_hosts_block("x", "n", "a\n"), "x\n# netsetup begin n\na\n# netsetup end n\n");
  EXPECT_EQ(with_hosts_block("x\n# netsetup begin n\nold", "n", ""), "x\n");
}

TEST(HostsFile, NamesAreWordsThatCannotForgeALine) {
  for (const char* bad : {"", "a b", "a\nb", "a\tb", "#x", "-a", ".a", "a\"", "ä"})
    EXPECT_FALSE(is_host_name(bad)) << bad;
  EXPECT_TRUE(is_host_name("web-1.example_x"));
}

class HostsOnDisk : public testing::Test {
 protected:
  TempDir dir_ = *TempDir::create(testing::TempDir(), "hosts");
  std::string path_ = dir_.path() + "/hosts";
  ino_t inode() {
    struct stat info = {};
    (void)::stat(path_.c_str(), &info);
    return info.st_ino;
  }
};

TEST_F(HostsOnDisk, StaysTheSameFileWhenItGrowsAndShrinks) {
  ASSERT_TRUE(update_hosts_file(path_, "n", "", true));
  const ino_t before = inode();
  ASSERT_TRUE(update_hosts_file(path_, "n", "10.0.0.1\ta-rather-long-name\n", false));
  ASSERT_TRUE(update_hosts_file(path_, "n", "10.0.0.1\ta\n", false));
  EXPECT_EQ(inode(), before);
  EXPECT_EQ(*read_file(path_),
            "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n"
            "# netsetup begin n\n10.0.0.1\ta\n# netsetup end n\n");
}

TEST_F(HostsOnDisk, WhatIsNotThereIsNotMade) {
  EXPECT_FALSE(*update_hosts_file(path_, "n", "x\n", false));
}

TEST_F(HostsOnDisk, NoLinkIsFollowedAndNoFifoWaitedFor) {
  ASSERT_EQ(::symlink("/dev/null", path_.c_str()), 0);
  EXPECT_FALSE(update_hosts_file(path_, "n", "x\n", true));
  ASSERT_EQ(::unlink(path_.c_str()), 0);
  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
  EXPECT_FALSE(update_hosts_file(path_, "n", "x\n", true));
}

}  // namespace
