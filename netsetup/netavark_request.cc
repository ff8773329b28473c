// SPDX-License-Identifier: Apache-2.0
#include "netavark_request.h"

#include <algorithm>

#include "common/cli.h"

#include "json_fields.h"

namespace {

Result<std::vector<std::string>> texts_if(const JsonView& object, std::string_view key) {
  const auto found = object.find(key);
  if (!found) return std::vector<std::string>();
  return found->strings();
}

// podman gives the values of options as text.
Result<std::uint32_t> number_in(const JsonView& field, long least, long most) {
  const std::string text = TRY(field.string());
  const auto number = parse_integer(text);
  if (number && *number >= least && *number <= most) return static_cast<std::uint32_t>(*number);
  return field.error("expected " + std::to_string(least) + " to " + std::to_string(most));
}

Result<bool> truth_in(const JsonView& field) {
  const std::string text = TRY(field.string());
  const std::string_view word = text;
  if (word == "true" || word == "1") return true;
  if (word == "false" || word == "0") return false;
  return field.error("expected true or false");
}

Result<void> read_option(const std::string& name, const JsonView& field, Network& out) {
  if (name == "mtu") {
    out.mtu = TRY(number_in(field, 0, 65535));
  } else if (name == "metric") {
    out.metric = TRY(number_in(field, 0, 0x7fffffff));
  } else if (name == "no_default_route") {
    const bool without = TRY(truth_in(field));
    out.default_route = out.default_route && !without;
  } else if (name == "isolate") {
    const std::string text = TRY(field.string());
    const bool isolated = text == "strict" || TRY(truth_in(field));
    out.isolated = out.isolated || isolated;
  } else if (name == "mode") {
    const std::string text = TRY(field.string());
    if (text != "managed") return field.error("mode '" + text + "' is not supported");
  } else {
    return field.error("option '" + name + "' is not supported")
        .with_hint("supported are mtu, metric, no_default_route, isolate and mode=managed");
  }
  return {};
}

Result<void> read_options(const JsonView& info, Network& out) {
  const auto options = info.find("options");
  if (!options) return {};
  const auto members = TRY(options->members());
  for (const auto& [name, value] : members) TRY(read_option(name, value, out));
  return {};
}

// The addresses are podman's choice: its lease range does not concern us.
Result<void> read_subnets(const JsonView& info, Network& out) {
  const auto subnets = TRY(items_at(info, "subnets"));
  for (const JsonView& item : subnets) {
    const Cidr subnet = TRY(cidr_at(item, "subnet"));
    auto range = range_of(subnet);
    if (!range) return item.error(range.error().what).with_hint(range.error().hint);
    const auto gateway = TRY(address_if(item, "gateway"));
    if (gateway && !subnet.contains(*gateway))
      return item.error("'gateway' is not within " + subnet.text());
    if (gateway) range->gateway = *gateway;
    out.gateway = out.gateway && gateway;
    out.range_sets.push_back({*range});
  }
  if (out.range_sets.empty()) return info.error("no 'subnets': a network needs addresses");
  return {};
}

Result<void> read_routes(const JsonView& info, Network& out) {
  const auto routes = TRY(items_at(info, "routes"));
  for (const JsonView& item : routes) {
    const std::string type = TRY(text_or(item, "route_type", "unicast"));
    if (type != "unicast") return item.error("a route of type '" + type + "' is not supported");
    NetworkRoute route;
    route.destination = TRY(cidr_at(item, "destination"));
    route.gateway = TRY(address_if(item, "gateway"));
    if (const auto metric = item.find("metric")) {
      const std::int64_t value = TRY(metric->integer());
      if (value < 0 || value > 0x7fffffff) return metric->error("expected 0 to 2147483647");
      route.metric = static_cast<std::uint32_t>(value);
    }
    out.routes.push_back(route);
  }
  return {};
}

Result<void> read_drivers(const JsonView& info) {
  const std::string driver = TRY(text_or(info, "driver", "bridge"));
  if (driver != "bridge")
    return info.find("driver")->error("driver '" + driver + "' is not supported; use bridge");
  const auto ipam = info.find("ipam_options");
  if (!ipam) return {};
  const std::string addresses = TRY(text_or(*ipam, "driver", "host-local"));
  if (addresses == "host-local") return {};
  return ipam->find("driver")->error("addresses by '" + addresses +
                                     "' are not supported; use host-local");
}

Result<Network> read_network(const std::string& name, const JsonView& info, bool& internal) {
  Network out;
  out.name = name;
  if (!is_identifier(name, kLongestNetwork)) return info.error("'" + name + "' is no network name");
  TRY(read_drivers(info));
  out.bridge = TRY(text_at(info, "network_interface"));
  if (!is_interface_name(out.bridge))
    return info.error("'network_interface': '" + out.bridge + "' is no interface name");
  internal = TRY(truth_or(info, "internal", false));
  out.default_route = out.masquerade = !internal;
  out.isolated = internal;
  TRY(read_subnets(info, out));
  out.default_route = out.default_route && out.gateway;
  TRY(read_options(info, out));
  TRY(read_routes(info, out));
  return out;
}

Result<void> read_attachment(const JsonView& item, AttachRequest& out) {
  out.interface = TRY(text_at(item, "interface_name"));
  const auto addresses = TRY(texts_if(item, "static_ips"));
  for (const std::string& text : addresses) {
    const IpAddress address = TRY(parse_address(text));
    out.addresses.push_back(address);
  }
  const std::string mac = TRY(text_or(item, "static_mac", ""));
  if (!mac.empty()) out.mac = parse_mac(mac);
  if (!mac.empty() && !out.mac)
    return item.find("static_mac")->error("'" + mac + "' is no MAC address");
  out.server_names = TRY(texts_if(item, "aliases"));
  if (const auto options = item.find("options")) {
    const auto members = TRY(options->members());
    for (const auto& [name, value] : members)
      return value.error("option '" + name + "' of a container's network is not supported");
  }
  return {};
}

// "tcp,udp" is two protocols, a range so many ports after the first.
Result<void> add_mapping(const JsonView& item, std::vector<PublishedPort>& out) {
  const std::string protocols = TRY(text_or(item, "protocol", "tcp"));
  const std::string host = TRY(text_or(item, "host_ip", ""));
  PublishedPort port;
  if (!host.empty()) {
    const IpAddress address = TRY(parse_address(host));
    if (!address.is_unspecified()) port.host_address = address;
  }
  const std::uint16_t first = TRY(port_at(item, "host_port"));
  const std::uint16_t target = TRY(port_at(item, "container_port"));
  std::int64_t range = 1;
  if (const auto field = item.find("range"))
    range = std::max<std::int64_t>(1, TRY(field->integer()));
  if (range + std::max(first, target) - 1 > 65535)
    return item.error("the range goes beyond port 65535");
  for (std::size_t at = 0; at <= protocols.size();) {
    const std::size_t end = std::min(protocols.find(',', at), protocols.size());
    port.protocol = TRY(parse_protocol(protocols.substr(at, end - at)));
    at = end + 1;
    for (std::int64_t i = 0; i < range; ++i) {
      port.host_port = static_cast<std::uint16_t>(first + i);
      port.container_port = static_cast<std::uint16_t>(target + i);
      out.push_back(port);
    }
  }
  return {};
}

// podman up to 5 has an object by name here, podman 6 an array of objects with a name.
Result<std::vector<std::pair<std::string, JsonView>>> joined_networks(const JsonView& root) {
  const JsonView networks = TRY(root.at("networks"));
  if (!networks.is_array()) return networks.members();
  std::vector<std::pair<std::string, JsonView>> out;
  const auto items = TRY(networks.items());
  for (const JsonView& item : items) {
    const std::string name = TRY(text_at(item, "name"));
    out.emplace_back(name, item);
  }
  return out;
}

Result<NetavarkNetwork> read_one(const JsonView& root, const std::string& name,
                                 const JsonView& item) {
  const JsonView infos = TRY(root.at("network_info"));
  const JsonView info = TRY(infos.at(name));
  NetavarkNetwork out;
  out.network = TRY(read_network(name, info, out.internal));
  TRY(read_attachment(item, out.attach));
  out.names = TRY(truth_or(info, "dns_enabled", false));
  NameServer server;
  server.internal = out.internal;
  server.forwarders = TRY(texts_if(info, "network_dns_servers"));
  server.member_forwarders = TRY(texts_if(root, "dns_servers"));
  const std::string container = TRY(text_or(root, "container_name", ""));
  out.attach.server_names.insert(out.attach.server_names.begin(), container);
  if (out.names) out.attach.server = server;
  return out;
}

}  // namespace

