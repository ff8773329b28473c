// SPDX-License-Identifier: Apache-2.0
// publish.cc - ports of a member that is connected already.
#include <linux/netlink.h>

#include <algorithm>
#include <cerrno>

#include "attachment_steps.h"
#include "conntrack.h"
#include "firewall.h"

Result<void> allow_localhost(const NetlinkSocket& route, const Link& bridge, const Member& member) {
  const bool needed = std::ranges::any_of(member.ports, [](const PublishedPort& port) {
    return !port.host_address || port.host_address->is_loopback();
  });
  if (!needed) return {};
  NetlinkBatch batch;
  set_ipv4(batch, bridge, Ipv4Setting::RouteLocalnet, 1);
  return route.transact(batch);
}

namespace {

Result<void> publish_recorded(const Store& store, const Network& network, const Member& member) {
  TRY(store.save_member(member));
  const NetlinkSocket route = TRY(NetlinkSocket::open(NETLINK_ROUTE));
  const auto bridge = TRY(find_link(route, member.bridge));
  if (!bridge) return Error{"bridge '" + member.bridge + "' is missing", ENODEV};
  const Firewall firewall = TRY(Firewall::open());
  TRY(firewall.add(network, member));
  forget_udp_flows(member);
  return allow_localhost(route, *bridge, member);
}

}  // namespace

Result<void> publish(const Store& store, const Network& network, Member member,
                     const std::vector<PublishedPort>& ports) {
  member.ports = ports;
  {
    const Firewall firewall = TRY(Firewall::open());
    member.ports = TRY(firewall.without_own(member));
  }
  auto done = publish_recorded(store, network, member);
  if (!done) (void)unpublish(store, std::move(member));
  return done;
}

Result<void> unpublish(const Store& store, Member member) {
  if (member.ports.empty()) return {};
  {
    const Firewall firewall = TRY(Firewall::open());
    TRY(firewall.remove_ports(member));
  }
  forget_udp_flows(member);
  member.ports.clear();
  return store.save_member(member);
}
