// SPDX-License-Identifier: Apache-2.0
// cni_loopback.cc - plugin type `loopback`: the container's lo is up.
#include "cni_plugin.h"
#include "netns.h"

namespace {

std::string loopback_result(const CniCall& call) {
  const bool old = call.version.starts_with("0.1") || call.version.starts_with("0.2");
  JsonWriter json;
  json.begin_object().member("cniVersion", call.version);
  if (old) {
    json.key("ip4").begin_object().member("ip", "127.0.0.1/8").end_object();
  } else {
    json.key("interfaces").begin_array().begin_object();
    json.member("name", "lo").member("mac", "00:00:00:00:00:00");
    json.member("sandbox", call.environment.netns).end_object().end_array();
    json.key("ips").begin_array().begin_object();
    if (call.version.starts_with("0.")) json.member("version", "4");
    json.member("interface", 0).member("address", "127.0.0.1/8").end_object().end_array();
  }
  json.key("dns").begin_object().end_object();
  return json.end_object().take() + "\n";
}

Result<std::string> add(const CniCall& call) {
  const UniqueFd netns = TRY(open_netns(call.environment.netns));
  const NetlinkSocket inside = TRY(route_socket_in(netns));
  NetlinkBatch batch;
  set_up(batch, "lo");
  TRY(inside.transact(batch));
  const auto previous = call.root.find("prevResult");
  return previous ? passed_on(call, *previous) : loopback_result(call);
}

Result<void> check(const CniCall& call) {
  const UniqueFd netns = TRY(open_netns(call.environment.netns));
  const NetlinkSocket inside = TRY(route_socket_in(netns));
  const auto link = TRY(find_link(inside, "lo"));
  if (link && link->up) return {};
  return Error{"interface lo is down"};
}

}  // namespace

// It goes with its namespace.
const CniPlugin kLoopbackPlugin{"loopback", add,           nothing_to_do,
                                check,      nothing_to_do, nothing_to_do};
