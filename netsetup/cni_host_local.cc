// SPDX-License-Identifier: Apache-2.0
// cni_host_local.cc - plugin type `host-local`: addresses for plugins of others. Our own
// `bridge` does not need to call it.
#include <algorithm>

#include "cni_plugin.h"
#include "json_fields.h"
#include "lease.h"

namespace {

constexpr std::string_view kDefaultDirectory = "/var/lib/cni/networks";

Result<Network> network_of(const CniCall& call) {
  Network out = TRY(parse_ipam(call.root));
  if (const auto ipam = call.root.find("ipam")) TRY(refuse_fields(*ipam, "host-local"));
  if (out.lease_directory.empty()) out.lease_directory = kDefaultDirectory;
  return out;
}

struct Given {
  IpAddress address;
  const AddressRange* range;
};

Result<void> give_back_all(Leases& leases, const CniEnvironment& owner) {
  const auto all = TRY(leases.all());
  for (const Leases::Lease& lease : all)
    if (lease.owner_id == owner.container_id && lease.interface == owner.interface)
      TRY(leases.give_back(lease.address, lease.owner_id, lease.interface));
  return {};
}

Result<IpAddress> take_one(Leases& leases, const RangeSet& set, std::size_t number,
                           const CniEnvironment& owner, std::vector<IpAddress>& wanted) {
  const auto ours = std::ranges::find_if(wanted, [&](const IpAddress& one) {
    return std::ranges::any_of(set, [&](const AddressRange& r) { return r.contains(one); });
  });
  if (ours == wanted.end()) return leases.take(set, number, owner.container_id, owner.interface);
  const IpAddress address = *ours;
  wanted.erase(ours);
  TRY(leases.take_this(set, address, owner.container_id, owner.interface));
  return address;
}

Result<std::vector<Given>> take_all(Leases& leases, const Network& network,
                                    const CniEnvironment& owner, std::vector<IpAddress> wanted) {
  std::vector<Given> out;
  for (std::size_t i = 0; i < network.range_sets.size(); ++i) {
    const RangeSet& set = network.range_sets[i];
    const IpAddress address = TRY(take_one(leases, set, i, owner, wanted));
    const auto range = std::ranges::find_if(
        set, [&](const AddressRange& one) { return one.subnet.contains(address); });
    out.push_back({address, &*range});
  }
  if (wanted.empty()) return out;
  return Error{"address " + wanted.front().text() + " is not one of network '" + network.name +
               "' (" + subnets_text(network) + ")"};
}

void write_given(JsonWriter& json, const std::vector<Given>& given, const std::string& version) {
  json.key("ips").begin_array();
  for (const Given& one : given) {
    json.begin_object();
    if (version.starts_with("0."))
      json.member("version", one.address.family == AF_INET ? "4" : "6");
    json.member("address", Cidr{one.address, one.range->subnet.length}.text())
        .member("gateway", one.range->gateway.text())
        .end_object();
  }
  json.end_array();
}

std::string result_of(const CniCall& call, const Network& network,
                      const std::vector<Given>& given) {
  JsonWriter json;
  json.begin_object().member("cniVersion", call.version);
  write_given(json, given, call.version);
  json.key("routes").begin_array();
  for (const NetworkRoute& route : network.routes) {
    json.begin_object().member("dst", route.destination.text());
    if (route.gateway) json.member("gw", route.gateway->text());
    json.end_object();
  }
  json.end_array().key("dns").begin_object().end_object();
  return json.end_object().take() + "\n";
}

Result<std::string> add(const CniCall& call) {
  if (call.version < "0.3.0")
    return call.root.error("'host-local' needs a configuration of version 0.3.0 or later");
  const Network network = TRY(network_of(call));
  AttachRequest wishes;
  TRY(read_wishes(call.root, call.environment.arguments, wishes));
  Leases leases = TRY(Leases::open(network.lease_directory, network.name));
  auto given = take_all(leases, network, call.environment, wishes.addresses);
  if (given) return result_of(call, network, *given);
  (void)give_back_all(leases, call.environment);
  return std::move(given).error();
}

Result<void> remove(const CniCall& call) {
  const Network network = TRY(network_of(call));
  Leases leases = TRY(Leases::open(network.lease_directory, network.name));
  return give_back_all(leases, call.environment);
}

Result<void> check(const CniCall& call) {
  const Network network = TRY(network_of(call));
  Leases leases = TRY(Leases::open(network.lease_directory, network.name));
  const auto all = TRY(leases.all());
  const bool there = std::ranges::any_of(all, [&](const Leases::Lease& lease) {
    return lease.owner_id == call.environment.container_id &&
           lease.interface == call.environment.interface;
  });
  if (there) return {};
  return Error{"container '" + call.environment.container_id + "' has no address"};
}

Result<void> status(const CniCall& call) {
  TRY(network_of(call));
  return {};
}

Result<void> collect(const CniCall& call) {
  const Network network = TRY(network_of(call));
  const auto valid = TRY(valid_attachments(call.root));
  Leases leases = TRY(Leases::open(network.lease_directory, network.name));
  const auto all = TRY(leases.all());
  for (const Leases::Lease& lease : all)
    if (!valid.contains(lease.owner_id + "/" + lease.interface))
      TRY(leases.give_back(lease.address, lease.owner_id, lease.interface));
  return {};
}

}  // namespace

const CniPlugin kHostLocalPlugin{"host-local", add, remove, check, status, collect};
