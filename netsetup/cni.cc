// SPDX-License-Identifier: Apache-2.0
#include "cni.h"

#include <linux/netlink.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "attachment_steps.h"
#include "background.h"
#include "cni_request.h"
#include "firewall.h"
#include "json_fields.h"

namespace {

void print(JsonWriter& json) {
  std::printf("%s\n", json.take().c_str());
}

int report(const std::string& version, const CniError& error) {
  JsonWriter json(JsonWriter::Style::FourSpaces);
  json.begin_object()
      .member("cniVersion", version)
      .member("code", static_cast<int>(error.code))
      .member("msg", error.message);
  if (!error.details.empty()) json.member("details", error.details);
  json.end_object();
  print(json);
  return 1;
}

CniError from(const Error& error, CniCode otherwise) {
  CniError out;
  out.code = otherwise;
  if (error.code == ENOSPC || error.code == EAGAIN) out.code = CniCode::TryAgain;
  out.message = error.what;
  out.details = error.text();
  return out;
}

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
                     const std::string& sandbox) {
  json.begin_object().member("name", name).member("mac", mac_text(mac));
  if (!sandbox.empty()) json.member("sandbox", sandbox);
  json.end_object();
}

std::string result_for(const std::string& version, const Attached& attached) {
  const Member& member = attached.member;
  JsonWriter json(JsonWriter::Style::FourSpaces);
  json.begin_object().member("cniVersion", version);
  if (version.starts_with("0.1") || version.starts_with("0.2")) {
    write_old(json, member);
  } else {
    json.key("interfaces").begin_array();
    write_interface(json, member.bridge, attached.bridge_mac, "");
    write_interface(json, member.host_interface, host_end_mac(member.mac), "");
    write_interface(json, member.interface, member.mac, member.netns);
    json.end_array();
    write_ips(json, member, version.starts_with("0."));
    write_routes(json, member, AF_UNSPEC);
  }
  return json.key("dns").begin_object().end_object().end_object().take();
}

Result<void> add(const Store& store, const CniRequest& request) {
  const Attached attached = TRY(attach_to(store, request.network, request.attach));
  for (const std::string& warning : attached.warnings)
    std::fprintf(stderr, "netsetup: warning: %s\n", warning.c_str());
  const std::string text = request.version == "1.1.0"
                               ? to_result(attached.member, attached.bridge_mac, attached.mtu)
                               : result_for(request.version, attached) + "\n";
  std::fputs(text.c_str(), stdout);
  return {};
}

Result<void> remove(const Store& store, const CniRequest& request) {
  return detach_in_background(store, request.attach.id, request.network.name,
                              request.attach.interface);
}

Result<void> compare(const Store& store, const CniRequest& request) {
  const FileLock lock = TRY(store.lock());
  const auto member =
      TRY(store.find_member(request.network.name, request.attach.id, request.attach.interface));
  if (!member) return Error{"container '" + request.attach.id + "' is not in the network", ENOENT};
  const auto differences = TRY(check(store, *member));
  if (differences.empty()) return {};
  std::string all;
  for (const std::string& text : differences) all += (all.empty() ? "" : "; ") + text;
  return Error{all};
}

// Ready: the kernel has nf_tables and there is an address to give.
Result<void> status(const Store& store, const CniRequest&) {
  const FileLock lock = TRY(store.lock());
  const Firewall firewall = TRY(Firewall::open());
  TRY(firewall.bridges());
  return {};
}

Result<void> collect(const Store& store, const CniRequest& request) {
  const FileLock lock = TRY(store.lock());
  const NetlinkSocket route = TRY(NetlinkSocket::open(NETLINK_ROUTE));
  const auto members = TRY(store.members(request.network.name, ""));
  for (const Member& member : members)
    if (!request.valid.contains(member.id + "/" + member.interface))
      TRY(take_down(store, route, member));
  return {};
}

struct CniVerb {
  std::string_view command;
  std::string_view since;  // of the configuration's version
  Result<void> (*run)(const Store&, const CniRequest&);
};
constexpr auto kVerbs = std::to_array<CniVerb>({
    {"ADD", "0.1.0", add},
    {"CHECK", "0.4.0", compare},
    {"DEL", "0.1.0", remove},
    {"GC", "1.1.0", collect},
    {"STATUS", "1.1.0", status},
});

int print_versions() {
  JsonWriter json;
  json.begin_object().member("cniVersion", "1.1.0").key("supportedVersions").begin_array();
  for (const std::string_view version : kCniVersions) json.value(version);
  json.end_array().end_object();
  print(json);
  return 0;
}

int run_verb(const CniVerb& verb, const CniEnvironment& environment, const std::string& input) {
  const std::string version = cni_version_of(input);
  if (std::ranges::find(kCniVersions, version) == kCniVersions.end() || version < verb.since)
    return report(version, {CniCode::IncompatibleVersion, "incompatible CNI versions",
                            std::string(verb.command) + " with configuration version " + version});
  const auto parsed = JsonDocument::parse("network configuration", input);
  if (!parsed) return report(version, from(parsed.error(), CniCode::Decoding));
  const auto request = read_cni_request(environment, input);
  if (!request) return report(version, from(request.error(), CniCode::InvalidConfig));
  const auto store = Store::open(request->state_directory);
  if (!store) return report(version, from(store.error(), CniCode::Io));
  const auto done = verb.run(*store, *request);
  if (done) return 0;
  const bool asked = verb.command == "STATUS";
  return report(version, from(done.error(), asked ? CniCode::Unavailable : CniCode::Internal));
}

}  // namespace

bool called_as_cni_plugin() {
  return std::getenv("CNI_COMMAND") != nullptr;
}

int run_cni_plugin() {
  const CniEnvironment environment = read_cni_environment();
  // Engines ask for the version with nonsense in all other variables.
  if (environment.command == "VERSION") return print_versions();
  const auto wrong = check_cni_environment(environment);
  if (wrong) return report("1.1.0", *wrong);
  const auto input = read_all(FdRef(STDIN_FILENO), "standard input");
  if (!input) return report("1.1.0", from(input.error(), CniCode::Io));
  return run_verb(*std::ranges::find(kVerbs, environment.command, &CniVerb::command), environment,
                  *input);
}
