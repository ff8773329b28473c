// SPDX-License-Identifier: Apache-2.0
#include "nft.h"

// <netinet/in.h> must come before <linux/netfilter.h>, which redefines its names otherwise.
#include <netinet/in.h>
// Kept apart, so that sorting does not undo it.
#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>

#include <array>
#include <vector>

namespace {

nfgenmsg header_of(std::uint8_t family, std::uint16_t resource = 0) {
  nfgenmsg out = {};
  out.nfgen_family = family;
  out.version = NFNETLINK_V0;
  out.res_id = htons(resource);
  return out;
}

constexpr std::uint16_t type_of(int message) {
  return static_cast<std::uint16_t>((NFNL_SUBSYS_NFTABLES << 8) | message);
}

std::string_view family_name(std::uint8_t family) {
  if (family == kFamilyIpv4) return "ip";
  return family == kFamilyIpv6 ? "ip6" : "inet";
}

std::string words(std::string_view verb, const NftTable& table, std::string_view rest = {}) {
  std::string out(verb);
  out.append(" ").append(family_name(table.family)).append(" ").append(table.name);
  if (!rest.empty()) out.append(" ").append(rest);
  return out;
}

constexpr std::uint32_t register_number(std::uint32_t reg) {
  return NFT_REG32_00 + reg;
}

// A comment as the nft program stores and shows it: type 0, length, text with NUL.
std::string comment_bytes(std::string_view comment) {
  const std::string_view kept = comment.substr(0, 250);
  std::string out = {'\0', static_cast<char>(kept.size() + 1)};
  out.append(kept).push_back('\0');
  return out;
}

std::string read_comment(std::string_view bytes) {
  if (bytes.size() < 3 || bytes[0] != '\0') return {};
  const std::string_view text = bytes.substr(2);
  return std::string(text.substr(0, text.find('\0')));
}

template <class Body>
void expression(NetlinkBatch& batch, std::string_view name, Body body) {
  batch.nest(NFTA_LIST_ELEM, [&] {
    batch.put_string(NFTA_EXPR_NAME, name);
    batch.nest(NFTA_EXPR_DATA, body);
  });
}

void data_value(NetlinkBatch& batch, std::uint16_t type, std::string_view bytes) {
  batch.nest(type, [&] { batch.put(NFTA_DATA_VALUE, bytes); });
}

}  // namespace

NetlinkBatch nft_begin(std::optional<std::uint32_t> generation) {
  NetlinkBatch out;
  out.begin(NFNL_MSG_BATCH_BEGIN, 0, header_of(AF_UNSPEC, NFNL_SUBSYS_NFTABLES),
            "begin an nftables transaction");
  if (generation) out.put_be32(NFNL_BATCH_GENID, *generation);
  return out;
}

void nft_end(NetlinkBatch& batch) {
  // A refused message always answers; one acknowledgement tells that none was.
  batch.add_flags_to_last(NLM_F_ACK);
  batch.begin(NFNL_MSG_BATCH_END, 0, header_of(AF_UNSPEC, NFNL_SUBSYS_NFTABLES),
              "commit the nftables transaction");
}

void nft_add_table(NetlinkBatch& batch, const NftTable& table) {
  batch.begin(type_of(NFT_MSG_NEWTABLE), NLM_F_CREATE, header_of(table.family),
              words("add table", table));
  batch.put_string(NFTA_TABLE_NAME, table.name);
}

void nft_delete_table(NetlinkBatch& batch, const NftTable& table) {
  batch.begin(type_of(NFT_MSG_DELTABLE), 0, header_of(table.family), words("delete table", table));
  batch.put_string(NFTA_TABLE_NAME, table.name);
}

void nft_add_chain(NetlinkBatch& batch, const NftTable& table, const NftChain& chain) {
  std::string text(chain.name);
  if (!chain.type.empty())
    text += " { type " + std::string(chain.type) + " hook " + std::string(chain.hook) +
            " priority " + std::to_string(chain.priority) + "; }";
  batch.begin(type_of(NFT_MSG_NEWCHAIN), NLM_F_CREATE, header_of(table.family),
              words("add chain", table, text));
  batch.put_string(NFTA_CHAIN_TABLE, table.name);
  batch.put_string(NFTA_CHAIN_NAME, chain.name);
  if (chain.type.empty()) return;
  batch.put_string(NFTA_CHAIN_TYPE, chain.type);
  batch.nest(NFTA_CHAIN_HOOK, [&] {
    batch.put_be32(NFTA_HOOK_HOOKNUM, chain.hook_number);
    batch.put_be32(NFTA_HOOK_PRIORITY, static_cast<std::uint32_t>(chain.priority));
  });
}

