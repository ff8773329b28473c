// SPDX-License-Identifier: Apache-2.0
#include "link.h"

#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
// After <net/if.h>, whose names <linux/if.h> would define a second time.
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

namespace {

constexpr std::uint16_t kCreate = NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK;

ifinfomsg link_header(int index = 0, unsigned flags = 0) {
  ifinfomsg out = {};
  out.ifi_index = index;
  out.ifi_flags = flags;
  out.ifi_change = flags;
  return out;
}

std::string_view bytes_of(const MacAddress& mac) {
  return {reinterpret_cast<const char*>(mac.data()), mac.size()};
}

// An interface that only carries containers' frames needs no link-local
// address, and without one no router advertisement reaches it. The kernel takes
// this for an interface that exists, and in time only before it is up. The
// alias, too, would be passed over if it came with the creation.
void mark(NetlinkBatch& batch, const std::string& name, const std::string& alias, bool link_local) {
  batch.begin(RTM_NEWLINK, NLM_F_ACK, link_header(),
              "link set " + name + " alias " + alias + (link_local ? "" : " addrgenmode none"));
  batch.put_string(IFLA_IFNAME, name);
  batch.put_string(IFLA_IFALIAS, alias);
  if (link_local) return;
  batch.nest(IFLA_AF_SPEC, [&] {
    batch.nest(AF_INET6, [&] { batch.put_u8(IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE); });
  });
}

}  // namespace

std::string mac_text(const MacAddress& mac) {
  std::array<char, 18> out = {};
  (void)std::snprintf(out.data(), out.size(), "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1],
                      mac[2], mac[3], mac[4], mac[5]);
  return out.data();
}

std::optional<MacAddress> parse_mac(std::string_view text) {
  MacAddress out = {};
  if (text.size() != 17) return std::nullopt;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::string_view digits = text.substr(i * 3, 2);
    const auto value = [](char c) {
      if (c >= '0' && c <= '9') return c - '0';
      if (c >= 'a' && c <= 'f') return c - 'a' + 10;
      return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
    };
    if (value(digits[0]) < 0 || value(digits[1]) < 0) return std::nullopt;
    if (i < 5 && text[i * 3 + 2] != ':') return std::nullopt;
    out[i] = static_cast<std::uint8_t>(value(digits[0]) * 16 + value(digits[1]));
  }
  return out;
}

MacAddress mac_for(const IpAddress& address) {
  MacAddress out = {0x02, 0x6e, 0, 0, 0, 0};
  const std::size_t from = address.size() - 4;
  std::copy_n(address.bytes.begin() + static_cast<std::ptrdiff_t>(from), 4, out.begin() + 2);
  return out;
}

MacAddress host_end_mac(const MacAddress& container_end) {
  MacAddress out = container_end;
  out[0] = 0x06;
  out[1] = 0x6e;
  return out;
}

void add_bridge(NetlinkBatch& batch, const BridgeSpec& bridge) {
  batch.begin(RTM_NEWLINK, kCreate, link_header(),
              "link add " + bridge.name + " address " + mac_text(bridge.mac) + " mtu " +
                  std::to_string(bridge.mtu) + " type bridge");
  batch.put_string(IFLA_IFNAME, bridge.name);
  batch.put_u32(IFLA_MTU, bridge.mtu);
  // Given, so that it does not change with the ports that come and go.
  batch.put(IFLA_ADDRESS, bytes_of(bridge.mac));
  batch.nest(IFLA_LINKINFO, [&] { batch.put_string(IFLA_INFO_KIND, "bridge"); });
  mark(batch, bridge.name, bridge.alias, bridge.link_local);
}

namespace {

void set_bridge_port(NetlinkBatch& batch, const std::string& name, std::uint16_t what, bool on) {
  batch.begin(RTM_NEWLINK, NLM_F_ACK, link_header(),
              "link set " + name + " type bridge_slave " +
                  (what == IFLA_BRPORT_MODE ? "hairpin " : "isolated ") + (on ? "on" : "off"));
  batch.put_string(IFLA_IFNAME, name);
  batch.nest(IFLA_LINKINFO, [&] {
    batch.put_string(IFLA_INFO_SLAVE_KIND, "bridge");
    batch.nest(IFLA_INFO_SLAVE_DATA, [&] { batch.put_u8(what, on ? 1 : 0); });
  });
}

}  // namespace

