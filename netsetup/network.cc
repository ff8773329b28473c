// SPDX-License-Identifier: Apache-2.0
#include "network.h"

#include <algorithm>
#include <array>

#include "json_fields.h"

namespace {

bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

}  // namespace

bool is_identifier(std::string_view text, std::size_t longest) {
  if (text.empty() || text.size() > longest || !is_alphanumeric(text[0])) return false;
  return std::ranges::all_of(
      text, [](char c) { return is_alphanumeric(c) || c == '_' || c == '.' || c == '-'; });
}

bool is_interface_name(std::string_view text) {
  if (text.empty() || text.size() > 15 || text == "." || text == "..") return false;
  return std::ranges::none_of(text, [](char c) {
    return c == '/' || c == ':' || c == ' ' || (c >= '\t' && c <= '\r') || c == '\0' || c == '%';
  });
}

Result<AddressRange> range_of(const Cidr& subnet) {
  const int widest = subnet.address.family == AF_INET ? 30 : 126;
  if (!subnet.is_network())
    return Error{"'" + subnet.text() + "' has bits set beyond its prefix", 0,
                 "the network is " + Cidr{subnet.first(), subnet.length}.text()};
  if (subnet.length > widest)
    return Error{"'" + subnet.text() + "' is too small a network", 0,
                 "take at least a /" + std::to_string(widest)};
  AddressRange out;
  out.subnet = subnet;
  out.gateway = *next_address(subnet.first());
  out.first = out.gateway;
  // IPv4 keeps the last address for broadcasts.
  out.last = subnet.address.family == AF_INET ? *previous_address(subnet.last()) : subnet.last();
  return out;
}

namespace {

Result<void> narrow(const JsonView& object, std::string_view key, const Cidr& subnet,
                    IpAddress& into) {
  const auto address = TRY(address_if(object, key));
  if (!address) return {};
  if (!subnet.contains(*address))
    return object.error("'" + std::string(key) + "' is not within " + subnet.text());
  into = *address;
  return {};
}

Result<AddressRange> read_range(const JsonView& object) {
  const Cidr subnet = TRY(cidr_at(object, "subnet"));
  auto whole = range_of(subnet);
  if (!whole) return object.error(whole.error().what).with_hint(whole.error().hint);
  AddressRange out = *whole;
  TRY(narrow(object, "gateway", subnet, out.gateway));
  TRY(narrow(object, "rangeStart", subnet, out.first));
  TRY(narrow(object, "rangeEnd", subnet, out.last));
  if (out.last < out.first) return object.error("the range ends before it starts");
  return out;
}

Result<void> read_ranges(const JsonView& ipam, Network& out) {
  if (ipam.find("subnet")) {
    const AddressRange range = TRY(read_range(ipam));
    out.range_sets.push_back({range});
  }
  const auto sets = TRY(items_at(ipam, "ranges"));
  for (const JsonView& set : sets) {
    RangeSet ranges;
    const auto items = TRY(set.items());
    for (const JsonView& range : items) {
      ranges.push_back(TRY(read_range(range)));
      if (ranges.back().first.family != ranges.front().first.family)
        return range.error("a range set is of one address family");
    }
    if (ranges.empty()) return set.error("a range set needs at least one range");
    out.range_sets.push_back(std::move(ranges));
  }
  return {};
}

}  // namespace

Result<std::uint32_t> metric_of(const JsonView& route) {
  const auto field = route.find("priority");
  if (!field) return std::uint32_t{0};
  const std::int64_t value = TRY(field->integer());
  if (value < 0 || value > 0x7fffffff) return field->error("expected 0 to 2147483647");
  return static_cast<std::uint32_t>(value);
}