void nft_flush_chain(NetlinkBatch& batch, const NftTable& table, std::string_view chain) {
  batch.begin(type_of(NFT_MSG_DELRULE), 0, header_of(table.family),
              words("flush chain", table, chain));
  batch.put_string(NFTA_RULE_TABLE, table.name);
  batch.put_string(NFTA_RULE_CHAIN, chain);
}

void nft_add_set(NetlinkBatch& batch, const NftTable& table, const NftSet& set, std::uint32_t id) {
  const bool map = set.data_type != 0;
  batch.begin(type_of(NFT_MSG_NEWSET), NLM_F_CREATE, header_of(table.family),
              words(map ? "add map" : "add set", table,
                    std::string(set.name) + " { type " + std::string(set.text) + "; }"));
  batch.put_string(NFTA_SET_TABLE, table.name);
  batch.put_string(NFTA_SET_NAME, set.name);
  batch.put_be32(NFTA_SET_FLAGS, map ? NFT_SET_MAP : 0);
  batch.put_be32(NFTA_SET_KEY_TYPE, set.key_type);
  batch.put_be32(NFTA_SET_KEY_LEN, set.key_length);
  if (map) {
    batch.put_be32(NFTA_SET_DATA_TYPE, set.data_type);
    batch.put_be32(NFTA_SET_DATA_LEN, set.data_length);
  }
  batch.put_be32(NFTA_SET_ID, id);
  // For display: a text in a key of its own is not in network order (type 0,
  // four bytes, 1 for the host's order).
  if (set.text == "ifname") batch.put(NFTA_SET_USERDATA, std::string_view("\0\4\1\0\0\0", 6));
}

namespace {

void element_message(NetlinkBatch& batch, const NftTable& table, const NftElement& element,
                     int message, std::uint16_t flags) {
  const std::string_view verb = message == NFT_MSG_NEWSETELEM   ? "add element"
                                : message == NFT_MSG_DELSETELEM ? "delete element"
                                                                : "get element";
  batch.begin(type_of(message), flags, header_of(table.family),
              words(verb, table, std::string(element.set) + " { " + element.text + " }"));
  batch.put_string(NFTA_SET_ELEM_LIST_TABLE, table.name);
  batch.put_string(NFTA_SET_ELEM_LIST_SET, element.set);
  const bool whole = message == NFT_MSG_NEWSETELEM;
  batch.nest(NFTA_SET_ELEM_LIST_ELEMENTS, [&] {
    batch.nest(NFTA_LIST_ELEM, [&] {
      data_value(batch, NFTA_SET_ELEM_KEY, element.key);
      if (whole && !element.data.empty()) data_value(batch, NFTA_SET_ELEM_DATA, element.data);
      if (whole && !element.comment.empty())
        batch.put(NFTA_SET_ELEM_USERDATA, comment_bytes(element.comment));
    });
  });
}

}  // namespace

void nft_add_element(NetlinkBatch& batch, const NftTable& table, const NftElement& element) {
  element_message(batch, table, element, NFT_MSG_NEWSETELEM, NLM_F_CREATE);
}

void nft_delete_element(NetlinkBatch& batch, const NftTable& table, const NftElement& element) {
  element_message(batch, table, element, NFT_MSG_DELSETELEM, 0);
}

NetlinkBatch nft_get_element(const NftTable& table, const NftElement& element) {
  NetlinkBatch out;
  element_message(out, table, element, NFT_MSG_GETSETELEM, 0);
  return out;
}

NetlinkBatch nft_list_elements(const NftTable& table, std::string_view set) {
  NetlinkBatch out;
  out.begin(type_of(NFT_MSG_GETSETELEM), NLM_F_DUMP, header_of(table.family),
            words("list set", table, set));
  out.put_string(NFTA_SET_ELEM_LIST_TABLE, table.name);
  out.put_string(NFTA_SET_ELEM_LIST_SET, set);
  return out;
}