void isolate_bridge_port(NetlinkBatch& batch, const std::string& name) {
  set_bridge_port(batch, name, IFLA_BRPORT_ISOLATED, true);
}

void add_veth(NetlinkBatch& batch, const VethSpec& veth) {
  batch.begin(RTM_NEWLINK, kCreate, link_header(),
              "link add " + veth.host_name + " mtu " + std::to_string(veth.mtu) + " master " +
                  veth.master_name + " type veth peer name " + veth.container_name + " address " +
                  mac_text(veth.container_mac) + " in the container's namespace");
  batch.put_string(IFLA_IFNAME, veth.host_name);
  batch.put_u32(IFLA_MTU, veth.mtu);
  batch.put_u32(IFLA_MASTER, static_cast<std::uint32_t>(veth.master));
  batch.put(IFLA_ADDRESS, bytes_of(host_end_mac(veth.container_mac)));
  batch.nest(IFLA_LINKINFO, [&] {
    batch.put_string(IFLA_INFO_KIND, "veth");
    batch.nest(IFLA_INFO_DATA, [&] {
      batch.nest(VETH_INFO_PEER, [&] {
        batch.put_header(link_header());
        batch.put_string(IFLA_IFNAME, veth.container_name);
        batch.put_u32(IFLA_MTU, veth.mtu);
        batch.put(IFLA_ADDRESS, bytes_of(veth.container_mac));
        batch.put_u32(IFLA_NET_NS_FD, static_cast<std::uint32_t>(veth.container_netns));
      });
    });
  });
  // In the message above the kernel would pass over these without a word.
  set_bridge_port(batch, veth.host_name, IFLA_BRPORT_MODE, veth.hairpin);
  if (veth.isolated) isolate_bridge_port(batch, veth.host_name);
  mark(batch, veth.host_name, veth.alias, false);
  set_up(batch, veth.host_name);
}

void set_up(NetlinkBatch& batch, const std::string& name) {
  batch.begin(RTM_NEWLINK, NLM_F_ACK, link_header(0, IFF_UP), "link set " + name + " up");
  batch.put_string(IFLA_IFNAME, name);
}

void set_link_up(NetlinkBatch& batch, int index, const std::string& name) {
  batch.begin(RTM_NEWLINK, NLM_F_ACK, link_header(index, IFF_UP), "link set " + name + " up");
}

void set_link_mac(NetlinkBatch& batch, int index, const std::string& name, const MacAddress& mac) {
  batch.begin(RTM_NEWLINK, NLM_F_ACK, link_header(index),
              "link set " + name + " address " + mac_text(mac));
  batch.put(IFLA_ADDRESS, bytes_of(mac));
}

void change_link(NetlinkBatch& batch, const Link& link, const LinkChange& change) {
  ifinfomsg header = link_header(link.index);
  header.ifi_flags = change.flags;
  header.ifi_change = change.flag_mask;
  std::string what = "link set " + link.name;
  if (change.mac) what += " address " + mac_text(*change.mac);
  if (change.mtu) what += " mtu " + std::to_string(*change.mtu);
  if (change.queue_length) what += " txqueuelen " + std::to_string(*change.queue_length);
  if ((change.flag_mask & IFF_PROMISC) != 0)
    what += (change.flags & IFF_PROMISC) != 0 ? " promisc on" : " promisc off";
  if ((change.flag_mask & IFF_ALLMULTI) != 0)
    what += (change.flags & IFF_ALLMULTI) != 0 ? " allmulticast on" : " allmulticast off";
  batch.begin(RTM_NEWLINK, NLM_F_ACK, header, what);
  if (change.mac) batch.put(IFLA_ADDRESS, bytes_of(*change.mac));
  if (change.mtu) batch.put_u32(IFLA_MTU, *change.mtu);
  if (change.queue_length) batch.put_u32(IFLA_TXQLEN, *change.queue_length);
}

void delete_link(NetlinkBatch& batch, const std::string& name) {
  batch.begin(RTM_DELLINK, NLM_F_ACK, link_header(), "link delete " + name);
  batch.put_string(IFLA_IFNAME, name);
}

void delete_link_number(NetlinkBatch& batch, int index, const std::string& name) {
  batch.begin(RTM_DELLINK, NLM_F_ACK, link_header(index), "link delete " + name);
}

