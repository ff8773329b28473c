// SPDX-License-Identifier: Apache-2.0
#include "member.h"

#include <gtest/gtest.h>

#include "common/json.h"

#include "cni_result.h"
#include "firewall.h"

namespace {

Member example() {
  Member out;
  out.id = "web1";
  out.network = "default";
  out.bridge = "nsbr0";
  out.netns = "/proc/7/ns/net";
  out.host_interface = "veth1";
  out.mac = {2, 0x6e, 10, 89, 0, 2};
  out.addresses = {{*parse_cidr("10.89.0.2/24"), *parse_address("10.89.0.1")}};
  out.routes = {{*parse_cidr("0.0.0.0/0"), *parse_address("10.89.0.1")}};
  out.ports = *parse_publish("127.0.0.1:8080:80");
  out.name = "web";
  out.aliases = {"www"};
  out.hosts_file = "/b/hosts";
  out.hosts_file_created = true;
  return out;
}

TEST(Member, WhatIsWrittenReadsBackTheSame) {
  const Member member = example();
  const auto again = parse_member("m", to_json(member));
  ASSERT_TRUE(again) << again.error().text();
  EXPECT_EQ(to_json(*again), to_json(member));
  EXPECT_EQ(again->ports, member.ports);
  EXPECT_TRUE(again->hosts_file_created);
}

TEST(Member, ADamagedRecordNamesItsField) {
  EXPECT_NE(parse_member("m", "{}").error().text().find("/id"), std::string::npos);
  std::string text = to_json(example());
  text.replace(text.find("02:6e"), 5, "zz:6e");
  EXPECT_NE(parse_member("m", text).error().text().find("no MAC"), std::string::npos);
}

TEST(Member, TheHostInterfaceIsTheSameForTheSameOwner) {
  Member member = example();
  const std::string name = host_interface_name(member, 0);
  EXPECT_EQ(name.size(), 12U);
  EXPECT_EQ(host_interface_name(member, 0), name);
  EXPECT_NE(host_interface_name(member, 1), name);
  member.interface = "eth1";
  EXPECT_NE(host_interface_name(member, 0), name);
}

TEST(Member, TheResultIsThatOfCni) {
  const std::string text = cni_result("1.1.0", {example(), {2, 0x6e, 10, 89, 0, 1}, 1500, {}}, {});
  const JsonDocument document = *JsonDocument::parse("result", text);
  const JsonView root = document.root();
  EXPECT_EQ(root.find("interfaces")->items()->size(), 3U);
  const JsonView ip = root.find("ips")->items()->at(0);
  EXPECT_EQ(*ip.find("address")->string(), "10.89.0.2/24");
  EXPECT_EQ(*ip.find("interface")->integer(), 2);
  EXPECT_EQ(*root.find("interfaces")->items()->at(2).find("sandbox")->string(), "/proc/7/ns/net");
}

TEST(Mac, IsMadeFromTheAddress) {
  EXPECT_EQ(mac_text(mac_for(*parse_address("10.89.0.2"))), "02:6e:0a:59:00:02");
  EXPECT_EQ(mac_text(host_end_mac(mac_for(*parse_address("10.89.0.2")))), "06:6e:0a:59:00:02");
  EXPECT_FALSE(parse_mac("02:6e:0a:59:00"));
  EXPECT_FALSE(parse_mac("02-6e-0a-59-00-02"));
  EXPECT_EQ(*parse_mac("02:6E:0a:59:00:02"), mac_for(*parse_address("10.89.0.2")));
}

TEST(Firewall, AContainerIsElementsNotRules) {
  Network network;
  network.bridge = "nsbr0";
  const NetlinkBatch batch = firewall_batch(network, example(), false);
  std::string text;
  for (const std::string& what : batch.what()) text += what + "\n";
  EXPECT_EQ(text.find("add rule"), std::string::npos);
  EXPECT_NE(
      text.find("add element inet netsetup ports4 { 127.0.0.1 . tcp . 8080 : 10.89.0.2 . 80 }"),
      std::string::npos)
      << text;
}

TEST(Firewall, NetworksThatDoNotMasqueradeOrGuardAreNotInThoseSets) {
  Network network;
  network.bridge = "nsbr0";
  network.masquerade = false;
  network.isolated = false;
  const NetlinkBatch batch = firewall_batch(network, example(), false);
  for (const std::string& what : batch.what()) {
    EXPECT_EQ(what.find("masquerading"), std::string::npos);
    EXPECT_EQ(what.find("guarded"), std::string::npos);
  }
}

}  // namespace
