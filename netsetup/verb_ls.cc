// SPDX-License-Identifier: Apache-2.0
// verb_ls.cc - `netsetup ls` and `netsetup networks`: tables for people, or JSON.
#include <algorithm>
#include <cstdio>

#include "common/json.h"

#include "verbs.h"

namespace {

using Row = std::vector<std::string>;

void print_table(const std::vector<Row>& rows) {
  std::vector<std::size_t> widths(rows.front().size());
  for (const Row& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  for (const Row& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      if (i + 1 < row.size()) line.append(widths[i] - row[i].size() + 2, ' ');
    }
    std::printf("%s\n", line.c_str());
  }
}

std::string joined(const std::string& a, const std::string& b) {
  if (a.empty()) return b;
  return a + "," + b;
}

Row row_of(const Member& member) {
  std::string addresses;
  for (const MemberAddress& one : member.addresses)
    addresses = joined(addresses, one.address.address.text());
  std::string ports;
  for (const PublishedPort& port : member.ports) ports = joined(ports, port.text());
  return {member.id,
          member.network,
          member.interface,
          addresses,
          member.name.empty() ? "-" : member.name,
          ports.empty() ? "-" : ports};
}

}  // namespace

Result<int> verb_ls(const Arguments& arguments) {
  const Store store = TRY(open_store(arguments));
  const auto members = TRY(store.members("", ""));
  if (arguments.options.flag("json")) {
    JsonWriter json;
    json.begin_array();
    for (const Member& member : members) json.raw(to_json(member));
    std::printf("%s\n", json.end_array().take().c_str());
    return 0;
  }
  std::vector<Row> rows = {{"ID", "NETWORK", "INTERFACE", "ADDRESS", "NAME", "PORTS"}};
  for (const Member& member : members) rows.push_back(row_of(member));
  print_table(rows);
  return 0;
}

Result<int> verb_networks(const Arguments& arguments) {
  const Store store = TRY(open_store(arguments));
  const auto networks = TRY(store.networks());
  if (arguments.options.flag("json")) {
    JsonWriter json;
    json.begin_array();
    for (const Network& network : networks) json.raw(to_conflist(network));
    std::printf("%s\n", json.end_array().take().c_str());
    return 0;
  }
  std::vector<Row> rows = {{"NETWORK", "BRIDGE", "SUBNET", "MEMBERS"}};
  for (const Network& network : networks) {
    const auto members = TRY(store.members(network.name, ""));
    rows.push_back(
        {network.name, network.bridge, subnets_text(network), std::to_string(members.size())});
  }
  print_table(rows);
  return 0;
}
