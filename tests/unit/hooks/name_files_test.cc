// SPDX-License-Identifier: Apache-2.0
#include "name_files.h"

#include <gtest/gtest.h>

namespace {

TEST(HostsLines, EveryAddressOfEveryName) {
  const std::vector<NetworkMember> members = {
      {"web-1", "demo", "web", {"www", "bad name"}, {"10.0.0.2", "fd00::2"}},
      {"db", "demo", "", {}, {"10.0.0.3"}},
      {std::string(64, 'a'), "demo", "", {}, {"10.0.0.4"}},
      {"x", "demo", "two words", {}, {"10.0.0.5"}}};
  EXPECT_EQ(*hosts_lines(members, {"gateway:10.0.0.1"}),
            "10.0.0.2\tweb www\nfd00::2\tweb www\n10.0.0.3\tdb\n10.0.0.4\taaaaaaaaaaaa\n"
            "10.0.0.1\tgateway\n");
  EXPECT_FALSE(hosts_lines({}, {"name"}));
  EXPECT_FALSE(hosts_lines({}, {"name:nowhere"}));
  EXPECT_FALSE(hosts_lines({}, {"a\nb:10.0.0.1"}));
}

TEST(HostsBlock, OnlyOursChanges) {
  const std::string with = with_hosts_block("1.1.1.1\tone", "2.2.2.2\ttwo\n");
  EXPECT_EQ(with, "1.1.1.1\tone\n# hook-hosts begin\n2.2.2.2\ttwo\n# hook-hosts end\n");
  EXPECT_EQ(with_hosts_block(with + "later\n", "3.3.3.3\tthree\n"),
            "1.1.1.1\tone\n# hook-hosts begin\n3.3.3.3\tthree\n# hook-hosts end\nlater\n");
  EXPECT_EQ(with_hosts_block(with, ""), "1.1.1.1\tone\n");
  EXPECT_TRUE(with_hosts_block("", "2.2.2.2\ttwo\n").starts_with("127.0.0.1\tlocalhost\n"));
}

TEST(PeersOf, OfEveryNetworkThatItIsIn) {
  const std::vector<NetworkMember> members = {{"a", "one", "", {}, {}},
                                              {"b", "one", "", {}, {}},
                                              {"a", "two", "", {}, {}},
                                              {"c", "three", "", {}, {}}};
  EXPECT_EQ(peers_of(members, "a").size(), 3U);
  EXPECT_TRUE(peers_of(members, "z").empty());
}

TEST(ResolvConf, ThereAndBack) {
  const DnsSettings dns = parse_resolv_conf(
      "# comment\nnameserver 127.0.0.53\nnameserver  1.1.1.1 \ndomain x\nsearch a b\noptions "
      "ndots:2\n");
  EXPECT_EQ(dns.nameservers, (std::vector<std::string>{"127.0.0.53", "1.1.1.1"}));
  EXPECT_EQ(resolv_conf(dns),
            "search a b\nnameserver 127.0.0.53\nnameserver 1.1.1.1\noptions ndots:2\n");
  EXPECT_TRUE(is_loopback("127.0.0.53"));
  EXPECT_FALSE(is_loopback("12.7.0.1"));
}

TEST(NetworkMember, AsNetsetupWritesIt) {
  const auto member = parse_member(
      "m", R"({"id":"web","network":"demo","addresses":[{"address":"10.0.0.2/24"}],"name":"w"})");
  ASSERT_TRUE(member);
  EXPECT_EQ(member->addresses, std::vector<std::string>{"10.0.0.2"});
  EXPECT_EQ(parse_member("m", R"({"id":"web"})").error().text(), "m: /network: missing");
}

TEST(NetworkDns, OfTheConfigurationList) {
  const auto dns = parse_network_dns(
      "n", R"({"dns":{"nameservers":["9.9.9.9"],"domain":"lan","search":["x"]}})");
  ASSERT_TRUE(dns);
  EXPECT_EQ(dns->search, (std::vector<std::string>{"lan", "x"}));
  EXPECT_TRUE(parse_network_dns("n", "{}")->empty());
}

}  // namespace
