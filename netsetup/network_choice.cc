// SPDX-License-Identifier: Apache-2.0
#include "network_choice.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "hash.h"

namespace {

constexpr std::string_view kDefaultName = "default";
constexpr std::uint8_t kPool[] = {10, 89};  // 10.89.0.0/16, in pieces of /24

Cidr pool_subnet(int number) {
  Cidr out{IpAddress{AF_INET, {}}, 24};
  out.address.bytes[0] = kPool[0];
  out.address.bytes[1] = kPool[1];
  out.address.bytes[2] = static_cast<std::uint8_t>(number);
  return out;
}

std::string bridge_of(int number) {
  return "nsbr" + std::to_string(number);
}

Result<Network> simple_network(const std::string& name, const std::string& bridge,
                               const Cidr& subnet) {
  Network out;
  out.name = name;
  out.bridge = bridge;
  const AddressRange range = TRY(range_of(subnet));
  out.range_sets.push_back({range});
  return out;
}

// What other networks, and the host, use already.
struct Used {
  struct Place {
    Cidr subnet;
    std::string by;
  };
  std::vector<Place> places;
  std::vector<std::string> bridges;

  const Place* overlapping(const Cidr& subnet) const {
    const auto it = std::ranges::find_if(
        places, [&](const Place& place) { return overlaps(place.subnet, subnet); });
    return it == places.end() ? nullptr : &*it;
  }
};

Result<Used> what_is_used(const Store& store, const NetlinkSocket& route,
                          const std::string& own_bridge) {
  Used out;
  const auto networks = TRY(store.networks());
  for (const Network& network : networks) {
    out.bridges.push_back(network.bridge);
    for (const RangeSet& set : network.range_sets)
      for (const AddressRange& range : set)
        out.places.push_back({range.subnet, "network '" + network.name + "'"});
  }
  const auto own = own_bridge.empty() ? std::optional<Link>() : TRY(find_link(route, own_bridge));
  const auto addresses = TRY(list_addresses(route));
  for (const InterfaceAddress& one : addresses)
    if (!own || one.index != own->index)
      out.places.push_back({{one.address.first(), one.address.length},
                            "address " + one.address.address.text() + " of this host"});
  return out;
}

Result<Network> next_free(const Store& store, const NetlinkSocket& route,
                          const NetworkRequest& request) {
  const Used used = TRY(what_is_used(store, route, request.bridge));
  const auto routed = TRY(list_routed_networks(route));
  // 0 is kept for the default network.
  for (int number = 1; number < 256; ++number) {
    const std::string bridge = request.bridge.empty() ? bridge_of(number) : request.bridge;
    const Cidr subnet = request.subnet.value_or(pool_subnet(number));
    if (std::ranges::find(used.bridges, bridge) != used.bridges.end()) continue;
    if (!request.subnet) {
      const bool reached = std::ranges::any_of(
          routed, [&](const Cidr& one) { return one.length >= 16 && overlaps(one, subnet); });
      if (reached || used.overlapping(subnet) != nullptr) continue;
    }
    return simple_network(request.name, bridge, subnet);
  }
  return Error{"no free subnet in 10.89.0.0/16 for network '" + request.name + "'", 0,
               "choose one with --subnet"};
}

Result<Network> defined_by(const std::string& file, const NetworkRequest& request) {
  const std::string text = TRY(read_file(file));
  Network network = TRY(parse_conflist(file, text));
  if (network.name != request.name)
    return Error{file + ": it defines network '" + network.name + "', not '" + request.name + "'"};
  return network;
}

// What the command line or a configuration file says of the network; nothing
// when only its name was given.
Result<std::optional<Network>> described(const NetlinkSocket& route, const Store& store,
                                         const NetworkRequest& request) {
  const std::string installed = "/etc/netsetup/" + request.name + ".conflist";
  std::string file = request.config;
  if (file.empty() && ::access(installed.c_str(), F_OK) == 0) file = installed;
  std::optional<Network> out;
  if (!file.empty()) {
    out = TRY(defined_by(file, request));
    if (!request.bridge.empty()) out->bridge = request.bridge;
    if (out->bridge.empty()) {
      const Network other = TRY(next_free(store, route, {request.name, "", {}, ""}));
      out->bridge = other.bridge;
    }
  }
  return out;
}

bool same_subnets(const Network& a, const Network& b) {
  return subnets_text(a) == subnets_text(b);
}

// Two descriptions of one network that is in use.
Result<Network> reconcile(const Network& existing, const Network& wanted) {
  if (!same_subnets(existing, wanted))
    return Error{"network '" + existing.name + "' exists with " + subnets_text(existing) +
                     ", not " + subnets_text(wanted),
                 EEXIST, "take its containers down first, or use another name"};
  if (existing.bridge != wanted.bridge)
    return Error{"network '" + existing.name + "' exists on bridge '" + existing.bridge +
                     "', not '" + wanted.bridge + "'",
                 EEXIST, "take its containers down first, or use another name"};
  return wanted;
}

Result<Network> check_new(const Store& store, const NetlinkSocket& route, Network network) {
  const Used used = TRY(what_is_used(store, route, network.bridge));
  if (std::ranges::find(used.bridges, network.bridge) != used.bridges.end())
    return Error{"bridge '" + network.bridge + "' belongs to another network", EEXIST,
                 "choose another one for '" + network.name + "'"};
  for (const RangeSet& set : network.range_sets)
    for (const AddressRange& range : set)
      if (const auto* place = used.overlapping(range.subnet))
        return Error{"subnet " + range.subnet.text() + " of network '" + network.name +
                         "' overlaps " + place->by + " (" + place->subnet.text() + ")",
                     EADDRINUSE, "choose another one with --subnet"};
  return network;
}

}  // namespace

Result<Network> accept_network(const Store& store, const NetlinkSocket& route, Network network) {
  const auto existing = TRY(store.find_network(network.name));
  if (existing) return reconcile(*existing, network);
  return check_new(store, route, std::move(network));
}

Result<Network> choose_network(const Store& store, const NetlinkSocket& route,
                               const NetworkRequest& request) {
  if (!is_identifier(request.name, kLongestNetwork))
    return Error{"'" + request.name + "' is no network name", 0,
                 "use letters, digits, '_', '.' and '-', at most 80, a letter or digit first"};
  if (!request.bridge.empty() && !is_interface_name(request.bridge))
    return Error{"'" + request.bridge + "' is no name for a bridge", 0, "use at most 15 letters"};
  auto network = TRY(described(route, store, request));
  if (network) return accept_network(store, route, *std::move(network));
  const auto existing = TRY(store.find_network(request.name));
  if (existing) {
    Network wanted = *existing;
    if (!request.bridge.empty()) wanted.bridge = request.bridge;
    if (request.subnet) {
      const AddressRange range = TRY(range_of(*request.subnet));
      wanted.range_sets = {{range}};
    }
    return reconcile(*existing, wanted);
  }
  const bool standard = request.name == kDefaultName;
  Network fresh =
      standard
          ? TRY(simple_network(request.name, request.bridge.empty() ? bridge_of(0) : request.bridge,
                               request.subnet.value_or(pool_subnet(0))))
          : TRY(next_free(store, route, request));
  return check_new(store, route, std::move(fresh));
}
