// SPDX-License-Identifier: Apache-2.0
#include "attachment.h"

#include <linux/netlink.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <set>

#include "attachment_steps.h"
#include "conntrack.h"
#include "firewall.h"
#include "forward_policy.h"
#include "hosts_file.h"
#include "lease.h"
#include "netns.h"

namespace {

Result<void> refuse_doubles(const std::vector<PublishedPort>& ports) {
  std::map<std::string, std::uint16_t> seen;
  for (const PublishedPort& port : ports) {
    const auto [at, fresh] = seen.emplace(port.host_text(), port.container_port);
    if (!fresh && at->second != port.container_port)
      return Error{"port " + port.host_text() + " is published twice, to " +
                   std::to_string(at->second) + " and to " + std::to_string(port.container_port)};
  }
  return {};
}

Result<void> refuse_nonsense(const AttachRequest& request) {
  if (!is_identifier(request.id, kLongestId))
    return Error{"'" + request.id + "' is no container id", 0,
                 "use letters, digits, '_', '.' and '-', at most 140, a letter or digit first"};
  if (!is_interface_name(request.interface))
    return Error{"'" + request.interface + "' is no interface name"};
  std::vector<std::string> names = request.aliases;
  if (!request.name.empty()) names.push_back(request.name);
  for (const std::string& name : names)
    if (!is_host_name(name))
      return Error{"'" + name + "' is no host name", 0, "use letters, digits, '.', '-' and '_'"};
  return refuse_doubles(request.ports);
}

// An attachment of that name in the way: an error when it lives, else cleared away.
Result<void> make_way(const Store& store, const NetlinkSocket& route, const Network& network,
                      const AttachRequest& request) {
  const auto old = TRY(store.find_member(network.name, request.id, request.interface));
  if (!old) return {};
  const auto link = TRY(find_link(route, old->host_interface));
  if (link && link->alias == alias_of(store, *old))
    return Error{"container '" + request.id + "' is in network '" + network.name +
                     "' already, as " + request.interface,
                 EEXIST, "take it down first: netsetup down " + request.id};
  return take_down(store, route, *old);
}

Result<void> refuse_name_in_use(const Store& store, const Network& network,
                                const std::string& name) {
  if (name.empty()) return {};
  const auto members = TRY(store.members(network.name, ""));
  for (const Member& other : members)
    if (other.name == name)
      return Error{"name '" + name + "' is in use by container '" + other.id + "' (network '" +
                       network.name + "')",
                   EEXIST, "choose another with --name"};
  return {};
}

// The name of the host's end. One of ours that no record knows (the state
// directory was lost) is removed; one of somebody else's makes us take another name.
Result<std::string> free_host_interface(const Store& store, const NetlinkSocket& route,
                                        const Member& member) {
  for (unsigned attempt = 0; attempt < 16; ++attempt) {
    const std::string name = host_interface_name(member, attempt);
    const auto link = TRY(find_link(route, name));
    if (!link) return name;
    if (link->alias != alias_of(store, member)) continue;
    NetlinkBatch batch;
    delete_link(batch, name);
    TRY(route.transact(batch));
    return name;
  }
  return Error{"no free interface name for container '" + member.id + "'", EEXIST};
}

Member plan_member(const Network& network, const AttachRequest& request) {
  Member out;
  out.id = request.id;
  out.network = network.name;
  out.interface = request.interface;
  out.bridge = network.bridge;
  out.netns = request.netns;
  out.ports = request.ports;
  out.name = request.name;
  out.aliases = request.aliases;
  out.hosts_file = request.hosts_file;
  out.server_names = request.server_names;
  if (request.server) out.server_directory = request.server->directory;
  if (out.name.empty() && !out.hosts_file.empty() && is_host_name(out.id)) out.name = out.id;
  return out;
}

void add_planned_address(const Network& network, const RangeSet& set, const IpAddress& address,
                         Member& member) {
  const auto range = std::ranges::find_if(
      set, [&](const AddressRange& one) { return one.subnet.contains(address); });
  MemberAddress one{{address, range->subnet.length}, range->gateway};
  const bool v4 = address.family == AF_INET;
  const Cidr everything{IpAddress{address.family, {}}, 0};
  const bool known = std::ranges::any_of(
      member.routes, [&](const NetworkRoute& route) { return route.destination == everything; });
  if (network.default_route && !known)
    member.routes.push_back({everything, one.gateway, network.metric});
  for (const NetworkRoute& route : network.routes)
    if ((route.destination.address.family == AF_INET) == v4 &&
        !(known && route.destination == everything))
      member.routes.push_back(
          {route.destination, route.gateway ? route.gateway : one.gateway, route.metric});
  member.addresses.push_back(one);
}

Result<void> refuse_foreign(const Network& network, const std::vector<IpAddress>& wanted) {
  for (const IpAddress& address : wanted) {
    const bool known = std::ranges::any_of(network.range_sets, [&](const RangeSet& set) {
      return std::ranges::any_of(set, [&](const AddressRange& r) { return r.contains(address); });
    });
    if (!known)
      return Error{"address " + address.text() + " is not one of network '" + network.name + "' (" +
                   subnets_text(network) + ")"};
  }
  return {};
}

Result<void> take_addresses(const Store& store, const Network& network,
                            const AttachRequest& request, Member& member) {
  Leases leases = TRY(Leases::open(store.lease_directory(network), network.name));
  std::vector<IpAddress> wanted = request.addresses;
  for (std::size_t i = 0; i < network.range_sets.size(); ++i) {
    const RangeSet& set = network.range_sets[i];
    const auto ours = std::ranges::find_if(wanted, [&](const IpAddress& one) {
      return std::ranges::any_of(set, [&](const AddressRange& r) { return r.contains(one); });
    });
    IpAddress address;
    if (ours != wanted.end()) {
      address = *ours;
      wanted.erase(ours);
      TRY(leases.take_this(set, address, member.id, member.interface));
    } else {
      address = TRY(leases.take(set, i, member.id, member.interface));
    }
    add_planned_address(network, set, address, member);
  }
  if (!wanted.empty())
    return Error{"two addresses were asked for of one range, " + wanted.front().text() +
                 " is one of them"};
  return {};
}

VethSpec plan_veth(const Store& store, const Network& network, const Member& member,
                   const Link& bridge, FdRef netns) {
  VethSpec out;
  out.host_name = member.host_interface;
  out.alias = alias_of(store, member);
  out.container_name = member.interface;
  out.container_netns = netns.get();
  out.master = bridge.index;
  out.master_name = bridge.name;
  out.mtu = bridge.mtu;
  out.container_mac = member.mac;
  out.hairpin = network.hairpin;
  out.isolated = network.port_isolation;
  return out;
}

// `metrics`: the container has a default route of that family already, by another
// network that it joined before; that one stays the preferred one.
NetlinkBatch inside_batch(const Member& member, const Link& link, const std::set<int>& metrics) {
  NetlinkBatch out;
  set_link_up(out, 1, "lo");
  set_link_up(out, link.index, link.name);
  for (const MemberAddress& one : member.addresses)
    add_address(out, link.index, link.name, one.address);
  for (const NetworkRoute& route : member.routes) {
    RouteSpec spec{route.destination, route.gateway, link.index, link.name, route.metric};
    if (spec.metric == 0 && route.destination.length == 0 &&
        metrics.contains(route.destination.address.family))
      spec.metric = 100U + static_cast<std::uint32_t>(link.index);
    add_route(out, spec);
  }
  return out;
}

bool has_ipv6(const Member& member) {
  return std::ranges::any_of(member.addresses, [](const MemberAddress& one) {
    return one.address.address.family == AF_INET6;
  });
}

Result<void> connect_veth(const NetlinkSocket& route, const VethSpec& veth) {
  NetlinkBatch batch;
  add_veth(batch, veth);
  auto made = route.transact(batch);
  if (!made && made.error().code == EEXIST)
    return Error{"the container has an interface '" + veth.container_name + "' already", EEXIST,
                 "choose another with --interface"};
  return made;
}

// On for a network that has it: a kernel may start with it off everywhere. Off for
// one that has not: the announcements of a link-local address that nobody uses
// would be flooded to every port of the bridge, so the five-hundredth container
// would cost many times the first.
Result<void> switch_ipv6(const Member& member, FdRef netns) {
  const std::string conf = "ipv6/conf/" + member.interface;
  const bool wanted = has_ipv6(member);
  auto written = write_sysctl_in(netns, conf + "/disable_ipv6", wanted ? "0" : "1");
  if (wanted && written) written = write_sysctl_in(netns, conf + "/accept_ra", "0");
  if (!wanted && !written && written.error().code == ENOENT) return {};  // a kernel without IPv6
  return written;
}

Result<void> configure_inside(const Member& member, FdRef netns) {
  const NetlinkSocket inside = TRY(route_socket_in(netns));
  const auto link = TRY(find_link(inside, member.interface));
  if (!link) return Error{"the container's interface '" + member.interface + "' vanished", ENODEV};
  TRY(switch_ipv6(member, netns));
  std::set<int> metrics;
  if (link->index > 2)  // not the first of a fresh namespace
    for (const int family : {AF_INET, AF_INET6}) {
      const bool there = TRY(has_default_route(inside, family));
      if (there) metrics.insert(family);
    }
  return inside.transact(inside_batch(member, *link, metrics));
}

Result<Attached> connect(const Store& store, const NetlinkSocket& route, const Network& network,
                         const Member& member, FdRef netns,
                         const std::optional<NameServer>& names) {
  Attached out;
  const Firewall firewall = TRY(Firewall::open());
  TRY(firewall.add(network, member));
  forget_udp_flows(member);
  const Link bridge = TRY(ensure_bridge(store, route, network));
  out.warnings = TRY(pass_forward_policy(network));
  TRY(allow_localhost(route, bridge, member));
  TRY(connect_veth(route, plan_veth(store, network, member, bridge, netns)));
  TRY(configure_inside(member, netns));
  if (!member.hosts_file.empty()) TRY(update_hosts_file(member.hosts_file, network.name, "", true));
  if (!member.name.empty()) TRY(refresh_hosts(store, network.name));
  if (names) TRY(announce(*names, member));
  out.member = member;
  out.bridge_mac = bridge.mac;
  out.mtu = bridge.mtu;
  return out;
}

Result<void> probe_ports(const AttachRequest& request, const Network& network) {
  for (const PublishedPort& port : request.ports)
    for (const RangeSet& set : network.range_sets) {
      const int family = set.front().first.family;
      if (port.host_address && port.host_address->family != family) continue;
      TRY(probe_host_port(port, family));
    }
  return {};
}

// Undoes everything unless kept: the record, when there is one, knows what.
class Undo {
 public:
  Undo(const Store& store, const NetlinkSocket& route, const Member& member)
      : store_(store), route_(route), member_(member) {}
  Undo(const Undo&) = delete;
  Undo& operator=(const Undo&) = delete;
  ~Undo() {
    // The error that is on its way up says what happened; what cannot be undone
    // now stays recorded, for `down` and `gc`.
    if (!kept_) (void)take_down(store_, route_, member_);
  }
  void keep() { kept_ = true; }

