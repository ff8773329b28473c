// SPDX-License-Identifier: Apache-2.0
#include "attachment_steps.h"

#include <linux/netlink.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "conntrack.h"
#include "firewall.h"
#include "forward_policy.h"
#include "hash.h"
#include "hosts_file.h"
#include "lease.h"
#include "name_server.h"
#include "netns.h"

std::string alias_prefix(const Store& store) {
  std::array<char, 9> tag = {};
  (void)std::snprintf(tag.data(), tag.size(), "%08x", hash32(store.path()));
  return std::string("netsetup:") + tag.data() + ":";
}

std::string alias_of(const Store& store, const Member& member) {
  return alias_prefix(store) + owner_of(member);
}

std::string alias_of_bridge(const Store& store, const std::string& network) {
  return alias_prefix(store) + network;
}

namespace {

constexpr std::uint32_t kUsualMtu = 1500;

Result<void> make_bridge(const Store& store, const NetlinkSocket& route, const Network& network) {
  const auto uplink = TRY(default_route_mtu(route));
  BridgeSpec bridge;
  bridge.name = network.bridge;
  bridge.mac = mac_for(network.range_sets.front().front().gateway);
  bridge.mtu = network.mtu != 0 ? network.mtu : std::min(uplink.value_or(kUsualMtu), 65535U);
  bridge.alias = alias_of_bridge(store, network.name);
  bridge.link_local = std::ranges::any_of(
      network.range_sets, [](const RangeSet& set) { return set.front().first.family == AF_INET6; });
  NetlinkBatch batch;
  add_bridge(batch, bridge);
  TRY(route.transact(batch));
  // No router advertisement of a container may configure this host.
  auto written = write_sysctl("ipv6/conf/" + bridge.name + "/accept_ra", "0");
  if (!written && written.error().code != ENOENT) return written;  // a host without IPv6
  return {};
}

Result<void> add_gateways(const NetlinkSocket& route, const Network& network, const Link& bridge) {
  for (const RangeSet& set : network.range_sets) {
    for (const AddressRange& range : set) {
      NetlinkBatch batch;
      add_address(batch, bridge.index, bridge.name, {range.gateway, range.subnet.length});
      auto added = route.transact(batch);
      if (!added && added.error().code != EEXIST) return added;
    }
    const bool v4 = set.front().first.family == AF_INET;
    TRY(switch_on(v4 ? "ipv4/ip_forward" : "ipv6/conf/all/forwarding"));
  }
  return {};
}

}  // namespace

Result<Link> ensure_bridge(const Store& store, const NetlinkSocket& route, const Network& network) {
  auto found = TRY(find_link(route, network.bridge));
  if (!found) {
    TRY(make_bridge(store, route, network));
    found = TRY(find_link(route, network.bridge));
    if (!found) return Error{"bridge '" + network.bridge + "' vanished", ENODEV};
  }
  if (found->kind != "bridge")
    return Error{"interface '" + network.bridge + "' exists and is no bridge", EEXIST,
                 "choose another with --bridge"};
  if (!found->up) {
    NetlinkBatch batch;
    set_link_up(batch, found->index, found->name);
    TRY(route.transact(batch));
  }
  if (network.gateway) TRY(add_gateways(route, network, *found));
  return *found;
}

Result<void> refresh_hosts(const Store& store, const std::string& network) {
  const auto members = TRY(store.members(network, ""));
  const std::string lines = hosts_lines(members);
  for (const Member& member : members) {
    if (member.hosts_file.empty()) continue;
    // A bundle that was removed, or became something else, is its owner's
    // business: it must not keep the others from being updated.
    (void)update_hosts_file(member.hosts_file, network, lines, false);
  }
  return {};
}

namespace {

Result<void> remove_interface(const Store& store, const NetlinkSocket& route,
                              const Member& member) {
  if (member.host_interface.empty()) return {};
  const auto link = TRY(find_link(route, member.host_interface));
  if (!link || link->alias != alias_of(store, member)) return {};
  NetlinkBatch batch;
  delete_link(batch, member.host_interface);
  auto removed = route.transact(batch);
  if (!removed && removed.error().code != ENODEV) return removed;
  return {};
}

Result<void> remove_names(const Store& store, const Member& member) {
  TRY(withdraw(member));
  if (!member.hosts_file.empty()) {
    // A bundle that was removed, or became something else, is not ours to mend.
    if (member.hosts_file_created)
      (void)::unlink(member.hosts_file.c_str());
    else
      (void)update_hosts_file(member.hosts_file, member.network, "", false);
  }
  if (member.name.empty()) return {};
  return refresh_hosts(store, member.network);
}

Result<void> give_back_addresses(const Store& store, const Network& network, const Member& member) {
  const std::string directory = store.lease_directory(network) + "/" + network.name;
  if (member.addresses.empty() || ::access(directory.c_str(), F_OK) != 0) return {};
  Leases leases = TRY(Leases::open(store.lease_directory(network), network.name));
  for (const MemberAddress& one : member.addresses)
    TRY(leases.give_back(one.address.address, member.id, member.interface));
  return {};
}

}  // namespace

Result<void> forget_member(const Store& store, const Member& member) {
  Network network;
  network.name = member.network;
  if (const auto known = TRY(store.find_network(member.network))) network = *known;
  TRY(give_back_addresses(store, network, member));
  TRY(store.remove_member(member));
  return remove_names(store, member);
}

Result<void> take_down(const Store& store, const NetlinkSocket& route, const Member& member) {
  {
    const Firewall firewall = TRY(Firewall::open());
    TRY(firewall.remove_ports(member));
  }
  forget_udp_flows(member);
  TRY(remove_interface(store, route, member));
  TRY(forget_member(store, member));
  const bool others = TRY(store.has_members(member.network));
  if (others) return {};
  return take_down_network(store, route, member.network, member.bridge);
}

Result<void> take_down_network(const Store& store, const NetlinkSocket& route,
                               const std::string& network, const std::string& bridge) {
  {
    const Firewall firewall = TRY(Firewall::open());
    TRY(firewall.remove_network(bridge));
  }
  TRY(forget_forward_policy(bridge));
  const auto link = TRY(find_link(route, bridge));
  // A bridge that was there before us is not ours to remove.
  if (link && link->kind == "bridge" && link->alias == alias_of_bridge(store, network)) {
    NetlinkBatch batch;
    delete_link(batch, bridge);
    auto removed = route.transact(batch);
    if (!removed && removed.error().code != ENODEV) return removed;
  }
  return store.remove_network(network);
}

Result<std::size_t> detach(const Store& store, const std::string& id, const std::string& network,
                           const std::string& interface) {
  const FileLock lock = TRY(store.lock());
  const NetlinkSocket route = TRY(NetlinkSocket::open(NETLINK_ROUTE));
  const auto members = TRY(store.members(network, id));
  std::size_t count = 0;
  for (const Member& member : members) {
    if (!interface.empty() && member.interface != interface) continue;
    TRY(take_down(store, route, member));
    ++count;
  }
  return count;
}
