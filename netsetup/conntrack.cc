// SPDX-License-Identifier: Apache-2.0
#include "conntrack.h"

// <netinet/in.h> before the netfilter headers, which redefine its names otherwise.
#include <netinet/in.h>
// Kept apart, so that sorting does not undo it.
#include <arpa/inet.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>

#include <cstring>

#include "netlink.h"

namespace {

constexpr std::uint16_t type_of(int message) {
  return static_cast<std::uint16_t>((NFNL_SUBSYS_CTNETLINK << 8) | message);
}

nfgenmsg header_of(int family) {
  nfgenmsg out = {};
  out.nfgen_family = static_cast<std::uint8_t>(family);
  out.version = NFNETLINK_V0;
  return out;
}

// The kernel's names for the fields that a filter compares are not in its headers:
// bit 3 is the protocol, bit 5 the destination port.
constexpr std::uint32_t kCompared = 1U << 3 | 1U << 5;

NetlinkBatch list_flows(int family, std::uint16_t port) {
  NetlinkBatch out;
  out.begin(type_of(IPCTNL_MSG_CT_GET), NLM_F_DUMP, header_of(family), "list the flows to a port");
  out.nest(CTA_TUPLE_ORIG, [&] {
    out.nest(CTA_TUPLE_PROTO, [&] {
      out.put_u8(CTA_PROTO_NUM, IPPROTO_UDP);
      out.put_be16(CTA_PROTO_DST_PORT, port);
    });
  });
  out.nest(CTA_FILTER, [&] {
    out.put_u32(CTA_FILTER_ORIG_FLAGS, kCompared);
    out.put_u32(CTA_FILTER_REPLY_FLAGS, 0);
  });
  return out;
}

// Is this flow one to the port, whatever the kernel made of the filter?
bool is_meant(const NetlinkAttributes& flow, const PublishedPort& port, int family) {
  const auto tuple = flow.nested(CTA_TUPLE_ORIG);
  const auto protocol = tuple.nested(CTA_TUPLE_PROTO);
  const std::string number(protocol.find(CTA_PROTO_NUM).value_or(""));
  const std::string to(protocol.find(CTA_PROTO_DST_PORT).value_or(""));
  const std::uint16_t wanted = htons(port.host_port);
  if (number.size() != 1 || number[0] != IPPROTO_UDP || to.size() != sizeof wanted ||
      std::memcmp(to.data(), &wanted, sizeof wanted) != 0)
    return false;
  if (!port.host_address) return true;
  const auto address =
      tuple.nested(CTA_TUPLE_IP).find(family == AF_INET ? CTA_IP_V4_DST : CTA_IP_V6_DST);
  return address && *address == port.host_address->raw();
}

void forget(const NetlinkSocket& socket, const PublishedPort& port, int family) {
  const auto flows = socket.query(list_flows(family, port.host_port));
  if (!flows) return;
  for (const NetlinkReply& reply : *flows) {
    const auto flow = reply.attributes<nfgenmsg>();
    if (!is_meant(flow, port, family)) continue;
    NetlinkBatch batch;
    batch.begin(type_of(IPCTNL_MSG_CT_DELETE), NLM_F_ACK, header_of(family), "forget a flow");
    batch.put(CTA_TUPLE_ORIG | NLA_F_NESTED, flow.find(CTA_TUPLE_ORIG).value_or(""));
    if (const auto zone = flow.find(CTA_ZONE)) batch.put(CTA_ZONE, *zone);
    (void)socket.transact(batch);  // it may have ended meanwhile
  }
}

}  // namespace

void forget_udp_flows(const Member& member) {
  std::optional<NetlinkSocket> socket;
  for (const PublishedPort& port : member.ports) {
    if (port.protocol != IPPROTO_UDP) continue;
    if (!socket) {
      auto opened = NetlinkSocket::open(NETLINK_NETFILTER);
      if (!opened) return;
      socket.emplace(*std::move(opened));
    }
    for (const int family : {AF_INET, AF_INET6})
      if (!port.host_address || port.host_address->family == family) forget(*socket, port, family);
  }
}