 private:
  const Store& store_;
  const NetlinkSocket& route_;
  const Member& member_;
  bool kept_ = false;
};

Result<Attached> attach_locked(const Store& store, const NetlinkSocket& route,
                               const Network& network, const AttachRequest& request) {
  TRY(make_way(store, route, network, request));
  const UniqueFd netns = TRY(open_netns(request.netns));
  TRY(refuse_name_in_use(store, network, request.name));
  TRY(refuse_foreign(network, request.addresses));
  if (!request.engine_has_ports) TRY(probe_ports(request, network));
  Member member = plan_member(network, request);
  Undo undo(store, route, member);
  const auto known = TRY(store.find_network(network.name));
  if (!known) TRY(store.save_network(network));
  TRY(take_addresses(store, network, request, member));
  member.mac = request.mac.value_or(mac_for(member.addresses.front().address.address));
  member.hosts_file_created =
      !member.hosts_file.empty() && ::access(member.hosts_file.c_str(), F_OK) != 0;
  if (request.engine_has_ports && !member.ports.empty()) {
    const Firewall firewall = TRY(Firewall::open());
    member.ports = TRY(firewall.without_own(member));
  }
  member.host_interface = TRY(free_host_interface(store, route, member));
  TRY(store.save_member(member));
  Attached out = TRY(connect(store, route, network, member, netns, request.server));
  undo.keep();
  return out;
}

std::string lines_of(const NetlinkBatch& batch) {
  std::string out;
  for (const std::string& what : batch.what()) out += what + "\n";
  return out;
}

// The messages themselves are built, as they would be sent; only their words are used.
Result<std::string> describe(const Store& store, const NetlinkSocket& route, const Network& network,
                             const Member& member, FdRef netns) {
  const auto found = TRY(find_link(route, network.bridge));
  Link bridge = found.value_or(Link{});
  bridge.name = network.bridge;
  std::string out = lines_of(firewall_batch(network, member, !found));
  if (!found) {
    NetlinkBatch batch;
    add_bridge(batch, {network.bridge, mac_for(network.range_sets.front().front().gateway),
                       network.mtu, alias_of_bridge(store, network.name), false});
    for (const RangeSet& set : network.range_sets)
      add_address(batch, 0, network.bridge, {set.front().gateway, set.front().subnet.length});
    out += lines_of(batch);
  }
  NetlinkBatch veth;
  add_veth(veth, plan_veth(store, network, member, bridge, netns));
  Link inside;
  inside.name = member.interface;
  return out + lines_of(veth) + "in the container:\n" + lines_of(inside_batch(member, inside, {}));
}

}  // namespace