std::vector<NftElement> nft_read_elements(const std::vector<NetlinkReply>& replies) {
  std::vector<NftElement> out;
  for (const NetlinkReply& reply : replies) {
    const auto list = reply.attributes<nfgenmsg>().nested(NFTA_SET_ELEM_LIST_ELEMENTS);
    for (const auto& [type, payload] : list.all()) {
      const NetlinkAttributes one(payload);
      NftElement element;
      element.key = one.nested(NFTA_SET_ELEM_KEY).find(NFTA_DATA_VALUE).value_or("");
      element.data = one.nested(NFTA_SET_ELEM_DATA).find(NFTA_DATA_VALUE).value_or("");
      element.comment = read_comment(one.find(NFTA_SET_ELEM_USERDATA).value_or(""));
      out.push_back(std::move(element));
    }
  }
  return out;
}

NetlinkBatch nft_get_generation() {
  NetlinkBatch out;
  out.begin(type_of(NFT_MSG_GETGEN), 0, header_of(AF_UNSPEC), "read the nftables generation");
  return out;
}

std::optional<std::uint32_t> nft_read_generation(const std::vector<NetlinkReply>& replies) {
  for (const NetlinkReply& reply : replies)
    if (const auto found = reply.attributes<nfgenmsg>().u32(NFTA_GEN_ID)) return ntohl(*found);
  return std::nullopt;
}

NetlinkBatch nft_get_chain(const NftTable& table, std::string_view chain) {
  NetlinkBatch out;
  out.begin(type_of(NFT_MSG_GETCHAIN), 0, header_of(table.family),
            words("look up chain", table, chain));
  out.put_string(NFTA_CHAIN_TABLE, table.name);
  out.put_string(NFTA_CHAIN_NAME, chain);
  return out;
}

NetlinkBatch nft_list_rules(const NftTable& table, std::string_view chain) {
  NetlinkBatch out;
  out.begin(type_of(NFT_MSG_GETRULE), NLM_F_DUMP, header_of(table.family),
            words("list chain", table, chain));
  out.put_string(NFTA_RULE_TABLE, table.name);
  out.put_string(NFTA_RULE_CHAIN, chain);
  return out;
}

std::vector<std::string> nft_rules_with_comment(const std::vector<NetlinkReply>& replies,
                                                std::string_view comment) {
  std::vector<std::string> out;
  for (const NetlinkReply& reply : replies) {
    const auto attributes = reply.attributes<nfgenmsg>();
    const auto handle = attributes.find(NFTA_RULE_HANDLE);
    const std::string found = read_comment(attributes.find(NFTA_RULE_USERDATA).value_or(""));
    if (handle && found == comment) out.emplace_back(*handle);
  }
  return out;
}

void nft_delete_rule(NetlinkBatch& batch, const NftTable& table, std::string_view chain,
                     const std::string& handle) {
  batch.begin(type_of(NFT_MSG_DELRULE), 0, header_of(table.family),
              words("delete rule", table, chain));
  batch.put_string(NFTA_RULE_TABLE, table.name);
  batch.put_string(NFTA_RULE_CHAIN, chain);
  batch.put(NFTA_RULE_HANDLE, handle);
}

void nft_open_rule(NetlinkBatch& batch, const NftTable& table, std::string_view chain,
                   std::string_view text, NftPlace place) {
  const bool last = place == NftPlace::Last;
  const auto flags = static_cast<std::uint16_t>(NLM_F_CREATE | (last ? NLM_F_APPEND : 0));
  batch.begin(type_of(NFT_MSG_NEWRULE), flags, header_of(table.family),
              words(last ? "add rule" : "insert rule", table,
                    std::string(chain) + " " + std::string(text)));
  batch.put_string(NFTA_RULE_TABLE, table.name);
  batch.put_string(NFTA_RULE_CHAIN, chain);
}

void nft_rule_comment(NetlinkBatch& batch, std::string_view comment) {
  batch.put(NFTA_RULE_USERDATA, comment_bytes(comment));
}

void nft_meta(NetlinkBatch& batch, std::uint32_t key, std::uint32_t reg) {
  expression(batch, "meta", [&] {
    batch.put_be32(NFTA_META_KEY, key);
    batch.put_be32(NFTA_META_DREG, register_number(reg));
  });
}

void nft_ct(NetlinkBatch& batch, std::uint32_t key, std::uint32_t reg) {
  expression(batch, "ct", [&] {
    batch.put_be32(NFTA_CT_DREG, register_number(reg));
    batch.put_be32(NFTA_CT_KEY, key);
  });
}

