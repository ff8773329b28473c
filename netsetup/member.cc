// SPDX-License-Identifier: Apache-2.0
#include "member.h"

#include <cstdio>

#include "common/json.h"

#include "hash.h"
#include "json_fields.h"

std::string owner_of(const Member& member) {
  return member.network + "/" + member.id + "/" + member.interface;
}

std::string host_interface_name(const Member& member, unsigned attempt) {
  std::string seed = owner_of(member);
  if (attempt > 0) seed += "#" + std::to_string(attempt);
  std::array<char, 16> out = {};
  (void)std::snprintf(out.data(), out.size(), "veth%08x", hash32(seed));
  return out.data();
}

namespace {

void write_addresses(JsonWriter& json, const Member& member) {
  json.key("addresses").begin_array();
  for (const MemberAddress& one : member.addresses) {
    json.begin_object().member("address", one.address.text());
    if (one.gateway) json.member("gateway", one.gateway->text());
    json.end_object();
  }
  json.end_array();
}

void write_routes(JsonWriter& json, const Member& member) {
  json.key("routes").begin_array();
  for (const NetworkRoute& route : member.routes) {
    json.begin_object().member("dst", route.destination.text());
    if (route.gateway) json.member("gw", route.gateway->text());
    if (route.metric != 0) json.member("priority", route.metric);
    json.end_object();
  }
  json.end_array();
}

void write_ports(JsonWriter& json, const Member& member) {
  json.key("ports").begin_array();
  for (const PublishedPort& port : member.ports) {
    json.begin_object();
    if (port.host_address) json.member("hostIP", port.host_address->text());
    json.member("hostPort", static_cast<int>(port.host_port))
        .member("containerPort", static_cast<int>(port.container_port))
        .member("protocol", protocol_name(port.protocol))
        .end_object();
  }
  json.end_array();
}

}  // namespace

std::string to_json(const Member& member) {
  JsonWriter json;
  json.begin_object()
      .member("id", member.id)
      .member("network", member.network)
      .member("interface", member.interface)
      .member("bridge", member.bridge)
      .member("netns", member.netns)
      .member("hostInterface", member.host_interface)
      .member("mac", mac_text(member.mac));
  write_addresses(json, member);
  write_routes(json, member);
  write_ports(json, member);
  json.member("name", member.name)
      .member("aliases", member.aliases)
      .member("serverNames", member.server_names)
      .member("serverDirectory", member.server_directory)
      .member("hostsFile", member.hosts_file)
      .member("hostsFileCreated", member.hosts_file_created)
      .end_object();
  return json.take() + "\n";
}

namespace {

Result<PublishedPort> read_port(const JsonView& object) {
  PublishedPort out;
  out.host_address = TRY(address_if(object, "hostIP"));
  out.host_port = TRY(port_at(object, "hostPort"));
  out.container_port = TRY(port_at(object, "containerPort"));
  const std::string protocol = TRY(text_at(object, "protocol"));
  out.protocol = TRY(parse_protocol(protocol));
  return out;
}

Result<MemberAddress> read_address(const JsonView& object) {
  MemberAddress out;
  out.address = TRY(cidr_at(object, "address"));
  out.gateway = TRY(address_if(object, "gateway"));
  return out;
}

Result<NetworkRoute> read_route(const JsonView& object) {
  NetworkRoute out;
  out.destination = TRY(cidr_at(object, "dst"));
  out.gateway = TRY(address_if(object, "gw"));
  out.metric = TRY(metric_of(object));
  return out;
}

// The items of an array, each through `read`.
template <class T>
Result<std::vector<T>> read_each(const JsonView& root, std::string_view key,
                                 Result<T> (*read)(const JsonView&)) {
  std::vector<T> out;
  const auto items = TRY(items_at(root, key));
  for (const JsonView& item : items) {
    T one = TRY(read(item));
    out.push_back(std::move(one));
  }
  return out;
}

Result<void> read_texts(const JsonView& root, Member& out) {
  out.id = TRY(text_at(root, "id"));
  out.network = TRY(text_at(root, "network"));
  out.interface = TRY(text_at(root, "interface"));
  out.bridge = TRY(text_at(root, "bridge"));
  out.netns = TRY(text_at(root, "netns"));
  out.host_interface = TRY(text_at(root, "hostInterface"));
  out.name = TRY(text_at(root, "name"));
  const JsonView aliases = TRY(root.at("aliases"));
  out.aliases = TRY(aliases.strings());
  if (const auto names = root.find("serverNames")) out.server_names = TRY(names->strings());
  out.server_directory = TRY(text_or(root, "serverDirectory", ""));
  out.hosts_file = TRY(text_at(root, "hostsFile"));
  out.hosts_file_created = TRY(truth_or(root, "hostsFileCreated", false));
  return {};
}

}  // namespace

Result<Member> parse_member(const std::string& source, std::string_view text) {
  const JsonDocument document = TRY(JsonDocument::parse(source, text));
  const JsonView root = document.root();
  Member out;
  TRY(read_texts(root, out));
  const std::string mac = TRY(text_at(root, "mac"));
  const auto parsed = parse_mac(mac);
  if (!parsed) return root.error("'mac': '" + mac + "' is no MAC address");
  out.mac = *parsed;
  out.addresses = TRY(read_each(root, "addresses", read_address));
  out.routes = TRY(read_each(root, "routes", read_route));
  out.ports = TRY(read_each(root, "ports", read_port));
  return out;
}
