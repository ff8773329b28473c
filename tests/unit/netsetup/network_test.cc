// SPDX-License-Identifier: Apache-2.0
#include "network.h"

#include <gtest/gtest.h>

namespace {

std::string error_of(const std::string& text) {
  const auto network = parse_conflist("net.conflist", text);
  return network ? "parsed" : network.error().text();
}

std::string list_with(const std::string& plugin) {
  return R"({"cniVersion":"1.0.0","name":"web","plugins":[)" + plugin + "]}";
}

constexpr const char* kIpam = R"("ipam":{"type":"host-local","subnet":"10.5.0.0/24"})";

TEST(Network, OurTypeNeedsNoMoreThanASubnet) {
  const auto network = parse_conflist(
      "x", list_with(std::string(R"({"type":"netsetup","bridge":"br7",)") + kIpam + "}"));
  ASSERT_TRUE(network) << network.error().text();
  EXPECT_EQ(network->name, "web");
  EXPECT_EQ(network->bridge, "br7");
  EXPECT_TRUE(network->masquerade && network->gateway && network->default_route);
  EXPECT_TRUE(network->hairpin && network->isolated);
  const AddressRange& range = network->range_sets.at(0).at(0);
  EXPECT_EQ(range.gateway.text(), "10.5.0.1");
  EXPECT_EQ(range.first.text(), "10.5.0.1");
  EXPECT_EQ(range.last.text(), "10.5.0.254");
}

TEST(Network, TheBridgePluginKeepsItsOwnDefaults) {
  const auto network =
      parse_conflist("x", list_with(std::string(R"({"type":"bridge",)") + kIpam + "}"));
  ASSERT_TRUE(network) << network.error().text();
  EXPECT_EQ(network->bridge, "cni0");
  EXPECT_FALSE(network->masquerade || network->gateway || network->default_route);
  EXPECT_FALSE(network->hairpin || network->isolated);
}

TEST(Network, ReadsAChainAsEnginesWriteIt) {
  const auto network = parse_conflist("x", list_with(R"(
      {"type":"bridge","bridge":"cni-podman1","isGateway":true,"ipMasq":"true","hairpinMode":true,
       "mtu":1400,"ipam":{"type":"host-local","routes":[{"dst":"0.0.0.0/0"}],
       "ranges":[[{"subnet":"10.89.4.0/24","rangeStart":"10.89.4.9","rangeEnd":"10.89.4.20",
                   "gateway":"10.89.4.254"}],[{"subnet":"fd07::/64"}]],"dataDir":"/run/leases"}},
      {"type":"portmap","capabilities":{"portMappings":true}},
      {"type":"firewall","ingressPolicy":"same-bridge"})"));
  ASSERT_TRUE(network) << network.error().text();
  EXPECT_TRUE(network->masquerade);
  EXPECT_TRUE(network->isolated);
  EXPECT_EQ(network->mtu, 1400U);
  EXPECT_EQ(network->lease_directory, "/run/leases");
  EXPECT_EQ(subnets_text(*network), "10.89.4.0/24, fd07::/64");
  EXPECT_EQ(network->range_sets.at(0).at(0).first.text(), "10.89.4.9");
  EXPECT_EQ(network->range_sets.at(0).at(0).gateway.text(), "10.89.4.254");
  EXPECT_EQ(network->routes.at(0).destination.text(), "0.0.0.0/0");
}

TEST(Network, WhatIsWrittenReadsBackTheSame) {
  Network network;
  network.name = "n";
  network.bridge = "b";
  network.range_sets = {{*range_of(*parse_cidr("10.1.0.0/16"))},
                        {*range_of(*parse_cidr("fd00::/64"))}};
  network.routes = {{*parse_cidr("192.0.2.0/24"), *parse_address("10.1.0.9")}};
  network.masquerade = false;
  network.mtu = 9000;
  const auto again = parse_conflist("n", to_conflist(network));
  ASSERT_TRUE(again) << again.error().text();
  EXPECT_EQ(to_conflist(*again), to_conflist(network));
  EXPECT_FALSE(again->masquerade);
}

TEST(Network, ErrorsNameTheField) {
  EXPECT_NE(error_of("{").find("net.conflist"), std::string::npos);
  EXPECT_NE(error_of(R"({"plugins":[]})").find("/name"), std::string::npos);
  EXPECT_NE(error_of(list_with("")).find("no plugin of type"), std::string::npos);
  EXPECT_NE(error_of(list_with(R"({"type":"macvlan"})")).find("/plugins/0/type"),
            std::string::npos);
  EXPECT_NE(error_of(list_with(R"({"type":"netsetup"})")).find("'ipam'"), std::string::npos);
  EXPECT_NE(error_of(list_with(R"({"type":"netsetup","ipam":{"subnet":"10.0.0.5/24"}})"))
                .find("bits set beyond"),
            std::string::npos);
  EXPECT_NE(
      error_of(list_with(R"({"type":"netsetup","ipam":{"subnet":"10.0.0.0/31"}})")).find("/30"),
      std::string::npos);
  EXPECT_NE(
      error_of(
          list_with(R"({"type":"netsetup","ipam":{"subnet":"10.0.0.0/24","gateway":"10.0.1.1"}})"))
          .find("gateway"),
      std::string::npos);
  EXPECT_NE(error_of(list_with(R"({"type":"netsetup","mtu":10,"ipam":{"subnet":"10.0.0.0/24"}})"))
                .find("/plugins/0/mtu"),
            std::string::npos);
}

TEST(Network, NoNameCanBeAPath) {
  for (const char* bad : {"", "..", ".x", "a/b", "-a", "a b", "a\nb", "a:b"})
    EXPECT_FALSE(is_identifier(bad, kLongestNetwork)) << bad;
  EXPECT_FALSE(is_identifier(std::string(81, 'a'), kLongestNetwork));
  EXPECT_TRUE(is_identifier("web_1.x-2", kLongestNetwork));
  for (const char* bad : {"", ".", "..", "a/b", "a b", "a:b", "sixteen-letters-", "%d"})
    EXPECT_FALSE(is_interface_name(bad)) << bad;
  EXPECT_TRUE(is_interface_name("eth0.100"));
}

TEST(Network, RefusesWhatARouteWouldHaveNoEffectBy) {
  for (const char* field : {R"("mtu":1400)", R"("advmss":1)", R"("table":7)", R"("scope":1)"}) {
    const auto network = parse_conflist(
        "x", list_with(std::string(R"({"type":"netsetup","ipam":{"subnet":"10.3.0.0/24",
             "routes":[{"dst":"10.9.0.0/16",)") +
                       field + "}]}}"));
    ASSERT_FALSE(network);
    EXPECT_NE(network.error().text().find("not supported"), std::string::npos);
  }
}

}  // namespace