void nft_payload(NetlinkBatch& batch, NftBase base, std::uint32_t offset, std::uint32_t length,
                 std::uint32_t reg) {
  expression(batch, "payload", [&] {
    batch.put_be32(NFTA_PAYLOAD_DREG, register_number(reg));
    batch.put_be32(NFTA_PAYLOAD_BASE, static_cast<std::uint32_t>(base));
    batch.put_be32(NFTA_PAYLOAD_OFFSET, offset);
    batch.put_be32(NFTA_PAYLOAD_LEN, length);
  });
}

void nft_mask(NetlinkBatch& batch, std::uint32_t reg, std::string_view mask) {
  expression(batch, "bitwise", [&] {
    batch.put_be32(NFTA_BITWISE_SREG, register_number(reg));
    batch.put_be32(NFTA_BITWISE_DREG, register_number(reg));
    batch.put_be32(NFTA_BITWISE_LEN, static_cast<std::uint32_t>(mask.size()));
    data_value(batch, NFTA_BITWISE_MASK, mask);
    data_value(batch, NFTA_BITWISE_XOR, std::string(mask.size(), '\0'));
  });
}

void nft_compare(NetlinkBatch& batch, std::uint32_t reg, NftCompare how, std::string_view bytes) {
  expression(batch, "cmp", [&] {
    batch.put_be32(NFTA_CMP_SREG, register_number(reg));
    batch.put_be32(NFTA_CMP_OP, static_cast<std::uint32_t>(how));
    data_value(batch, NFTA_CMP_DATA, bytes);
  });
}

void nft_address_is_local(NetlinkBatch& batch) {
  expression(batch, "fib", [&] {
    batch.put_be32(NFTA_FIB_DREG, register_number(0));
    batch.put_be32(NFTA_FIB_RESULT, NFT_FIB_RESULT_ADDRTYPE);
    batch.put_be32(NFTA_FIB_FLAGS, NFTA_FIB_F_DADDR);
  });
  constexpr std::uint32_t kLocal = 2;  // RTN_LOCAL
  nft_compare(batch, 0, NftCompare::Equal,
              std::string_view(reinterpret_cast<const char*>(&kLocal), sizeof kLocal));
}

void nft_lookup(NetlinkBatch& batch, std::string_view set, std::uint32_t reg, bool inverted) {
  expression(batch, "lookup", [&] {
    batch.put_string(NFTA_LOOKUP_SET, set);
    batch.put_be32(NFTA_LOOKUP_SREG, register_number(reg));
    if (inverted) batch.put_be32(NFTA_LOOKUP_FLAGS, NFT_LOOKUP_F_INV);
  });
}

void nft_map(NetlinkBatch& batch, std::string_view map, std::uint32_t from, std::uint32_t to) {
  expression(batch, "lookup", [&] {
    batch.put_string(NFTA_LOOKUP_SET, map);
    batch.put_be32(NFTA_LOOKUP_SREG, register_number(from));
    batch.put_be32(NFTA_LOOKUP_DREG, register_number(to));
  });
}

void nft_dnat(NetlinkBatch& batch, std::uint8_t family, std::uint32_t address, std::uint32_t port) {
  expression(batch, "nat", [&] {
    batch.put_be32(NFTA_NAT_TYPE, NFT_NAT_DNAT);
    batch.put_be32(NFTA_NAT_FAMILY, family);
    batch.put_be32(NFTA_NAT_REG_ADDR_MIN, register_number(address));
    batch.put_be32(NFTA_NAT_REG_PROTO_MIN, register_number(port));
  });
}

void nft_masquerade(NetlinkBatch& batch) {
  expression(batch, "masq", [] {});
}

void nft_counter(NetlinkBatch& batch) {
  expression(batch, "counter", [] {});
}

void nft_verdict(NetlinkBatch& batch, NftVerdict verdict, std::string_view chain) {
  expression(batch, "immediate", [&] {
    batch.put_be32(NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
    batch.nest(NFTA_IMMEDIATE_DATA, [&] {
      batch.nest(NFTA_DATA_VERDICT, [&] {
        batch.put_be32(NFTA_VERDICT_CODE, static_cast<std::uint32_t>(verdict));
        if (!chain.empty()) batch.put_string(NFTA_VERDICT_CHAIN, chain);
      });
    });
  });
}