void set_ipv4(NetlinkBatch& batch, const Link& link, Ipv4Setting setting, std::uint32_t value) {
  const bool local = setting == Ipv4Setting::RouteLocalnet;
  batch.begin(RTM_SETLINK, NLM_F_ACK, link_header(link.index),
              std::string("sysctl net.ipv4.conf.") + link.name +
                  (local ? ".route_localnet=" : ".arp_notify=") + std::to_string(value));
  batch.nest(IFLA_AF_SPEC, [&] {
    batch.nest(AF_INET, [&] {
      batch.nest(IFLA_INET_CONF,
                 [&] { batch.put_u32(static_cast<std::uint16_t>(setting), value); });
    });
  });
}

void add_address(NetlinkBatch& batch, int index, const std::string& name, const Cidr& address) {
  ifaddrmsg header = {};
  header.ifa_family = static_cast<std::uint8_t>(address.address.family);
  header.ifa_prefixlen = static_cast<std::uint8_t>(address.length);
  header.ifa_index = static_cast<std::uint32_t>(index);
  batch.begin(RTM_NEWADDR, kCreate, header, "address add " + address.text() + " dev " + name);
  batch.put(IFA_LOCAL, address.address.raw());
  batch.put(IFA_ADDRESS, address.address.raw());
  if (address.address.family == AF_INET && address.length < 31)
    batch.put(IFA_BROADCAST, address.last().raw());
  // We assign the address: nobody else has it, and waiting for proof costs seconds.
  if (address.address.family == AF_INET6) batch.put_u32(IFA_FLAGS, IFA_F_NODAD);
}

void add_route(NetlinkBatch& batch, const RouteSpec& route) {
  rtmsg header = {};
  header.rtm_family = static_cast<std::uint8_t>(route.destination.address.family);
  header.rtm_dst_len = static_cast<std::uint8_t>(route.destination.length);
  header.rtm_table = RT_TABLE_MAIN;
  header.rtm_protocol = RTPROT_STATIC;
  header.rtm_scope = route.gateway ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK;
  header.rtm_type = RTN_UNICAST;
  const bool whole = route.destination.length == 0;
  batch.begin(RTM_NEWROUTE, kCreate, header,
              "route add " + (whole ? std::string("default") : route.destination.text()) +
                  (route.gateway ? " via " + route.gateway->text() : "") + " dev " +
                  route.interface_name +
                  (route.metric != 0 ? " metric " + std::to_string(route.metric) : ""));
  if (!whole) batch.put(RTA_DST, route.destination.address.raw());
  if (route.gateway) batch.put(RTA_GATEWAY, route.gateway->raw());
  batch.put_u32(RTA_OIF, static_cast<std::uint32_t>(route.interface));
  if (route.metric != 0) batch.put_u32(RTA_PRIORITY, route.metric);
}

namespace {

constexpr std::uint32_t kNoStatistics = 8;  // RTEXT_FILTER_SKIP_STATS

Link read_link(const NetlinkReply& reply) {
  const auto header = reply.header<ifinfomsg>();
  const auto attributes = reply.attributes<ifinfomsg>();
  Link out;
  out.index = header.ifi_index;
  out.flags = header.ifi_flags;
  out.queue_length = attributes.u32(IFLA_TXQLEN).value_or(0);
  out.up = (header.ifi_flags & IFF_UP) != 0;
  out.running = (header.ifi_flags & IFF_RUNNING) != 0;
  out.name = attributes.string(IFLA_IFNAME);
  out.alias = attributes.string(IFLA_IFALIAS);
  out.master = static_cast<int>(attributes.u32(IFLA_MASTER).value_or(0));
  out.mtu = attributes.u32(IFLA_MTU).value_or(0);
  out.kind = attributes.nested(IFLA_LINKINFO).string(IFLA_INFO_KIND);
  const auto mac = attributes.find(IFLA_ADDRESS);
  if (mac && mac->size() == out.mac.size()) std::memcpy(out.mac.data(), mac->data(), mac->size());
  return out;
}

IpAddress read_address(int family, std::string_view bytes) {
  IpAddress out{family, {}};
  std::memcpy(out.bytes.data(), bytes.data(), std::min(bytes.size(), out.size()));
  return out;
}

}  // namespace

