// SPDX-License-Identifier: Apache-2.0
#include "address.h"

#include <gtest/gtest.h>

namespace {

IpAddress ip(std::string_view text) {
  return *parse_address(text);
}
Cidr cidr(std::string_view text) {
  return *parse_cidr(text);
}

TEST(Address, ReadsAndPrintsBothFamilies) {
  EXPECT_EQ(ip("10.89.0.2").text(), "10.89.0.2");
  EXPECT_EQ(ip("fd00:0::0:1").text(), "fd00::1");
  EXPECT_EQ(ip("fd00::1").raw().size(), 16U);
  for (const char* bad : {"", "10.0.0", "10.0.0.256", "1.2.3.4 ", "fd00:::1", "10.0.0.1/8", "x"})
    EXPECT_FALSE(parse_address(bad)) << bad;
  EXPECT_FALSE(parse_address(std::string_view("10.0.0.1\0x", 10)));
}

TEST(Address, StepsAcrossBytesAndStopsAtTheEnds) {
  EXPECT_EQ(next_address(ip("10.0.0.255"))->text(), "10.0.1.0");
  EXPECT_EQ(previous_address(ip("10.1.0.0"))->text(), "10.0.255.255");
  EXPECT_FALSE(next_address(ip("255.255.255.255")));
  EXPECT_FALSE(previous_address(ip("::")));
  EXPECT_EQ(next_address(ip("fd00::ffff"))->text(), "fd00::1:0");
}

TEST(Address, KnowsLoopbackAndUnspecified) {
  EXPECT_TRUE(ip("127.9.9.9").is_loopback());
  EXPECT_TRUE(ip("::1").is_loopback());
  EXPECT_FALSE(ip("10.0.0.1").is_loopback());
  EXPECT_TRUE(ip("0.0.0.0").is_unspecified());
  EXPECT_TRUE(ip("::").is_unspecified());
}

TEST(Cidr, FindsFirstAndLastForEveryPrefixLength) {
  EXPECT_EQ(cidr("10.89.3.7/24").first().text(), "10.89.3.0");
  EXPECT_EQ(cidr("10.89.3.7/24").last().text(), "10.89.3.255");
  EXPECT_EQ(cidr("10.89.3.7/30").last().text(), "10.89.3.7");
  EXPECT_EQ(cidr("10.89.3.7/0").last().text(), "255.255.255.255");
  EXPECT_EQ(cidr("10.89.3.7/32").first().text(), "10.89.3.7");
  EXPECT_EQ(cidr("fd00:1::9/33").last().text(), "fd00:1:7fff:ffff:ffff:ffff:ffff:ffff");
}

TEST(Cidr, RefusesWhatIsNone) {
  for (const char* bad : {"10.0.0.0", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8x",
                          "fd00::/129", "/8", "10.0.0/8"})
    EXPECT_FALSE(parse_cidr(bad)) << bad;
  EXPECT_NE(parse_cidr("10.0.0.0").error().hint, "");
}

TEST(Cidr, ContainmentAndOverlapNeedTheSameFamily) {
  EXPECT_TRUE(cidr("10.0.0.0/8").contains(ip("10.255.1.1")));
  EXPECT_FALSE(cidr("10.0.0.0/8").contains(ip("11.0.0.1")));
  EXPECT_FALSE(cidr("0.0.0.0/0").contains(ip("::1")));
  EXPECT_TRUE(overlaps(cidr("10.0.0.0/8"), cidr("10.89.0.0/24")));
  EXPECT_TRUE(overlaps(cidr("10.89.0.0/24"), cidr("10.0.0.0/8")));
  EXPECT_FALSE(overlaps(cidr("10.89.0.0/24"), cidr("10.89.1.0/24")));
}

}  // namespace
