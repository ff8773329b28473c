// SPDX-License-Identifier: Apache-2.0
// link.h - interfaces, addresses and routes: the rtnetlink messages that we send
// and the answers that we read.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "address.h"
#include "netlink.h"

using MacAddress = std::array<std::uint8_t, 6>;
std::string mac_text(const MacAddress& mac);  // "02:6e:0a:59:00:02"
std::optional<MacAddress> parse_mac(std::string_view text);
// Locally administered and the same for the same address, so that neighbours'
// caches stay true when an address is used again.
MacAddress mac_for(const IpAddress& address);
MacAddress host_end_mac(const MacAddress& container_end);  // of the same veth pair

struct Link {
  int index = 0;
  int master = 0;
  std::uint32_t mtu = 0;
  std::uint32_t queue_length = 0;
  unsigned flags = 0;  // IFF_*
  bool up = false;
  bool running = false;  // has carrier and forwards
  std::string name = {};
  std::string alias = {};
  std::string kind = {};
  MacAddress mac = {};
};

struct BridgeSpec {
  std::string name;
  MacAddress mac = {};
  std::uint32_t mtu = 0;
  std::string alias;
  // An address of its own, which it needs to find IPv6 neighbours for others.
  bool link_local = false;
};
void add_bridge(NetlinkBatch& batch, const BridgeSpec& bridge);  // down still

struct VethSpec {
  std::string host_name;
  std::string alias;
  std::string container_name;
  int container_netns = -1;  // descriptor
  int master = 0;
  std::string master_name;  // for people
  std::uint32_t mtu = 0;
  MacAddress container_mac = {};
  bool hairpin = true;
  bool isolated = false;  // from the other ports of the bridge
};
// Both ends where they belong from the first moment: moving one afterwards costs
// the kernel a grace period (20 ms).
void add_veth(NetlinkBatch& batch, const VethSpec& veth);

// Settings of an interface that exists; those that are absent stay as they are.
struct LinkChange {
  std::optional<MacAddress> mac = {};
  std::optional<std::uint32_t> mtu = {};
  std::optional<std::uint32_t> queue_length = {};
  unsigned flags = 0;  // IFF_*, of those in the mask
  unsigned flag_mask = 0;
  friend bool operator==(const LinkChange&, const LinkChange&) = default;
};
void change_link(NetlinkBatch& batch, const Link& link, const LinkChange& change);

// Sees the other ports of its bridge no more.
void isolate_bridge_port(NetlinkBatch& batch, const std::string& name);

// Up, by name.
void set_up(NetlinkBatch& batch, const std::string& name);
void set_link_up(NetlinkBatch& batch, int index, const std::string& name);
void set_link_mac(NetlinkBatch& batch, int index, const std::string& name, const MacAddress& mac);
void delete_link(NetlinkBatch& batch, const std::string& name);
void delete_link_number(NetlinkBatch& batch, int index, const std::string& name);
// IPv4 settings of an existing interface, as /proc/sys/net/ipv4/conf/NAME has them.
enum class Ipv4Setting : std::uint16_t { ArpNotify = 22, RouteLocalnet = 26 };
void set_ipv4(NetlinkBatch& batch, const Link& link, Ipv4Setting setting, std::uint32_t value);

void add_address(NetlinkBatch& batch, int index, const std::string& name, const Cidr& address);

struct RouteSpec {
  Cidr destination;
  std::optional<IpAddress> gateway = {};
  int interface = 0;
  std::string interface_name = {};
  std::uint32_t metric = 0;  // 0: the kernel's own
};
void add_route(NetlinkBatch& batch, const RouteSpec& route);

// Nothing when there is no such interface.
Result<std::optional<Link>> find_link(const NetlinkSocket& route, const std::string& name);
Result<std::vector<Link>> list_links(const NetlinkSocket& route);

struct InterfaceAddress {
  int index = 0;
  Cidr address;
};
Result<std::vector<InterfaceAddress>> list_addresses(const NetlinkSocket& route);
// The destinations of the main table's routes, the default route left out.
Result<std::vector<Cidr>> list_routed_networks(const NetlinkSocket& route);
Result<bool> has_default_route(const NetlinkSocket& route, int family);
// The MTU of the interface that the default route leaves by; nothing without one.
Result<std::optional<std::uint32_t>> default_route_mtu(const NetlinkSocket& route);
