// SPDX-License-Identifier: Apache-2.0
#include "cni_result.h"

#include <algorithm>

#include "common/json.h"

namespace {

void write_ips(JsonWriter& json, const Member& member, bool with_version) {
  json.key("ips").begin_array();
  for (const MemberAddress& one : member.addresses) {
    json.begin_object();
    if (with_version) json.member("version", one.address.address.family == AF_INET ? "4" : "6");
    json.member("interface", 2).member("address", one.address.text());
    if (one.gateway) json.member("gateway", one.gateway->text());
    json.end_object();
  }
  json.end_array();
}

void write_routes(JsonWriter& json, const Member& member, int family) {
  json.key("routes").begin_array();
  for (const NetworkRoute& route : member.routes) {
    if (family != AF_UNSPEC && route.destination.address.family != family) continue;
    json.begin_object().member("dst", route.destination.text());
    if (route.gateway) json.member("gw", route.gateway->text());
    json.end_object();
  }
  json.end_array();
}

// Versions before 0.3: one address per family, no interfaces.
void write_old(JsonWriter& json, const Member& member) {
  for (const int family : {AF_INET, AF_INET6}) {
    const auto one = std::ranges::find(
        member.addresses, family, [](const MemberAddress& a) { return a.address.address.family; });
    if (one == member.addresses.end()) continue;
    json.key(family == AF_INET ? "ip4" : "ip6").begin_object();
    json.member("ip", one->address.text());
    if (one->gateway) json.member("gateway", one->gateway->text());
    write_routes(json, member, family);
    json.end_object();
  }
}

void write_interface(JsonWriter& json, const std::string& name, const MacAddress& mac,
                     std::uint32_t mtu, const std::string& sandbox) {
  json.begin_object().member("name", name).member("mac", mac_text(mac));
  if (mtu != 0) json.member("mtu", mtu);
  if (!sandbox.empty()) json.member("sandbox", sandbox);
  json.end_object();
}

void write_dns(JsonWriter& json, const CniDns& dns) {
  json.key("dns").begin_object();
  if (!dns.servers.empty()) json.member("nameservers", dns.servers);
  if (!dns.domain.empty()) json.member("domain", dns.domain);
  if (!dns.search.empty()) json.member("search", dns.search);
  if (!dns.options.empty()) json.member("options", dns.options);
  json.end_object();
}

}  // namespace

std::string cni_result(const std::string& version, const Attached& attached, const CniDns& dns) {
  const Member& member = attached.member;
  JsonWriter json(JsonWriter::Style::TwoSpaces);
  json.begin_object().member("cniVersion", version);
  if (version.starts_with("0.1") || version.starts_with("0.2")) {
    write_old(json, member);
  } else {
    const std::uint32_t mtu = version == "1.1.0" ? attached.mtu : 0;
    json.key("interfaces").begin_array();
    write_interface(json, member.bridge, attached.bridge_mac, mtu, "");
    write_interface(json, member.host_interface, host_end_mac(member.mac), mtu, "");
    write_interface(json, member.interface, member.mac, mtu, member.netns);
    json.end_array();
    write_ips(json, member, version.starts_with("0."));
    write_routes(json, member, AF_UNSPEC);
  }
  write_dns(json, dns);
  return json.end_object().take() + "\n";
}
