// SPDX-License-Identifier: Apache-2.0
// up_options.cc - the options that `up` and `hook` share, and what they mean.
#include <array>
#include <climits>
#include <cstdio>
#include <cstdlib>

#include "common/json.h"

#include "verbs.h"

namespace {

using Kind = Option::Kind;

constexpr auto kUp = std::to_array<Option>({
    {"network", 'n', Kind::Value, "NAME", "the network to join (default: default)"},
    {"config", 'c', Kind::Value, "FILE",
     "its CNI configuration list (/etc/netsetup/NAME.conflist)"},
    {"subnet", 0, Kind::Value, "CIDR",
     "its subnet when it is made (next free /24 of 10.89.0.0/16)"},
    {"bridge", 0, Kind::Value, "NAME", "its bridge when it is made (nsbr0, nsbr1, ...)"},
    {"publish", 'p', Kind::List, "PORTS", "[HOSTIP:]HOST[-LAST]:CONTAINER[-LAST][/tcp|udp|sctp]"},
    {"name", 0, Kind::Value, "NAME", "by which other members find it"},
    {"alias", 0, Kind::List, "NAME", "a further name"},
    {"hosts", 0, Kind::Value, "FILE", "the hosts file in which it finds the other members"},
    {"ip", 0, Kind::List, "ADDRESS", "this address instead of the next free one"},
    {"mac", 0, Kind::Value, "MAC", "this hardware address instead of one made from the address"},
    {"interface", 'i', Kind::Value, "NAME", "name in the container (default: eth0)"},
    {"pid", 0, Kind::Value, "PID", "the namespace of this process, instead of NETNS"},
    {"dry-run", 0, Kind::Flag, "", "print the operations and do nothing"},
});

// A hook gets pid and namespace from the runtime.
constexpr std::size_t kOnlyUp = 2;

}  // namespace

const std::span<const Option> kUpOptions(kUp);
const std::span<const Option> kHookOptions(kUp.data(), kUp.size() - kOnlyUp);

Result<Store> open_store(const Arguments& arguments) {
  const std::string given = arguments.global.value_or("state-dir", "/run/netsetup");
  // The mark on interfaces is made from the path: one directory, one spelling.
  std::string path = given;
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  if (!path.starts_with('/')) {
    std::array<char, PATH_MAX> here = {};
    if (::realpath(".", here.data()) == nullptr) return errno_error("resolve", ".");
    path = std::string(here.data()) + "/" + path;
  }
  return Store::open(path);
}

EventLog open_events(const Arguments& arguments) {
  return EventLog::open("netsetup", arguments.global.value_or("events", ""));
}

Result<NetworkRequest> network_request(const Options& options) {
  NetworkRequest out;
  out.name = options.value_or("network", "default");
  out.config = options.value_or("config", "");
  out.bridge = options.value_or("bridge", "");
  if (const auto subnet = options.value("subnet")) out.subnet = TRY(parse_cidr(*subnet));
  return out;
}

Result<AttachRequest> attach_request(const Options& options, const std::string& directory) {
  AttachRequest out;
  out.interface = options.value_or("interface", "eth0");
  for (const std::string& text : options.values("publish")) {
    const auto ports = TRY(parse_publish(text));
    out.ports.insert(out.ports.end(), ports.begin(), ports.end());
  }
  out.name = options.value_or("name", "");
  out.aliases = options.values("alias");
  if (!out.aliases.empty() && out.name.empty())
    return Error{"--alias needs --name", 0, "the first name is --name, the others are aliases"};
  out.hosts_file = options.value_or("hosts", "");
  if (!out.hosts_file.empty() && !out.hosts_file.starts_with('/'))
    out.hosts_file = directory + "/" + out.hosts_file;
  for (const std::string& text : options.values("ip")) {
    const IpAddress address = TRY(parse_address(text));
    out.addresses.push_back(address);
  }
  if (const auto mac = options.value("mac")) {
    out.mac = parse_mac(*mac);
    if (!out.mac)
      return Error{"'" + *mac + "' is no MAC address", 0, "write it as 02:6e:0a:59:00:02"};
  }
  return out;
}

namespace {

std::string event_data(const Member& member) {
  JsonWriter json;
  json.begin_object()
      .member("network", member.network)
      .member("interface", member.interface)
      .member("hostInterface", member.host_interface)
      .member("mac", mac_text(member.mac));
  json.key("addresses").begin_array();
  for (const MemberAddress& one : member.addresses) json.value(one.address.text());
  json.end_array().key("ports").begin_array();
  for (const PublishedPort& port : member.ports) json.value(port.text());
  json.end_array().end_object();
  return json.take();
}

}  // namespace

Result<Attached> bring_up(const Arguments& arguments, const AttachRequest& request, int pid) {
  const NetworkRequest network = TRY(network_request(arguments.options));
  const Store store = TRY(open_store(arguments));
  Attached out = TRY(attach(store, network, request));
  for (const std::string& warning : out.warnings)
    std::fprintf(stderr, "netsetup: warning: %s\n", warning.c_str());
  (void)open_events(arguments).emit(request.id, "network-up", pid, event_data(out.member));
  return out;
}

Result<std::size_t> take_away(const Arguments& arguments, const std::string& id,
                              const std::string& network) {
  const Store store = TRY(open_store(arguments));
  const std::size_t count = TRY(detach(store, id, network, ""));
  if (count > 0) (void)open_events(arguments).emit(id, "network-down");
  return count;
}