Result<NetavarkRequest> read_netavark_request(std::string_view input, const std::string& netns) {
  const JsonDocument document = TRY(JsonDocument::parse("network options", input));
  const JsonView root = document.root();
  NetavarkRequest out;
  out.id = TRY(text_at(root, "container_id"));
  std::vector<PublishedPort> ports;
  const auto mappings = TRY(items_at(root, "port_mappings"));
  for (const JsonView& item : mappings) TRY(add_mapping(item, ports));
  const auto joined = TRY(joined_networks(root));
  for (const auto& [name, item] : joined) {
    NetavarkNetwork one = TRY(read_one(root, name, item));
    one.attach.id = out.id;
    one.attach.netns = netns;
    one.attach.engine_has_ports = true;
    out.networks.push_back(std::move(one));
  }
  std::ranges::sort(out.networks, {},
                    [](const NetavarkNetwork& one) { return one.attach.interface; });
  // One network has the ports: the first that leads outside.
  const auto outside = std::ranges::find(out.networks, false, &NetavarkNetwork::internal);
  if (outside != out.networks.end()) outside->attach.ports = ports;
  return out;
}

Result<std::vector<std::pair<std::string, std::string>>> netavark_attachments(
    const JsonView& root) {
  std::vector<std::pair<std::string, std::string>> out;
  const auto joined = TRY(joined_networks(root));
  for (const auto& [name, item] : joined) {
    const std::string interface = TRY(text_at(item, "interface_name"));
    out.emplace_back(name, interface);
  }
  return out;
}
