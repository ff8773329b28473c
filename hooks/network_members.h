// SPDX-License-Identifier: Apache-2.0
// network_members.h - who is in which network, as netsetup keeps it:
//   STATE/members/NETWORK/ID/INTERFACE   one JSON document per attachment
//   STATE/networks/NETWORK.conflist      the network's definition, with its "dns"
#pragma once

#include <string>
#include <vector>

#include "common/json.h"

struct NetworkMember {
  std::string id;
  std::string network;
  std::string name;  // empty: it is not called anything
  std::vector<std::string> aliases = {};
  std::vector<std::string> addresses = {};  // without the prefix length
};
Result<NetworkMember> parse_member(const std::string& source, std::string_view text);

// All of them; none when netsetup was never used.
Result<std::vector<NetworkMember>> read_members(const std::string& state_dir);

// Those in a network that `id` is in, itself among them. Pure.
std::vector<NetworkMember> peers_of(const std::vector<NetworkMember>& members,
                                    const std::string& id);

struct DnsSettings {
  std::vector<std::string> nameservers = {};
  std::vector<std::string> search = {};
  std::vector<std::string> options = {};

  bool empty() const { return nameservers.empty() && search.empty() && options.empty(); }
};
// The "dns" of a network configuration list.
Result<DnsSettings> parse_network_dns(const std::string& source, std::string_view text);
Result<DnsSettings> read_network_dns(const std::string& state_dir, const std::string& network);
