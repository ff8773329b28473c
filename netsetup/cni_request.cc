// SPDX-License-Identifier: Apache-2.0
#include "cni_request.h"

#include <algorithm>
#include <array>
#include <cstdlib>

#include "json_fields.h"

namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

struct Need {
  std::string_view command;
  bool container;
  bool netns;
};
constexpr auto kNeeds = std::to_array<Need>({
    {"ADD", true, true},
    {"CHECK", true, true},
    {"DEL", true, false},
    {"GC", false, false},
    {"STATUS", false, false},
    {"VERSION", false, false},
});

}  // namespace

CniEnvironment read_cni_environment() {
  return {variable("CNI_COMMAND"), variable("CNI_CONTAINERID"), variable("CNI_NETNS"),
          variable("CNI_IFNAME"), variable("CNI_ARGS")};
}

std::optional<CniError> check_cni_environment(const CniEnvironment& environment) {
  const auto need = std::ranges::find(kNeeds, environment.command, &Need::command);
  if (need == kNeeds.end())
    return CniError{CniCode::InvalidEnvironment, "unknown CNI_COMMAND: " + environment.command};
  std::string missing;
  const auto want = [&](bool needed, const std::string& value, std::string_view name) {
    if (needed && value.empty()) missing.append(missing.empty() ? "" : ",").append(name);
  };
  want(need->container, environment.container_id, "CNI_CONTAINERID");
  want(need->netns, environment.netns, "CNI_NETNS");
  want(need->container, environment.interface, "CNI_IFNAME");
  if (!missing.empty())
    return CniError{CniCode::InvalidEnvironment,
                    "required env variables [" + missing + "] missing"};
  if (!need->container) return std::nullopt;
  if (!is_identifier(environment.container_id, kLongestId))
    return CniError{CniCode::InvalidEnvironment, "invalid characters in containerID",
                    environment.container_id};
  if (!is_interface_name(environment.interface))
    return CniError{CniCode::InvalidEnvironment, "invalid interface name", environment.interface};
  return std::nullopt;
}

std::string cni_argument(std::string_view arguments, std::string_view key) {
  while (!arguments.empty()) {
    const auto end = std::min(arguments.find(';'), arguments.size());
    const std::string_view pair = arguments.substr(0, end);
    const auto equals = pair.find('=');
    if (equals != std::string_view::npos && pair.substr(0, equals) == key)
      return std::string(pair.substr(equals + 1));
    arguments.remove_prefix(std::min(end + 1, arguments.size()));
  }
  return {};
}

std::string cni_version_of(std::string_view input) {
  const auto document = JsonDocument::parse("network configuration", input);
  if (!document) return "0.1.0";
  const auto version = document->root().is_object() ? document->root().find("cniVersion")
                                                    : std::optional<JsonView>();
  if (!version || !version->is_string()) return "0.1.0";
  const auto text = version->string();
  return text ? *text : "0.1.0";
}

namespace {

Result<PublishedPort> read_mapping(const JsonView& item) {
  PublishedPort out;
  out.host_port = TRY(port_at(item, "hostPort"));
  out.container_port = TRY(port_at(item, "containerPort"));
  const std::string protocol = TRY(text_or(item, "protocol", "tcp"));
  out.protocol = TRY(parse_protocol(protocol));
  const std::string address = TRY(text_or(item, "hostIP", ""));
  if (address.empty()) return out;
  const IpAddress parsed = TRY(parse_address(address));
  if (!parsed.is_unspecified()) out.host_address = parsed;
  return out;
}

// "10.1.0.9" or "10.1.0.9/16".
Result<void> add_wanted(const std::string& text, AttachRequest& out) {
  const IpAddress address = TRY(parse_address(text.substr(0, text.find('/'))));
  out.addresses.push_back(address);
  return {};
}

Result<void> add_wanted_list(const JsonView& object, AttachRequest& out) {
  const auto items = TRY(items_at(object, "ips"));
  for (const JsonView& item : items) {
    const std::string text = TRY(item.string());
    TRY(add_wanted(text, out));
  }
  return {};
}

Result<void> set_mac(const std::string& text, AttachRequest& out) {
  if (text.empty()) return {};
  out.mac = parse_mac(text);
  if (!out.mac) return Error{"'" + text + "' is no MAC address"};
  return {};
}

}  // namespace

Result<void> read_wishes(const JsonView& root, const std::string& arguments, AttachRequest& out) {
  const std::string ip = cni_argument(arguments, "IP");
  if (!ip.empty()) TRY(add_wanted(ip, out));
  TRY(set_mac(cni_argument(arguments, "MAC"), out));
  if (const auto args = root.find("args"))
    if (const auto cni = args->find("cni")) {
      TRY(add_wanted_list(*cni, out));
      const std::string mac = TRY(text_or(*cni, "mac", ""));
      TRY(set_mac(mac, out));
    }
  const auto runtime = root.find("runtimeConfig");
  if (!runtime) return {};
  if (const auto ranges = runtime->find("ipRanges"))
    return ranges->error(
        "'ipRanges' is not supported: all containers of a network share its ranges");
  TRY(add_wanted_list(*runtime, out));
  const std::string mac = TRY(text_or(*runtime, "mac", ""));
  TRY(set_mac(mac, out));
  out.ports = TRY(read_port_mappings(root));
  return {};
}

Result<std::vector<PublishedPort>> read_port_mappings(const JsonView& root) {
  std::vector<PublishedPort> out;
  const auto runtime = root.find("runtimeConfig");
  if (!runtime) return out;
  const auto mappings = TRY(items_at(*runtime, "portMappings"));
  for (const JsonView& item : mappings) {
    const PublishedPort port = TRY(read_mapping(item));
    out.push_back(port);
  }
  return out;
}

Result<std::set<std::string>> valid_attachments(const JsonView& root) {
  std::set<std::string> out;
  const auto items = TRY(items_at(root, "cni.dev/valid-attachments"));
  for (const JsonView& item : items) {
    const std::string id = TRY(text_at(item, "containerID"));
    const std::string interface = TRY(text_at(item, "ifname"));
    out.insert(id + "/" + interface);
  }
  return out;
}

Result<CniRequest> read_cni_request(const CniEnvironment& environment, const JsonView& root) {
  CniRequest out;
  out.network = TRY(parse_plugin(root));
  out.attach.id = environment.container_id;
  out.attach.interface = environment.interface;
  out.attach.netns = environment.netns;
  TRY(read_wishes(root, environment.arguments, out.attach));
  return out;
}
