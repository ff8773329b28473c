// SPDX-License-Identifier: Apache-2.0
// nft.h - nf_tables on the wire: tables, chains, sets, elements, and the
// expressions that rules consist of. Pure encoding; firewall.h decides what.
//
// One transaction is nft_begin … nft_end: the kernel applies all of it or none.
// Registers count in units of four bytes here (0..15), as the kernel's
// NFT_REG32_* do; a field of a concatenation starts at a register of its own.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "netlink.h"

inline constexpr std::uint8_t kFamilyInet = 1;
inline constexpr std::uint8_t kFamilyIpv4 = 2;
inline constexpr std::uint8_t kFamilyIpv6 = 10;

struct NftTable {
  std::uint8_t family = kFamilyInet;
  std::string_view name;
};

// With `generation`: refused with ERESTART when the ruleset is no longer that one.
NetlinkBatch nft_begin(std::optional<std::uint32_t> generation = {});
void nft_end(NetlinkBatch& batch);  // asks for the acknowledgement of the last message

void nft_add_table(NetlinkBatch& batch, const NftTable& table);
void nft_delete_table(NetlinkBatch& batch, const NftTable& table);

struct NftChain {
  std::string_view name;
  std::string_view type = {};  // "nat" or "filter"; empty: a chain that rules jump to
  std::string_view hook = {};  // for people
  std::uint32_t hook_number = 0;
  std::int32_t priority = 0;
};
void nft_add_chain(NetlinkBatch& batch, const NftTable& table, const NftChain& chain);
void nft_flush_chain(NetlinkBatch& batch, const NftTable& table, std::string_view chain);

struct NftSet {
  std::string_view name;
  std::string_view text;         // its type in nft's words
  std::uint32_t key_type = 0;    // six bits per field, only for display
  std::uint32_t key_length = 0;  // every field padded to four bytes
  std::uint32_t data_type = 0;   // 0: a set, else a map
  std::uint32_t data_length = 0;
};
void nft_add_set(NetlinkBatch& batch, const NftTable& table, const NftSet& set, std::uint32_t id);

struct NftElement {
  std::string_view set;
  std::string key;
  std::string data = {};     // of a map
  std::string comment = {};  // who owns it
  std::string text = {};     // in nft's words, for people
};
void nft_add_element(NetlinkBatch& batch, const NftTable& table, const NftElement& element);
void nft_delete_element(NetlinkBatch& batch, const NftTable& table, const NftElement& element);
NetlinkBatch nft_get_element(const NftTable& table, const NftElement& element);
NetlinkBatch nft_list_elements(const NftTable& table, std::string_view set);
// The elements in an answer to either.
std::vector<NftElement> nft_read_elements(const std::vector<NetlinkReply>& replies);

NetlinkBatch nft_get_generation();
std::optional<std::uint32_t> nft_read_generation(const std::vector<NetlinkReply>& replies);

NetlinkBatch nft_get_chain(const NftTable& table, std::string_view chain);
NetlinkBatch nft_list_rules(const NftTable& table, std::string_view chain);
// The handles (eight bytes each, as they came) of the rules with that comment.
std::vector<std::string> nft_rules_with_comment(const std::vector<NetlinkReply>& replies,
                                                std::string_view comment);
void nft_delete_rule(NetlinkBatch& batch, const NftTable& table, std::string_view chain,
                     const std::string& handle);

// A rule: nft_rule(batch, table, chain, "tcp dport 80 accept", [&] { expressions }).
enum class NftPlace { Last, First };
void nft_open_rule(NetlinkBatch& batch, const NftTable& table, std::string_view chain,
                   std::string_view text, NftPlace place);
template <class Body>
void nft_rule(NetlinkBatch& batch, const NftTable& table, std::string_view chain,
              std::string_view text, Body body, NftPlace place = NftPlace::Last) {
  nft_open_rule(batch, table, chain, text, place);
  batch.nest(4 /* NFTA_RULE_EXPRESSIONS */, body);
}
void nft_rule_comment(NetlinkBatch& batch, std::string_view comment);  // after nft_rule

// Expressions.
enum class NftCompare : std::uint32_t { Equal = 0, NotEqual = 1 };
void nft_meta(NetlinkBatch& batch, std::uint32_t key, std::uint32_t reg);
void nft_ct(NetlinkBatch& batch, std::uint32_t key, std::uint32_t reg);
enum class NftBase : std::uint32_t { Link = 0, Network = 1, Transport = 2 };
void nft_payload(NetlinkBatch& batch, NftBase base, std::uint32_t offset, std::uint32_t length,
                 std::uint32_t reg);
void nft_mask(NetlinkBatch& batch, std::uint32_t reg, std::string_view mask);
void nft_compare(NetlinkBatch& batch, std::uint32_t reg, NftCompare how, std::string_view bytes);
void nft_address_is_local(NetlinkBatch& batch);  // fib daddr type local
void nft_lookup(NetlinkBatch& batch, std::string_view set, std::uint32_t reg,
                bool inverted = false);
void nft_map(NetlinkBatch& batch, std::string_view map, std::uint32_t from, std::uint32_t to);
void nft_dnat(NetlinkBatch& batch, std::uint8_t family, std::uint32_t address, std::uint32_t port);
void nft_masquerade(NetlinkBatch& batch);
void nft_counter(NetlinkBatch& batch);
enum class NftVerdict : std::int32_t { Drop = 0, Accept = 1, Jump = -3, Return = -5 };
void nft_verdict(NetlinkBatch& batch, NftVerdict verdict, std::string_view chain = {});
