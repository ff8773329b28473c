// SPDX-License-Identifier: Apache-2.0
#include "netavark_request.h"

#include <gtest/gtest.h>

#include "name_server.h"

namespace {

std::string request(const std::string& networks, const std::string& ports = "") {
  return R"({"container_id":"c0","container_name":"web","port_mappings":[)" + ports +
         R"(],"networks":)" + networks + R"(,"network_info":{
    "b":{"driver":"bridge","network_interface":"br1","internal":true,"dns_enabled":true,
         "subnets":[{"subnet":"10.8.0.0/24","gateway":"10.8.0.1"}]},
    "a":{"driver":"bridge","network_interface":"br0","subnets":[{"subnet":"10.7.0.0/24","gateway":"10.7.0.1"},
         {"subnet":"fd07::/64","gateway":"fd07::1"}]}}})";
}

TEST(NetavarkRequest, ReadsBothFormsOfNetworksAndOrdersThemByInterface) {
  for (const char* networks :
       {R"({"a":{"interface_name":"eth1"},"b":{"interface_name":"eth0"}})",
        R"([{"name":"a","interface_name":"eth1"},{"name":"b","interface_name":"eth0"}])"}) {
    const auto read = read_netavark_request(request(networks), "/run/netns/x");
    ASSERT_TRUE(read) << read.error().text();
    ASSERT_EQ(read->networks.size(), 2U);
    EXPECT_EQ(read->networks[0].network.name, "b");
    EXPECT_EQ(read->networks[1].network.name, "a");
  }
}

TEST(NetavarkRequest, AnInternalNetworkHasNoWayOutAndNoPorts) {
  const auto read = read_netavark_request(
      request(R"({"a":{"interface_name":"eth1"},"b":{"interface_name":"eth0"}})",
              R"({"container_port":80,"host_port":8080,"protocol":"tcp,udp","range":2})"),
      "/run/netns/x");
  ASSERT_TRUE(read) << read.error().text();
  const NetavarkNetwork& internal = read->networks[0];
  EXPECT_TRUE(internal.network.isolated);
  EXPECT_FALSE(internal.network.masquerade || internal.network.default_route);
  EXPECT_TRUE(internal.attach.ports.empty());
  EXPECT_TRUE(internal.attach.server && internal.attach.server->internal);
  ASSERT_EQ(read->networks[1].attach.ports.size(), 4U);
  EXPECT_EQ(read->networks[1].attach.ports[3].text(), "8081->81/udp");
  EXPECT_EQ(subnets_text(read->networks[1].network), "10.7.0.0/24, fd07::/64");
}

TEST(NetavarkRequest, RefusesARangeBeyondTheLastPort) {
  const auto read = read_netavark_request(
      request("{}", R"({"container_port":80,"host_port":65535,"range":2})"), "/run/netns/x");
  ASSERT_FALSE(read);
  EXPECT_NE(read.error().text().find("65535"), std::string::npos);
}

TEST(NameServer, ALineHasNamesThatFitAndNoOthers) {
  Member member;
  member.id = "c0";
  member.addresses = {{*parse_cidr("10.7.0.5/24")}, {*parse_cidr("fd07::5/64")}};
  member.server_names = {"web", "a b", "x,y", "line\nbreak", ""};
  EXPECT_EQ(name_line(member, {}), "c0 10.7.0.5 fd07::5 web\n");
  EXPECT_EQ(name_line(member, {"9.9.9.9", "1.1.1.1"}), "c0 10.7.0.5 fd07::5 web 9.9.9.9,1.1.1.1\n");
  member.server_names = {"a b"};
  EXPECT_EQ(name_line(member, {}), "");
}

}  // namespace