namespace {

Result<void> read_routes(const JsonView& ipam, Network& out) {
  const auto routes = TRY(items_at(ipam, "routes"));
  for (const JsonView& item : routes) {
    NetworkRoute route;
    route.destination = TRY(cidr_at(item, "dst"));
    route.gateway = TRY(address_if(item, "gw"));
    route.metric = TRY(metric_of(item));
    for (const char* other : {"mtu", "advmss", "table", "scope"})
      if (const auto field = item.find(other))
        return field->error("'" + std::string(other) + "' of a route is not supported");
    out.routes.push_back(route);
  }
  return {};
}

Result<void> read_ipam(const JsonView& plugin, Network& out) {
  const auto ipam = plugin.find("ipam");
  if (!ipam) return plugin.error("an 'ipam' object is needed for the addresses");
  const auto type = ipam->find("type");
  const std::string name = TRY(text_or(*ipam, "type", "host-local"));
  if (name != "host-local")
    return type->error("unknown address management '" + name + "'")
        .with_hint("use host-local, which is built in");
  TRY(read_ranges(*ipam, out));
  if (out.range_sets.empty()) return ipam->error("no 'subnet' and no 'ranges'");
  for (std::size_t i = 0; i < out.range_sets.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      for (const AddressRange& a : out.range_sets[i])
        for (const AddressRange& b : out.range_sets[j])
          if (overlaps(a.subnet, b.subnet))
            return ipam->error(a.subnet.text() + " overlaps " + b.subnet.text());
  TRY(read_routes(*ipam, out));
  out.lease_directory = TRY(text_or(*ipam, "dataDir", ""));
  return {};
}

Result<void> read_bridge(const JsonView& plugin, bool ours, Network& out) {
  out.bridge = TRY(text_or(plugin, "bridge", ours ? "" : "cni0"));
  if (!out.bridge.empty() && !is_interface_name(out.bridge))
    return plugin.error("'bridge': '" + out.bridge + "' is no interface name");
  out.default_route = TRY(truth_or(plugin, "isDefaultGateway", ours));
  out.gateway = TRY(truth_or(plugin, "isGateway", ours)) || out.default_route;
  out.masquerade = TRY(truth_or(plugin, "ipMasq", ours));
  out.hairpin = TRY(truth_or(plugin, "hairpinMode", ours));
  out.port_isolation = TRY(truth_or(plugin, "portIsolation", false));
  out.isolated = TRY(truth_or(plugin, "isolated", ours));
  if (const auto mtu = plugin.find("mtu")) {
    const std::int64_t value = TRY(mtu->integer());
    if (value != 0 && (value < 68 || value > 65535)) return mtu->error("expected 68 to 65535");
    out.mtu = static_cast<std::uint32_t>(value);
  }
  if (const auto metric = plugin.find("metric")) {
    const std::int64_t value = TRY(metric->integer());
    if (value < 0 || value > 0x7fffffff) return metric->error("expected 0 to 2147483647");
    out.metric = static_cast<std::uint32_t>(value);
  }
  return read_ipam(plugin, out);
}

// Plugins of a list whose work is part of ours: ports are published and
// forwarding is allowed in any case.
constexpr auto kIncluded = std::to_array<std::string_view>({"firewall", "loopback", "portmap"});

Result<void> read_name(const JsonView& root, Network& out) {
  const JsonView name = TRY(root.at("name"));
  out.name = TRY(name.string());
  if (is_identifier(out.name, kLongestNetwork)) return {};
  return name.error("'" + out.name + "' is no network name");
}

Result<void> read_plugins(const JsonView& root, Network& out) {
  bool found = false;
  const auto plugins = TRY(items_at(root, "plugins"));
  for (const JsonView& plugin : plugins) {
    const JsonView field = TRY(plugin.at("type"));
    const std::string type = TRY(field.string());
    if (type == "netsetup" || type == "bridge") {
      if (found) return field.error("a second bridge in one network");
      TRY(read_bridge(plugin, type == "netsetup", out));
      found = true;
    } else if (type == "firewall") {
      const std::string ingress = TRY(text_or(plugin, "ingressPolicy", ""));
      out.isolated = out.isolated || (!ingress.empty() && ingress.compare("open") != 0);
      out.port_isolation = out.port_isolation || ingress.compare("isolated") == 0;
    } else if (std::ranges::find(kIncluded, type) == kIncluded.end()) {
      return field.error("plugin '" + type + "' is not one that is built in")
          .with_hint("built in are netsetup, bridge, portmap, firewall and loopback");
    }
  }
  if (!found) return root.error("the list has no plugin of type 'netsetup' or 'bridge'");
  return {};
}

}  // namespace

Result<Network> parse_conflist(const std::string& source, std::string_view text) {
  const JsonDocument document = TRY(JsonDocument::parse(source, text));
  Network out;
  TRY(read_name(document.root(), out));
  TRY(read_plugins(document.root(), out));
  return out;
}

Result<Network> parse_plugin(const JsonView& root) {
  Network out;
  TRY(read_name(root, out));
  const std::string type = TRY(text_or(root, "type", "netsetup"));
  TRY(read_bridge(root, type != "bridge", out));
  if (out.bridge.empty()) return root.error("'bridge' is missing");
  return out;
}

Result<Network> parse_ipam(const JsonView& root) {
  Network out;
  TRY(read_name(root, out));
  TRY(read_ipam(root, out));
  return out;
}

namespace {

void write_ipam(JsonWriter& json, const Network& network) {
  json.key("ipam").begin_object().member("type", "host-local");
  if (!network.lease_directory.empty()) json.member("dataDir", network.lease_directory);
  json.key("ranges").begin_array();
  for (const RangeSet& set : network.range_sets) {
    json.begin_array();
    for (const AddressRange& range : set)
      json.begin_object()
          .member("subnet", range.subnet.text())
          .member("rangeStart", range.first.text())
          .member("rangeEnd", range.last.text())
          .member("gateway", range.gateway.text())
          .end_object();
    json.end_array();
  }
  json.end_array().key("routes").begin_array();
  for (const NetworkRoute& route : network.routes) {
    json.begin_object().member("dst", route.destination.text());
    if (route.gateway) json.member("gw", route.gateway->text());
    if (route.metric != 0) json.member("priority", route.metric);
    json.end_object();
  }
  json.end_array().end_object();
}

}  // namespace

std::string to_conflist(const Network& network) {
  JsonWriter json(JsonWriter::Style::TwoSpaces);
  json.begin_object().member("cniVersion", "1.1.0").member("name", network.name);
  json.key("plugins").begin_array().begin_object();
  json.member("type", "netsetup")
      .member("bridge", network.bridge)
      .member("isGateway", network.gateway)
      .member("isDefaultGateway", network.default_route)
      .member("ipMasq", network.masquerade)
      .member("hairpinMode", network.hairpin)
      .member("portIsolation", network.port_isolation)
      .member("isolated", network.isolated)
      .member("mtu", network.mtu)
      .member("metric", network.metric);
  write_ipam(json, network);
  json.end_object().end_array().end_object();
  return json.take() + "\n";
}

std::string subnets_text(const Network& network) {
  std::string out;
  for (const RangeSet& set : network.range_sets)
    for (const AddressRange& range : set) {
      if (!out.empty()) out += ", ";
      out += range.subnet.text();
    }
  return out;
}
