// SPDX-License-Identifier: Apache-2.0
// network.h - what a network is, read from and written as a CNI network
// configuration list: the one configuration format of every face. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/json.h"

#include "address.h"

struct AddressRange {
  Cidr subnet;
  IpAddress first;  // of those handed out
  IpAddress last;
  IpAddress gateway;  // never handed out

  bool contains(const IpAddress& address) const { return address >= first && address <= last; }
};
using RangeSet = std::vector<AddressRange>;  // ranges of one family; gives one address

struct NetworkRoute {
  Cidr destination;
  std::optional<IpAddress> gateway = {};  // absent: that of the network
  std::uint32_t metric = 0;               // 0: the kernel's own
};

struct Network {
  std::string name;
  std::string bridge;
  std::vector<RangeSet> range_sets = {};
  std::vector<NetworkRoute> routes = {};
  bool gateway = true;               // the bridge has the gateway's address
  bool default_route = true;         // containers leave through it
  bool masquerade = true;            // as the host
  bool hairpin = true;               // a container reaches its own published port
  bool isolated = true;              // only its own members and published ports get in
  bool port_isolation = false;       // members do not see one another
  std::uint32_t mtu = 0;             // 0: as the host's default route
  std::uint32_t metric = 0;          // of the default route; 0: by the order of the networks
  std::string lease_directory = {};  // host-local's dataDir; empty: the state directory
};

// Letters, digits and "_.-", the first a letter or digit: what CNI allows for
// the name of a network and the id of a container. Nothing that a path could mean.
bool is_identifier(std::string_view text, std::size_t longest);
inline constexpr std::size_t kLongestNetwork = 80;  // so that both fit into the mark
inline constexpr std::size_t kLongestId = 140;      // that an interface carries
bool is_interface_name(std::string_view text);

// A range from a subnet with everything else by default: gateway .1, all
// addresses but the network's and the broadcast.
Result<AddressRange> range_of(const Cidr& subnet);

// The configuration list in `text`; `source` stands in the errors.
Result<Network> parse_conflist(const std::string& source, std::string_view text);
// One plugin's configuration with the name of its network, as CNI hands it to
// our own type.
Result<Network> parse_plugin(const JsonView& root);
// Its addresses alone, as a plugin for addresses gets them.
Result<Network> parse_ipam(const JsonView& root);
std::string to_conflist(const Network& network);

// "priority" of a route, in configurations and records.
Result<std::uint32_t> metric_of(const JsonView& route);
std::string subnets_text(const Network& network);  // "10.89.0.0/24, fd00::/64"
