// SPDX-License-Identifier: Apache-2.0
// cni_tuning.cc - plugin type `tuning`: sysctls and link settings of an interface that an
// earlier plugin made. Whatever fails, what was changed before is as it was again.
#include <regex.h>

#include <algorithm>
#include <cerrno>

#include "cni_plugin.h"
#include "json_fields.h"
#include "netns.h"
#include "tuning.h"

namespace {

constexpr const char* kAllowList = "/etc/cni/tuning/allowlist.conf";

Result<bool> matches(const std::string& line, const std::string& key) {
  regex_t compiled = {};
  if (::regcomp(&compiled, line.c_str(), REG_EXTENDED | REG_NOSUB) != 0)
    return Error{std::string(kAllowList) + ": '" + line + "' is no regular expression"};
  const bool out = ::regexec(&compiled, key.c_str(), 0, nullptr, 0) == 0;
  ::regfree(&compiled);
  return out;
}

// The lines are regular expressions; without the file everything is allowed.
Result<void> refuse_unlisted(const JsonView& field, const std::string& key) {
  auto text = read_file(kAllowList);
  if (!text && text.error().code == ENOENT) return {};
  const std::string lines = TRY(std::move(text));
  for (std::size_t at = 0; at < lines.size();) {
    const std::size_t end = std::min(lines.find('\n', at), lines.size());
    const std::string line = lines.substr(at, end - at);
    at = end + 1;
    const bool allowed = !line.empty() && TRY(matches(line, key));
    if (allowed) return {};
  }
  return field.error("sysctl '" + key + "' is not on the list in " + kAllowList);
}

// "net.ipv4.conf.IFNAME.arp_filter", or with slashes when a name has a dot in it.
Result<std::string> sysctl_below_net(const JsonView& field, std::string key,
                                     const std::string& interface) {
  if (key.find('/') == std::string::npos) std::ranges::replace(key, '.', '/');
  if (const auto at = key.find("IFNAME"); at != std::string::npos) key.replace(at, 6, interface);
  const std::string guarded = "/" + key + "/";
  if (!key.starts_with("net/") || guarded.find("/../") != std::string::npos)
    return field.error("'" + key + "' is no setting of the network")
        .with_hint("only those below net. belong to the container");
  return key.substr(4);
}

Result<void> read_sysctls(const JsonView& object, const std::string& interface, Tuning& out) {
  const auto sysctls = object.find("sysctl");
  if (!sysctls) return {};
  const auto members = TRY(sysctls->members());
  for (const auto& [key, value] : members) {
    TRY(refuse_unlisted(value, key));
    const std::string name = TRY(sysctl_below_net(value, key, interface));
    const std::string text = TRY(value.string());
    out.sysctls.emplace_back(name, text);
  }
  return {};
}

Result<void> read_mac(const JsonView& object, Tuning& out) {
  const std::string text = TRY(text_or(object, "mac", ""));
  if (text.empty()) return {};
  out.mac = parse_mac(text);
  if (!out.mac) return object.find("mac")->error("'" + text + "' is no MAC address");
  return {};
}

Result<std::optional<bool>> truth_if(const JsonView& object, std::string_view key) {
  if (!object.find(key)) return std::optional<bool>();
  return std::optional<bool>(TRY(truth_or(object, key, false)));
}

// 0 is how engines say "as it is".
Result<std::optional<std::uint32_t>> number_if(const JsonView& object, std::string_view key,
                                               std::int64_t least, std::int64_t most) {
  const auto field = object.find(key);
  if (!field) return std::optional<std::uint32_t>();
  const std::int64_t value = TRY(field->integer());
  if (value == 0) return std::optional<std::uint32_t>();
  if (value < least || value > most)
    return field->error("expected " + std::to_string(least) + " to " + std::to_string(most));
  return std::optional<std::uint32_t>(static_cast<std::uint32_t>(value));
}

Result<Tuning> read_tuning(const CniCall& call) {
  Tuning out;
  const std::string& interface = call.environment.interface;
  TRY(refuse_fields(call.root, "tuning"));
  TRY(read_sysctls(call.root, interface, out));
  TRY(read_mac(call.root, out));
  out.promiscuous = TRY(truth_if(call.root, "promisc"));
  out.all_multicast = TRY(truth_if(call.root, "allmulti"));
  out.mtu = TRY(number_if(call.root, "mtu", 68, 65535));
  out.queue_length = TRY(number_if(call.root, "txQLen", 1, 0x7fffffff));
  if (const auto args = call.root.find("args"))
    if (const auto cni = args->find("cni")) TRY(read_sysctls(*cni, interface, out));
  const std::string argument = cni_argument(call.environment.arguments, "MAC");
  if (!argument.empty()) {
    out.mac = parse_mac(argument);
    if (!out.mac) return call.root.error("CNI_ARGS: '" + argument + "' is no MAC address");
  }
  if (const auto runtime = call.root.find("runtimeConfig")) TRY(read_mac(*runtime, out));
  return out;
}

Result<Link> interface_of(const NetlinkSocket& inside, const CniCall& call) {
  const auto link = TRY(find_link(inside, call.environment.interface));
  if (link) return *link;
  return Error{"the container has no interface '" + call.environment.interface + "'", ENODEV};
}

// One of prevResult's interfaces, with the hardware address that it has now.
void write_interface(JsonWriter& json, const JsonView& interface, const std::string& name,
                     const MacAddress& mac) {
  const auto fields = interface.members();
  const auto theirs = text_or(interface, "name", "");
  const auto sandbox = text_or(interface, "sandbox", "");
  if (!fields || !theirs || *theirs != name || !sandbox || sandbox->empty()) {
    json.raw(interface.json());
    return;
  }
  json.begin_object();
  for (const auto& [field, content] : *fields)
    if (field != "mac") json.key(field).raw(content.json());
  json.member("mac", mac_text(mac)).end_object();
}

Result<std::string> result_with(const CniCall& call, const JsonView& previous,
                                const MacAddress& mac) {
  JsonWriter json;
  json.begin_object().member("cniVersion", call.version);
  const auto members = TRY(previous.members());
  for (const auto& [key, value] : members) {
    if (key == "cniVersion" || key == "interfaces") continue;
    json.key(key).raw(value.json());
  }
  const auto interfaces = TRY(items_at(previous, "interfaces"));
  json.key("interfaces").begin_array();
  for (const JsonView& interface : interfaces)
    write_interface(json, interface, call.environment.interface, mac);
  json.end_array();
  return json.end_object().take() + "\n";
}

// So that CHECK of the plugin that made the interface expects the new address.
Result<void> record_mac(const CniCall& call, const MacAddress& mac) {
  const Store store = TRY(Store::open(call.state_directory));
  const FileLock lock = TRY(store.lock());
  auto member = TRY(
      store.find_member(call.network, call.environment.container_id, call.environment.interface));
  if (!member) return {};
  member->mac = mac;
  return store.save_member(*member);
}

Result<std::string> add(const CniCall& call) {
  const JsonView previous = TRY(previous_result(call));
  const Tuning tuning = TRY(read_tuning(call));
  const UniqueFd netns = TRY(open_netns(call.environment.netns));
  const NetlinkSocket inside = TRY(route_socket_in(netns));
  const Link link = TRY(interface_of(inside, call));
  Tuner tuner(netns, inside);
  TRY(tuner.apply(tuning, link));
  std::string out = passed_on(call, previous);
  if (tuning.mac) {
    out = TRY(result_with(call, previous, *tuning.mac));
    TRY(record_mac(call, *tuning.mac));
  }
  tuner.keep();
  return out;
}

Result<void> compare(const CniCall& call) {
  const Tuning tuning = TRY(read_tuning(call));
  const UniqueFd netns = TRY(open_netns(call.environment.netns));
  const NetlinkSocket inside = TRY(route_socket_in(netns));
  const Link link = TRY(interface_of(inside, call));
  const std::string difference = TRY(first_difference(tuning, link, netns));
  if (difference.empty()) return {};
  return Error{difference};
}

}  // namespace

// What was tuned goes with its namespace.
const CniPlugin kTuningPlugin{"tuning", add, nothing_to_do, compare, nothing_to_do, nothing_to_do};