Result<Attached> attach(const Store& store, const NetworkRequest& wanted,
                        const AttachRequest& request) {
  TRY(refuse_nonsense(request));
  const FileLock lock = TRY(store.lock());
  const NetlinkSocket route = TRY(NetlinkSocket::open(NETLINK_ROUTE));
  const Network network = TRY(choose_network(store, route, wanted));
  return attach_locked(store, route, network, request);
}

Result<std::string> describe_attach(const Store& store, const NetworkRequest& wanted,
                                    const AttachRequest& request) {
  TRY(refuse_nonsense(request));
  const FileLock lock = TRY(store.lock());
  const NetlinkSocket route = TRY(NetlinkSocket::open(NETLINK_ROUTE));
  const Network network = TRY(choose_network(store, route, wanted));
  const UniqueFd netns = TRY(open_netns(request.netns));
  Member member = plan_member(network, request);
  for (const RangeSet& set : network.range_sets) {
    const auto wish = std::ranges::find_if(
        request.addresses, [&](const IpAddress& one) { return set.front().subnet.contains(one); });
    const auto next = following_address(set, std::nullopt);
    if (wish != request.addresses.end())
      add_planned_address(network, set, *wish, member);
    else if (next)
      add_planned_address(network, set, *next, member);
  }
  member.mac = request.mac.value_or(mac_for(member.addresses.front().address.address));
  member.host_interface = host_interface_name(member, 0);
  return describe(store, route, network, member, netns);
}

Result<Attached> attach_to(const Store& store, const Network& wanted,
                           const AttachRequest& request) {
  TRY(refuse_nonsense(request));
  const FileLock lock = TRY(store.lock());
  const NetlinkSocket route = TRY(NetlinkSocket::open(NETLINK_ROUTE));
  const Network network = TRY(accept_network(store, route, wanted));
  return attach_locked(store, route, network, request);
}
