// SPDX-License-Identifier: Apache-2.0
#include "forward_policy.h"

// <netinet/in.h> before <linux/netfilter.h>, which redefines its names otherwise.
#include <netinet/in.h>
// Kept apart, so that sorting does not undo it.
#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>

#include <cerrno>
#include <cstring>

#include "nft.h"

namespace {

constexpr std::string_view kChain = "FORWARD";

std::string comment_for(const std::string& bridge) {
  return "netsetup:" + bridge;
}

struct ForwardChain {
  NftTable table;
  bool drops = false;
};

Result<std::vector<ForwardChain>> forward_chains(const NetlinkSocket& socket) {
  std::vector<ForwardChain> out;
  for (const std::uint8_t family : {kFamilyIpv4, kFamilyIpv6}) {
    const NftTable table{family, "filter"};
    auto replies = socket.query(nft_get_chain(table, kChain));
    if (!replies && replies.error().code == ENOENT) continue;
    const auto answer = TRY(std::move(replies));
    for (const NetlinkReply& reply : answer) {
      const auto policy = reply.attributes<nfgenmsg>().u32(NFTA_CHAIN_POLICY);
      out.push_back({table, policy && ntohl(*policy) == NF_DROP});
    }
  }
  return out;
}

// The handles of our rules for the bridge.
Result<std::vector<std::string>> our_rules(const NetlinkSocket& socket, const NftTable& table,
                                           const std::string& bridge) {
  const auto replies = TRY(socket.query(nft_list_rules(table, kChain)));
  return nft_rules_with_comment(replies, comment_for(bridge));
}

void accept_interface(NetlinkBatch& batch, const NftTable& table, const std::string& bridge,
                      bool incoming) {
  std::string name = bridge;
  name.push_back('\0');
  nft_rule(
      batch, table, kChain,
      std::string(incoming ? "iifname" : "oifname") + " \"" + bridge + "\" counter accept",
      [&] {
        nft_meta(batch, incoming ? NFT_META_IIFNAME : NFT_META_OIFNAME, 0);
        nft_compare(batch, 0, NftCompare::Equal, name);
        nft_counter(batch);
        nft_verdict(batch, NftVerdict::Accept);
      },
      NftPlace::First);
  nft_rule_comment(batch, comment_for(bridge));
}

bool has_firewalld(const NetlinkSocket& socket) {
  return static_cast<bool>(
      socket.query(nft_get_chain({kFamilyInet, "firewalld"}, "filter_FORWARD")));
}

}  // namespace

Result<std::vector<std::string>> pass_forward_policy(const Network& network) {
  const NetlinkSocket socket = TRY(NetlinkSocket::open(NETLINK_NETFILTER));
  std::vector<std::string> warnings;
  const auto chains = TRY(forward_chains(socket));
  for (const ForwardChain& chain : chains) {
    if (!chain.drops) continue;
    const auto present = TRY(our_rules(socket, chain.table, network.bridge));
    if (!present.empty()) continue;
    NetlinkBatch batch = nft_begin();
    accept_interface(batch, chain.table, network.bridge, false);
    accept_interface(batch, chain.table, network.bridge, true);
    nft_end(batch);
    TRY(socket.transact(batch));
    if (chain.table.family == kFamilyIpv4)
      warnings.push_back("the policy of iptables chain FORWARD is DROP (docker or ufw sets it); '" +
                         network.bridge + "' is accepted there by two rules of ours");
  }
  if (has_firewalld(socket))
    warnings.push_back(
        "firewalld is active: if it rejects the containers' traffic, run "
        "'firewall-cmd --zone=trusted --add-interface=" +
        network.bridge + "'");
  return warnings;
}

Result<void> forget_forward_policy(const std::string& bridge) {
  const NetlinkSocket socket = TRY(NetlinkSocket::open(NETLINK_NETFILTER));
  const auto chains = TRY(forward_chains(socket));
  for (const ForwardChain& chain : chains) {
    const auto handles = TRY(our_rules(socket, chain.table, bridge));
    if (handles.empty()) continue;
    NetlinkBatch batch = nft_begin();
    for (const std::string& handle : handles) nft_delete_rule(batch, chain.table, kChain, handle);
    nft_end(batch);
    auto removed = socket.transact(batch);
    if (!removed && removed.error().code != ENOENT) return removed;
  }
  return {};
}
