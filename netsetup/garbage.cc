// SPDX-License-Identifier: Apache-2.0
// garbage.cc - what no living container owns: found by comparing records,
// interfaces, ports and leases, whichever of them was lost.
#include <linux/netlink.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include "attachment_steps.h"
#include "firewall.h"
#include "lease.h"

namespace {

class Collector {
 public:
  Collector(const Store& store, const NetlinkSocket& route) : store_(store), route_(route) {}

  Result<Garbage> run() {
    TRY(members_without_interface());
    const auto members = TRY(store_.members("", ""));
    for (const Member& member : members) owners_.insert(owner_of(member));
    TRY(interfaces_without_member());
    TRY(ports_without_member());
    TRY(leases_without_member());
    TRY(networks_without_member());
    return std::move(garbage_);
  }

 private:
  void note(const std::string& what) { garbage_.removed.push_back(what); }

  // The kernel removes a pair of interfaces with the namespace of either, so an
  // interface of ours that is gone means a container that is gone.
  Result<void> members_without_interface() {
    const auto members = TRY(store_.members("", ""));
    for (const Member& member : members) {
      const auto link = TRY(find_link(route_, member.host_interface));
      if (link && link->alias == alias_of(store_, member)) continue;
      TRY(take_down(store_, route_, member));
      note("member " + owner_of(member));
    }
    return {};
  }

  Result<void> remove_link(const Link& link) {
    NetlinkBatch batch;
    delete_link(batch, link.name);
    auto removed = route_.transact(batch);
    if (!removed && removed.error().code != ENODEV) return removed;
    note("interface " + link.name);
    return {};
  }

  Result<void> interfaces_without_member() {
    const std::string prefix = alias_prefix(store_);
    const auto links = TRY(list_links(route_));
    for (const Link& link : links) {
      if (!link.alias.starts_with(prefix)) continue;
      const std::string owner = link.alias.substr(prefix.size());
      TRY(link.kind == "bridge" ? judge_bridge(link, owner) : judge_end(link, owner));
    }
    return {};
  }

  Result<void> judge_bridge(const Link& link, const std::string& network) {
    const bool used = TRY(store_.has_members(network));
    if (used) return {};
    TRY(take_down_network(store_, route_, network, link.name));
    note("network " + network);
    return {};
  }

  Result<void> judge_end(const Link& link, const std::string& owner) {
    if (owners_.contains(owner)) return {};
    return remove_link(link);
  }

  // Another state directory may have members in the same table: only those on
  // networks that this one knows, or knew, are ours to judge.
  Result<void> ports_without_member() {
    const Firewall firewall = TRY(Firewall::open());
    const auto published = TRY(firewall.published());
    const auto links = TRY(list_links(route_));
    for (const Member& member : published) {
      if (owners_.contains(owner_of(member)) || lives_elsewhere(links, member)) continue;
      TRY(firewall.remove_ports(member));
      for (const PublishedPort& port : member.ports)
        note("port " + port.host_text() + " of " + owner_of(member));
    }
    const auto bridges = TRY(firewall.bridges());
    for (const std::string& bridge : bridges) {
      if (std::ranges::find(links, bridge, &Link::name) != links.end()) continue;
      TRY(firewall.remove_network(bridge));
      note("rules for bridge " + bridge);
    }
    return {};
  }

  bool lives_elsewhere(const std::vector<Link>& links, const Member& member) const {
    return std::ranges::any_of(links, [&](const Link& link) {
      return link.alias.starts_with("netsetup:") && link.alias.ends_with(":" + owner_of(member));
    });
  }

  Result<void> leases_without_member() {
    const auto networks = TRY(store_.networks());
    for (const Network& network : networks) {
      // Somebody else's lease directory holds somebody else's leases.
      if (!network.lease_directory.empty()) continue;
      Leases leases = TRY(Leases::open(store_.lease_directory(network), network.name));
      const auto all = TRY(leases.all());
      for (const auto& lease : all) {
        if (owners_.contains(network.name + "/" + lease.owner_id + "/" + lease.interface)) continue;
        TRY(leases.give_back(lease.address, lease.owner_id, lease.interface));
        note("lease " + lease.address.text() + " of " + lease.owner_id);
      }
    }
    return {};
  }

  Result<void> networks_without_member() {
    const auto networks = TRY(store_.networks());
    for (const Network& network : networks) {
      const bool used = TRY(store_.has_members(network.name));
      if (used) continue;
      TRY(take_down_network(store_, route_, network.name, network.bridge));
      note("network " + network.name);
    }
    return {};
  }

  const Store& store_;
  const NetlinkSocket& route_;
  std::set<std::string> owners_ = {};
  Garbage garbage_ = {};
};

}  // namespace

Result<Garbage> collect_garbage(const Store& store) {
  const FileLock lock = TRY(store.lock());
  const NetlinkSocket route = TRY(NetlinkSocket::open(NETLINK_ROUTE));
  return Collector(store, route).run();
}
