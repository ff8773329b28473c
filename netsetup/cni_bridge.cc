// SPDX-License-Identifier: Apache-2.0
// cni_bridge.cc - plugin types `netsetup` (bridge, host-local, portmap and firewall in
// one process) and `bridge`: they make the container's interface, and take it away.
#include <linux/netlink.h>

#include <cerrno>
#include <cstdio>

#include "attachment_steps.h"
#include "background.h"
#include "cni_plugin.h"
#include "cni_result.h"
#include "firewall.h"
#include "json_fields.h"

namespace {

Result<std::vector<std::string>> texts_if(const JsonView& object, std::string_view key) {
  const auto found = object.find(key);
  if (!found) return std::vector<std::string>();
  return found->strings();
}

Result<CniDns> read_dns(const JsonView& root) {
  CniDns out;
  const auto dns = root.find("dns");
  if (!dns) return out;
  out.servers = TRY(texts_if(*dns, "nameservers"));
  out.domain = TRY(text_or(*dns, "domain", ""));
  out.search = TRY(texts_if(*dns, "search"));
  out.options = TRY(texts_if(*dns, "options"));
  return out;
}

Result<CniRequest> request_of(const CniCall& call) {
  TRY(refuse_fields(call.root, "bridge"));
  auto request = read_cni_request(call.environment, call.root);
  if (!request) return std::move(request).error().at_field("/");
  return *std::move(request);
}

Result<std::string> add(const CniCall& call) {
  const CniRequest request = TRY(request_of(call));
  const CniDns dns = TRY(read_dns(call.root));
  const Store store = TRY(Store::open(call.state_directory));
  const Attached attached = TRY(attach_to(store, request.network, request.attach));
  for (const std::string& warning : attached.warnings)
    std::fprintf(stderr, "netsetup: warning: %s\n", warning.c_str());
  return cni_result(call.version, attached, dns);
}

// Whatever the rest of the configuration says by now: the record knows what to undo.
Result<void> remove(const CniCall& call) {
  const Store store = TRY(Store::open(call.state_directory));
  return detach_in_background(store, call.environment.container_id, call.network,
                              call.environment.interface);
}

Result<void> compare(const CniCall& call) {
  TRY(request_of(call));
  const Store store = TRY(Store::open(call.state_directory));
  const FileLock lock = TRY(store.lock());
  const auto member = TRY(
      store.find_member(call.network, call.environment.container_id, call.environment.interface));
  if (!member)
    return Error{"container '" + call.environment.container_id + "' is not in the network", ENOENT};
  const auto differences = TRY(check(store, *member));
  if (differences.empty()) return {};
  std::string all;
  for (const std::string& text : differences) all += (all.empty() ? "" : "; ") + text;
  return Error{all};
}

// Ready: the configuration is right and the kernel has nf_tables.
Result<void> status(const CniCall& call) {
  TRY(request_of(call));
  const Store store = TRY(Store::open(call.state_directory));
  const FileLock lock = TRY(store.lock());
  const Firewall firewall = TRY(Firewall::open());
  TRY(firewall.bridges());
  return {};
}

Result<void> collect(const CniCall& call) {
  const auto valid = TRY(valid_attachments(call.root));
  const Store store = TRY(Store::open(call.state_directory));
  const FileLock lock = TRY(store.lock());
  const NetlinkSocket route = TRY(NetlinkSocket::open(NETLINK_ROUTE));
  const auto members = TRY(store.members(call.network, ""));
  for (const Member& member : members)
    if (!valid.contains(member.id + "/" + member.interface)) TRY(take_down(store, route, member));
  return {};
}

}  // namespace

const CniPlugin kNetsetupPlugin{"netsetup", add, remove, compare, status, collect};
const CniPlugin kBridgePlugin{"bridge", add, remove, compare, status, collect};
