// SPDX-License-Identifier: Apache-2.0
#include "lease.h"

#include <gtest/gtest.h>

#include "common/temp_dir.h"

namespace {

RangeSet set_of(std::string_view subnet) {
  return {*range_of(*parse_cidr(subnet))};
}
IpAddress ip(std::string_view text) {
  return *parse_address(text);
}

TEST(Lease, TheNextAddressLeavesGatewaysOutAndGoesRound) {
  const RangeSet set = set_of("10.0.0.0/29");  // .1 is the gateway, .6 the last
  EXPECT_EQ(following_address(set, std::nullopt)->text(), "10.0.0.2");
  EXPECT_EQ(following_address(set, ip("10.0.0.2"))->text(), "10.0.0.3");
  EXPECT_EQ(following_address(set, ip("10.0.0.6"))->text(), "10.0.0.2");
  EXPECT_EQ(following_address(set, ip("192.0.2.1"))->text(), "10.0.0.2");  // of an older subnet
}

TEST(Lease, ARangeSetContinuesInItsNextRange) {
  RangeSet set = {*range_of(*parse_cidr("10.0.0.0/30")), *range_of(*parse_cidr("10.0.1.0/30"))};
  EXPECT_EQ(following_address(set, ip("10.0.0.2"))->text(), "10.0.1.2");
  EXPECT_EQ(following_address(set, ip("10.0.1.2"))->text(), "10.0.0.2");
}

TEST(Lease, ASetWithOneAddressHasNoFollowing) {
  EXPECT_FALSE(following_address(set_of("10.0.0.0/30"), ip("10.0.0.2")));
}

class LeaseDirectory : public testing::Test {
 protected:
  TempDir dir_ = *TempDir::create(testing::TempDir(), "lease");
  Leases open() { return *Leases::open(dir_.path(), "net"); }
  std::string file(const std::string& name) {
    const auto text = read_file(dir_.path() + "/net/" + name);
    return text ? *text : "(none)";
  }
};

TEST_F(LeaseDirectory, LooksAsHostLocalLeavesIt) {
  Leases leases = open();
  EXPECT_EQ(leases.take(set_of("10.0.0.0/29"), 0, "ctr", "eth0")->text(), "10.0.0.2");
  EXPECT_EQ(file("10.0.0.2"), "ctr\r\neth0");
  EXPECT_EQ(file("last_reserved_ip.0"), "10.0.0.2");
}

TEST_F(LeaseDirectory, GoesOnAfterTheLastAddressEvenWhenEarlierOnesAreFree) {
  Leases leases = open();
  const RangeSet set = set_of("10.0.0.0/29");
  ASSERT_TRUE(leases.take(set, 0, "a", "eth0"));
  ASSERT_TRUE(leases.give_back(ip("10.0.0.2"), "a", "eth0"));
  EXPECT_EQ(leases.take(set, 0, "b", "eth0")->text(), "10.0.0.3");
}

TEST_F(LeaseDirectory, IsExhaustedOnlyWhenEveryAddressIsTaken) {
  Leases leases = open();
  const RangeSet set = set_of("10.0.0.0/29");
  for (int i = 2; i <= 6; ++i)
    EXPECT_EQ(leases.take(set, 0, "c" + std::to_string(i), "eth0")->text(),
              "10.0.0." + std::to_string(i));
  const auto full = leases.take(set, 0, "more", "eth0");
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().what, "no free address in 10.0.0.1-10.0.0.6");
  ASSERT_TRUE(leases.give_back(ip("10.0.0.4"), "c4", "eth0"));
  EXPECT_EQ(leases.take(set, 0, "more", "eth0")->text(), "10.0.0.4");
}

TEST_F(LeaseDirectory, GivesBackOnlyToTheOwner) {
  Leases leases = open();
  ASSERT_TRUE(leases.take(set_of("10.0.0.0/29"), 0, "a", "eth0"));
  ASSERT_TRUE(leases.give_back(ip("10.0.0.2"), "b", "eth0"));
  ASSERT_TRUE(leases.give_back(ip("10.0.0.2"), "a", "eth1"));
  EXPECT_EQ(leases.all()->size(), 1U);
  ASSERT_TRUE(leases.give_back(ip("10.0.0.2"), "a", "eth0"));
  ASSERT_TRUE(leases.give_back(ip("10.0.0.2"), "a", "eth0"));
  EXPECT_TRUE(leases.all()->empty());
}

TEST_F(LeaseDirectory, AWantedAddressMustBeFreeAndInRange) {
  Leases leases = open();
  const RangeSet set = set_of("10.0.0.0/29");
  ASSERT_TRUE(leases.take_this(set, ip("10.0.0.5"), "a", "eth0"));
  EXPECT_NE(leases.take_this(set, ip("10.0.0.5"), "b", "eth0").error().what.find("container 'a'"),
            std::string::npos);
  EXPECT_NE(leases.take_this(set, ip("10.0.0.1"), "b", "eth0").error().what.find("gateway"),
            std::string::npos);
  EXPECT_FALSE(leases.take_this(set, ip("10.0.1.5"), "b", "eth0"));
}

TEST_F(LeaseDirectory, ALinkPlantedAsALeaseIsNotFollowed) {
  const std::string victim = dir_.path() + "/victim";
  { Leases made = open(); }
  ASSERT_EQ(::symlink(victim.c_str(), (dir_.path() + "/net/10.0.0.2").c_str()), 0);
  Leases leases = open();
  EXPECT_EQ(leases.take(set_of("10.0.0.0/29"), 0, "a", "eth0")->text(), "10.0.0.3");
  EXPECT_NE(::access(victim.c_str(), F_OK), 0);
}

}  // namespace