Result<std::optional<Link>> find_link(const NetlinkSocket& route, const std::string& name) {
  NetlinkBatch batch;
  batch.begin(RTM_GETLINK, 0, link_header(), "look up interface '" + name + "'");
  batch.put_string(IFLA_IFNAME, name);
  batch.put_u32(IFLA_EXT_MASK, kNoStatistics);
  auto replies = route.query(batch);
  if (!replies && replies.error().code == ENODEV) return std::optional<Link>();
  const auto found = TRY(std::move(replies));
  if (found.empty()) return std::optional<Link>();
  return std::optional<Link>(read_link(found.front()));
}

Result<std::vector<Link>> list_links(const NetlinkSocket& route) {
  NetlinkBatch batch;
  batch.begin(RTM_GETLINK, NLM_F_DUMP, link_header(), "list the interfaces");
  batch.put_u32(IFLA_EXT_MASK, kNoStatistics);
  std::vector<Link> out;
  const auto replies = TRY(route.query(batch));
  for (const NetlinkReply& reply : replies) out.push_back(read_link(reply));
  return out;
}

Result<std::vector<InterfaceAddress>> list_addresses(const NetlinkSocket& route) {
  NetlinkBatch batch;
  batch.begin(RTM_GETADDR, NLM_F_DUMP, ifaddrmsg{}, "list the addresses of this host");
  std::vector<InterfaceAddress> out;
  const auto replies = TRY(route.query(batch));
  for (const NetlinkReply& reply : replies) {
    const auto header = reply.header<ifaddrmsg>();
    const auto attributes = reply.attributes<ifaddrmsg>();
    auto bytes = attributes.find(IFA_LOCAL);
    if (!bytes) bytes = attributes.find(IFA_ADDRESS);
    if (!bytes) continue;
    out.push_back({static_cast<int>(header.ifa_index),
                   {read_address(header.ifa_family, *bytes), header.ifa_prefixlen}});
  }
  return out;
}

namespace {

Result<std::vector<NetlinkReply>> list_routes(const NetlinkSocket& route, int family = AF_INET) {
  NetlinkBatch batch;
  rtmsg header = {};
  header.rtm_family = static_cast<std::uint8_t>(family);
  header.rtm_table = RT_TABLE_MAIN;
  batch.begin(RTM_GETROUTE, NLM_F_DUMP, header, "list the routes of this host");
  return route.query(batch);
}

}  // namespace

Result<std::vector<Cidr>> list_routed_networks(const NetlinkSocket& route) {
  std::vector<Cidr> out;
  const auto replies = TRY(list_routes(route));
  for (const NetlinkReply& reply : replies) {
    const auto header = reply.header<rtmsg>();
    const auto bytes = reply.attributes<rtmsg>().find(RTA_DST);
    if (header.rtm_table != RT_TABLE_MAIN || !bytes) continue;
    out.push_back({read_address(header.rtm_family, *bytes), header.rtm_dst_len});
  }
  return out;
}

Result<bool> has_default_route(const NetlinkSocket& route, int family) {
  const auto routes = TRY(list_routes(route, family));
  return std::ranges::any_of(routes, [](const NetlinkReply& reply) {
    const auto header = reply.header<rtmsg>();
    return header.rtm_table == RT_TABLE_MAIN && header.rtm_dst_len == 0;
  });
}

Result<std::optional<std::uint32_t>> default_route_mtu(const NetlinkSocket& route) {
  std::uint32_t interface = 0;
  const auto routes = TRY(list_routes(route));
  for (const NetlinkReply& reply : routes) {
    const auto header = reply.header<rtmsg>();
    const auto oif = reply.attributes<rtmsg>().u32(RTA_OIF);
    if (header.rtm_table == RT_TABLE_MAIN && header.rtm_dst_len == 0 && oif) interface = *oif;
    if (interface != 0) break;
  }
  if (interface == 0) return std::optional<std::uint32_t>();
  NetlinkBatch batch;
  batch.begin(RTM_GETLINK, 0, link_header(static_cast<int>(interface)),
              "look up the interface of the default route");
  batch.put_u32(IFLA_EXT_MASK, kNoStatistics);
  const auto replies = TRY(route.query(batch));
  for (const NetlinkReply& reply : replies)
    return std::optional<std::uint32_t>(read_link(reply).mtu);
  return std::optional<std::uint32_t>();
}
