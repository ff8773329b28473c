// SPDX-License-Identifier: Apache-2.0
// check.cc - does the kernel still have what the record says? Changes nothing.
#include <linux/netlink.h>

#include <algorithm>

#include "attachment_steps.h"
#include "firewall.h"
#include "netns.h"

namespace {

Result<void> check_inside(const Member& member, std::vector<std::string>& out) {
  auto netns = open_netns(member.netns);
  if (!netns) {
    out.push_back("the namespace " + member.netns + " is gone");
    return {};
  }
  const NetlinkSocket inside = TRY(route_socket_in(*netns));
  const auto link = TRY(find_link(inside, member.interface));
  if (!link) {
    out.push_back("interface " + member.interface + " is missing");
    return {};
  }
  if (!link->up) out.push_back("interface " + member.interface + " is down");
  if (link->mac != member.mac)
    out.push_back("hardware address is " + mac_text(link->mac) + ", not " + mac_text(member.mac));
  const auto addresses = TRY(list_addresses(inside));
  for (const MemberAddress& wanted : member.addresses)
    if (std::ranges::none_of(addresses, [&](const InterfaceAddress& one) {
          return one.index == link->index && one.address == wanted.address;
        }))
      out.push_back("address " + wanted.address.text() + " is missing");
  return {};
}

Result<void> check_outside(const Store& store, const Member& member,
                           std::vector<std::string>& out) {
  const NetlinkSocket route = TRY(NetlinkSocket::open(NETLINK_ROUTE));
  const auto bridge = TRY(find_link(route, member.bridge));
  if (!bridge) out.push_back("bridge " + member.bridge + " is missing");
  const auto link = TRY(find_link(route, member.host_interface));
  if (!link || link->alias != alias_of(store, member))
    out.push_back("interface " + member.host_interface + " is missing");
  else if (bridge && link->master != bridge->index)
    out.push_back("interface " + member.host_interface + " is not on bridge " + member.bridge);
  return {};
}

Result<void> check_firewall(const Member& member, std::vector<std::string>& out) {
  const Firewall firewall = TRY(Firewall::open());
  const auto missing = TRY(firewall.missing_ports(member));
  for (const PublishedPort& port : missing)
    out.push_back("port " + port.text() + " is not published");
  const auto bridges = TRY(firewall.bridges());
  if (std::ranges::find(bridges, member.bridge) == bridges.end())
    out.push_back("the rules for bridge " + member.bridge + " are missing");
  return {};
}

}  // namespace

Result<std::vector<std::string>> check(const Store& store, const Member& member) {
  std::vector<std::string> out;
  TRY(check_outside(store, member, out));
  TRY(check_inside(member, out));
  TRY(check_firewall(member, out));
  return out;
}
