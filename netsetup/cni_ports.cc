// SPDX-License-Identifier: Apache-2.0
// cni_ports.cc - plugin types `portmap` and `firewall`: ports and walls of a container
// that `bridge` connected. Whatever `backend` they name, the rules are nftables'.
#include <linux/netlink.h>

#include <algorithm>
#include <cerrno>

#include "attachment_steps.h"
#include "cni_plugin.h"
#include "firewall.h"
#include "json_fields.h"

namespace {

Result<void> check_backend(const JsonView& root, std::string_view other) {
  const std::string backend = TRY(text_or(root, "backend", ""));
  if (backend.empty() || backend == "iptables" || backend == "nftables" || backend == other)
    return {};
  return root.find("backend")->error("unknown backend '" + backend + "'");
}

Result<Network> network_of(const Store& store, const Member& member) {
  auto network = TRY(store.find_network(member.network));
  if (network) return *std::move(network);
  return Error{"network '" + member.network + "' has no record", ENOENT};
}

Result<std::vector<PublishedPort>> wanted_ports(const CniCall& call) {
  TRY(refuse_fields(call.root, "portmap"));
  TRY(check_backend(call.root, ""));
  const bool snat = TRY(truth_or(call.root, "snat", true));
  if (!snat)
    return call.root.find("snat")->error(
        "'snat' false is not supported: without it a container does not reach its own port");
  return read_port_mappings(call.root);
}

Result<std::string> add_ports(const CniCall& call) {
  const JsonView previous = TRY(previous_result(call));
  const auto ports = TRY(wanted_ports(call));
  if (ports.empty()) return passed_on(call, previous);
  const Store store = TRY(Store::open(call.state_directory));
  const FileLock lock = TRY(store.lock());
  const Member member = TRY(member_of(store, call));
  const Network network = TRY(network_of(store, member));
  TRY(publish(store, network, member, ports));
  return passed_on(call, previous);
}

Result<void> remove_ports(const CniCall& call) {
  const Store store = TRY(Store::open(call.state_directory));
  const FileLock lock = TRY(store.lock());
  auto member = TRY(
      store.find_member(call.network, call.environment.container_id, call.environment.interface));
  if (!member) return {};
  return unpublish(store, *std::move(member));
}

Result<void> check_ports(const CniCall& call) {
  TRY(wanted_ports(call));
  const Store store = TRY(Store::open(call.state_directory));
  const FileLock lock = TRY(store.lock());
  const Member member = TRY(member_of(store, call));
  const Firewall firewall = TRY(Firewall::open());
  const auto missing = TRY(firewall.missing_ports(member));
  if (missing.empty()) return {};
  return Error{"port " + missing.front().text() + " is not published"};
}

enum class Ingress { Open, SameBridge, Isolated };

Result<Ingress> read_ingress(const CniCall& call) {
  TRY(refuse_fields(call.root, "firewall"));
  TRY(check_backend(call.root, "firewalld"));
  const std::string policy = TRY(text_or(call.root, "ingressPolicy", ""));
  if (policy.empty() || policy == "open") return Ingress::Open;
  if (policy == "same-bridge") return Ingress::SameBridge;
  if (policy == "isolated") return Ingress::Isolated;
  return call.root.find("ingressPolicy")
      ->error("unknown policy '" + policy + "'")
      .with_hint("use open, same-bridge or isolated");
}

Result<void> isolate_port(const Member& member) {
  const NetlinkSocket route = TRY(NetlinkSocket::open(NETLINK_ROUTE));
  NetlinkBatch batch;
  isolate_bridge_port(batch, member.host_interface);
  return route.transact(batch);
}

Result<std::string> add_wall(const CniCall& call) {
  const JsonView previous = TRY(previous_result(call));
  const Ingress ingress = TRY(read_ingress(call));
  if (ingress == Ingress::Open) return passed_on(call, previous);
  const Store store = TRY(Store::open(call.state_directory));
  const FileLock lock = TRY(store.lock());
  const Member member = TRY(member_of(store, call));
  Network network = TRY(network_of(store, member));
  if (!network.isolated) {
    network.isolated = true;
    TRY(store.save_network(network));
  }
  const Firewall firewall = TRY(Firewall::open());
  TRY(firewall.add(network, member));
  if (ingress == Ingress::Isolated) TRY(isolate_port(member));
  return passed_on(call, previous);
}

Result<void> check_wall(const CniCall& call) {
  const Ingress ingress = TRY(read_ingress(call));
  if (ingress == Ingress::Open) return {};
  const Store store = TRY(Store::open(call.state_directory));
  const FileLock lock = TRY(store.lock());
  const Member member = TRY(member_of(store, call));
  const Firewall firewall = TRY(Firewall::open());
  const auto guarded = TRY(firewall.guarded());
  if (std::ranges::find(guarded, member.bridge) != guarded.end()) return {};
  return Error{"bridge '" + member.bridge + "' is not guarded"};
}

Result<void> status(const CniCall&) {
  const Firewall firewall = TRY(Firewall::open());
  TRY(firewall.bridges());
  return {};
}

}  // namespace

const CniPlugin kPortmapPlugin{"portmap",   add_ports, remove_ports,
                               check_ports, status,    nothing_to_do};
// The wall is the network's, and goes with its last member.
const CniPlugin kFirewallPlugin{"firewall", add_wall, nothing_to_do,
                                check_wall, status,   nothing_to_do};
