// SPDX-License-Identifier: Apache-2.0
#include "firewall_table.h"

// <netinet/in.h> before <linux/netfilter.h>, which redefines its names otherwise.
#include <netinet/in.h>
// Kept apart, so that sorting does not undo it.
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_tables.h>

#include <array>

namespace {

// Six bits per field, as the nft program displays them.
constexpr std::uint32_t kIpv4 = 7;
constexpr std::uint32_t kIpv6 = 8;
constexpr std::uint32_t kProtocol = 12;
constexpr std::uint32_t kService = 13;
constexpr std::uint32_t kMark = 19;
constexpr std::uint32_t kInterface = 41;

constexpr std::uint32_t types(std::uint32_t a, std::uint32_t b) {
  return a << 6 | b;
}
constexpr std::uint32_t types(std::uint32_t a, std::uint32_t b, std::uint32_t c) {
  return types(a, b) << 6 | c;
}

constexpr auto kSets = std::to_array<NftSet>({
    {kBridges, "ifname", kInterface, 16},
    {kGuarded, "ifname", kInterface, 16},
    {kMasquerading, "ifname", kInterface, 16},
    {kPairs, "ifname . ifname", types(kInterface, kInterface), 32},
    {kPorts4, "ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service",
     types(kIpv4, kProtocol, kService), 12, types(kIpv4, kService), 8},
    {kPorts6, "ipv6_addr . inet_proto . inet_service : ipv6_addr . inet_service",
     types(kIpv6, kProtocol, kService), 24, types(kIpv6, kService), 20},
    {kAnyPorts4, "inet_proto . inet_service : ipv4_addr . inet_service", types(kProtocol, kService),
     8, types(kIpv4, kService), 8},
    {kAnyPorts6, "inet_proto . inet_service : ipv6_addr . inet_service", types(kProtocol, kService),
     8, types(kIpv6, kService), 20},
    {kOwners4, "mark . ipv4_addr . inet_proto . inet_service",
     types(kMark << 6 | kIpv4, kProtocol, kService), 16},
    {kOwners6, "mark . ipv6_addr . inet_proto . inet_service",
     types(kMark << 6 | kIpv6, kProtocol, kService), 28},
});

constexpr std::string_view kGuard = "guard";
constexpr std::string_view kPrerouting = "prerouting";
constexpr std::string_view kOutput = "output";
constexpr std::string_view kPublish = "publish";
constexpr std::string_view kPostrouting = "postrouting";
constexpr std::string_view kForward = "forward";

constexpr auto kChains = std::to_array<NftChain>({
    {kPublish},
    {kGuard, "filter", "prerouting", NF_INET_PRE_ROUTING, -300},
    {kPrerouting, "nat", "prerouting", NF_INET_PRE_ROUTING, -100},
    {kOutput, "nat", "output", NF_INET_LOCAL_OUT, -100},
    {kPostrouting, "nat", "postrouting", NF_INET_POST_ROUTING, 100},
    {kForward, "filter", "forward", NF_INET_FORWARD, 0},
});

constexpr std::uint32_t kStatusDnat = IPS_DST_NAT;
constexpr std::uint32_t kStateKnown = 2 | 4;  // established, related

std::string_view raw(const std::uint32_t& value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

void match_family(NetlinkBatch& b, std::uint8_t family) {
  nft_meta(b, NFT_META_NFPROTO, 0);
  const char byte = static_cast<char>(family);
  nft_compare(b, 0, NftCompare::Equal, {&byte, 1});
}

void match_bits(NetlinkBatch& b, std::uint32_t ct_key, const std::uint32_t& bits) {
  nft_ct(b, ct_key, 0);
  nft_mask(b, 0, raw(bits));
  nft_compare(b, 0, NftCompare::NotEqual, std::string_view("\0\0\0\0", 4));
}

void match_pair(NetlinkBatch& b) {
  nft_meta(b, NFT_META_IIFNAME, 0);
  nft_meta(b, NFT_META_OIFNAME, 4);
  nft_lookup(b, kPairs, 0);
}

// A client of 127.0.0.1 is always this host. Without this, a neighbour could send
// a packet for 127.0.0.1:PORT over the wire and reach what is published there, or
// a container could reach what the host serves to itself.
void add_guard_rules(NetlinkBatch& batch) {
  nft_rule(batch, kTable, kGuard, "iifname != \"lo\" ip daddr 127.0.0.0/8 drop", [&] {
    nft_meta(batch, NFT_META_IIFNAME, 0);
    nft_compare(batch, 0, NftCompare::NotEqual,
                std::string_view("lo\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16));
    match_family(batch, kFamilyIpv4);
    nft_payload(batch, NftBase::Network, 16, 1, 0);
    nft_compare(batch, 0, NftCompare::Equal, "\x7f");
    nft_verdict(batch, NftVerdict::Drop);
  });
}

void add_publish_rule(NetlinkBatch& batch, std::uint8_t family, bool any) {
  const bool v4 = family == kFamilyIpv4;
  const std::string_view map = v4 ? (any ? kAnyPorts4 : kPorts4) : (any ? kAnyPorts6 : kPorts6);
  const std::uint32_t words = v4 ? 1 : 4;    // an address, in registers
  const std::uint32_t at = any ? 0 : words;  // where the protocol goes
  const std::string text = std::string("dnat ") + (v4 ? "ip" : "ip6") + " to " +
                           (any ? "" : (v4 ? "ip daddr . " : "ip6 daddr . ")) +
                           "meta l4proto . th dport map @" + std::string(map);
  nft_rule(batch, kTable, kPublish, text, [&] {
    match_family(batch, family);
    if (!any) nft_payload(batch, NftBase::Network, v4 ? 16 : 24, words * 4, 0);
    nft_meta(batch, NFT_META_L4PROTO, at);
    nft_payload(batch, NftBase::Transport, 2, 2, at + 1);
    nft_map(batch, map, 0, 0);
    nft_dnat(batch, family, 0, words);
  });
}

void add_nat_rules(NetlinkBatch& batch) {
  for (const std::string_view chain : {kPrerouting, kOutput})
    nft_rule(batch, kTable, chain, "fib daddr type local jump publish", [&] {
      nft_address_is_local(batch);
      nft_verdict(batch, NftVerdict::Jump, kPublish);
    });
  for (const std::uint8_t family : {kFamilyIpv4, kFamilyIpv6})
    for (const bool any : {false, true}) add_publish_rule(batch, family, any);
}

void add_masquerade_rule(NetlinkBatch& batch, std::uint8_t family) {
  const bool v4 = family == kFamilyIpv4;
  nft_rule(batch, kTable, kPostrouting,
           std::string("iifname @masquerading oifname != @bridges ") +
               (v4 ? "ip daddr != 224.0.0.0/4" : "ip6 daddr != ff00::/8") + " masquerade",
           [&] {
             nft_meta(batch, NFT_META_IIFNAME, 0);
             nft_lookup(batch, kMasquerading, 0);
             nft_meta(batch, NFT_META_OIFNAME, 0);
             nft_lookup(batch, kBridges, 0, true);
             match_family(batch, family);
             nft_payload(batch, NftBase::Network, v4 ? 16 : 24, 1, 0);
             if (v4) nft_mask(batch, 0, "\xf0");
             nft_compare(batch, 0, NftCompare::NotEqual, v4 ? "\xe0" : "\xff");
             nft_masquerade(batch);
           });
}

void add_postrouting_rules(NetlinkBatch& batch) {
  // A published port asked for by the host itself (127.0.0.1 too), by a
  // neighbour on the same bridge or by the container that serves it: the answer
  // must come back this way, so the question must come from the bridge.
  nft_rule(batch, kTable, kPostrouting, "ct status dnat iifname . oifname @pairs masquerade", [&] {
    match_bits(batch, NFT_CT_STATUS, kStatusDnat);
    match_pair(batch);
    nft_masquerade(batch);
  });
  for (const std::uint8_t family : {kFamilyIpv4, kFamilyIpv6}) add_masquerade_rule(batch, family);
}

void add_forward_rules(NetlinkBatch& batch) {
  nft_rule(batch, kTable, kForward, "oifname != @guarded accept", [&] {
    nft_meta(batch, NFT_META_OIFNAME, 0);
    nft_lookup(batch, kGuarded, 0, true);
    nft_verdict(batch, NftVerdict::Accept);
  });
  nft_rule(batch, kTable, kForward, "ct state established,related accept", [&] {
    match_bits(batch, NFT_CT_STATE, kStateKnown);
    nft_verdict(batch, NftVerdict::Accept);
  });
  nft_rule(batch, kTable, kForward, "ct status dnat accept", [&] {
    match_bits(batch, NFT_CT_STATUS, kStatusDnat);
    nft_verdict(batch, NftVerdict::Accept);
  });
  nft_rule(batch, kTable, kForward, "iifname . oifname @pairs accept", [&] {
    match_pair(batch);
    nft_verdict(batch, NftVerdict::Accept);
  });
  nft_rule(batch, kTable, kForward, "drop", [&] { nft_verdict(batch, NftVerdict::Drop); });
}

}  // namespace

void add_table(NetlinkBatch& batch) {
  nft_add_table(batch, kTable);
  std::uint32_t id = 0;
  for (const NftSet& set : kSets) nft_add_set(batch, kTable, set, ++id);
  for (const NftChain& chain : kChains) nft_add_chain(batch, kTable, chain);
  // Rules have no names: those of a table that is there already would double.
  for (const NftChain& chain : kChains) nft_flush_chain(batch, kTable, chain.name);
  add_guard_rules(batch);
  add_nat_rules(batch);
  add_postrouting_rules(batch);
  add_forward_rules(batch);
}
