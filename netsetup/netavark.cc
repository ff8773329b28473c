// SPDX-License-Identifier: Apache-2.0
#include "netavark.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <string_view>

#include "common/cli.h"
#include "common/json.h"

#include "background.h"
#include "json_fields.h"
#include "netavark_request.h"

namespace {

using Kind = Option::Kind;

constexpr const char* kState = "/run/netsetup";
constexpr const char* kVersion = "1.14.0";  // whose protocol this is

constexpr auto kGlobal = std::to_array<Option>({
    {"config", 'c', Kind::Value, "DIR", "where the files of the name server are kept"},
    {"file", 'f', Kind::Value, "FILE", "the options, instead of standard input"},
    {"aardvark-binary", 'a', Kind::Value, "PATH", "the name server; without it there are no names"},
    {"rootless", 'r', Kind::Value, "BOOL", "accepted: the rules are the same"},
    {"firewall-driver", 0, Kind::Value, "NAME", "accepted: nftables"},
    {"plugin-directory", 0, Kind::List, "DIR", "accepted: other drivers are refused"},
});

constexpr auto kUpdate = std::to_array<Option>({
    {"network-dns-servers", 0, Kind::Value, "LIST", "who is asked for names of the outside"},
});

Result<std::string> input_of(const Arguments& arguments) {
  if (const auto file = arguments.global.value("file")) return read_file(*file);
  return read_all(FdRef(STDIN_FILENO), "standard input");
}

Result<std::string> name_directory(const Arguments& arguments) {
  const auto config = arguments.global.value("config");
  if (config) return *config + "/aardvark-dns";
  return Error{"--config is missing"};
}

// Networks with names become networks without when there is no server for them.
Result<void> add_server(const Arguments& arguments, NetavarkRequest& request) {
  const std::string directory = TRY(name_directory(arguments));
  const std::string program = arguments.global.value_or("aardvark-binary", "");
  const bool there = !program.empty() && ::access(program.c_str(), X_OK) == 0;
  for (NetavarkNetwork& one : request.networks) {
    if (!one.attach.server) continue;
    one.attach.server->directory = directory;
    one.attach.server->program = program;
    if (there) continue;
    std::fprintf(stderr, "netsetup: warning: no name server '%s': network '%s' is without names\n",
                 program.c_str(), one.network.name.c_str());
    one.names = false;
    one.attach.server.reset();
  }
  return {};
}

void write_addresses(JsonWriter& json, const Member& member) {
  json.key("subnets").begin_array();
  for (const MemberAddress& one : member.addresses) {
    json.begin_object().member("ipnet", one.address.text());
    if (one.gateway) json.member("gateway", one.gateway->text());
    json.end_object();
  }
  json.end_array();
}

void write_status(JsonWriter& json, const NetavarkNetwork& asked, const Member& member) {
  json.key(member.network).begin_object();
  json.key("dns_search_domains").begin_array();
  if (asked.names) json.value("dns.podman");
  json.end_array().key("dns_server_ips").begin_array();
  for (const MemberAddress& one : member.addresses)
    if (asked.names && one.gateway) json.value(one.gateway->text());
  json.end_array().key("interfaces").begin_object().key(member.interface).begin_object();
  json.member("mac_address", mac_text(member.mac));
  write_addresses(json, member);
  json.end_object().end_object().end_object();
}

// All of a request or none of it.
Result<void> connect_all(const Store& store, const NetavarkRequest& request, JsonWriter& json) {
  for (auto one = request.networks.begin(); one != request.networks.end(); ++one) {
    auto attached = attach_to(store, one->network, one->attach);
    if (!attached) {
      for (auto done = request.networks.begin(); done != one; ++done)
        (void)detach(store, request.id, done->network.name, done->attach.interface);
      return std::move(attached).error();
    }
    for (const std::string& warning : attached->warnings)
      std::fprintf(stderr, "netsetup: warning: %s\n", warning.c_str());
    write_status(json, *one, attached->member);
  }
  return {};
}

Result<int> setup(const Arguments& arguments) {
  const std::string input = TRY(input_of(arguments));
  NetavarkRequest request = TRY(read_netavark_request(input, arguments.positionals[0]));
  TRY(add_server(arguments, request));
  const Store store = TRY(Store::open(kState));
  JsonWriter json;
  json.begin_object();
  TRY(connect_all(store, request, json));
  std::printf("%s\n", json.end_object().take().c_str());
  return 0;
}

// The record knows what to undo, whatever the networks look like by now.
Result<int> teardown(const Arguments& arguments) {
  const std::string input = TRY(input_of(arguments));
  const JsonDocument document = TRY(JsonDocument::parse("network options", input));
  const std::string id = TRY(text_at(document.root(), "container_id"));
  const auto joined = TRY(netavark_attachments(document.root()));
  const Store store = TRY(Store::open(kState));
  for (const auto& [network, interface] : joined)
    TRY(detach_in_background(store, id, network, interface));
  return 0;
}

std::vector<std::string> split(const std::string& list) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at < list.size();) {
    const std::size_t end = std::min(list.find(',', at), list.size());
    if (end > at) out.push_back(list.substr(at, end - at));
    at = end + 1;
  }
  return out;
}

Result<int> update(const Arguments& arguments) {
  const auto servers = split(arguments.options.value_or("network-dns-servers", ""));
  for (const std::string& server : servers) TRY(parse_address(server));
  const std::string& network = arguments.positionals[0];
  if (!is_identifier(network, kLongestNetwork))
    return Error{"'" + network + "' is no network name"};
  const std::string directory = TRY(name_directory(arguments));
  if (::access(directory.c_str(), F_OK) != 0) return 0;  // no network has names
  TRY(set_forwarders(directory, network, servers));
  return 0;
}

Result<int> version(const Arguments&) {
  JsonWriter json;
  json.begin_object()
      .member("version", kVersion)
      .member("commit", "netsetup")
      .member("build_time", "")
      .member("target", "")
      .member("default_fw_driver", "nftables");
  std::printf("%s\n", json.end_object().take().c_str());
  return 0;
}

const auto kVerbs = std::to_array<Verb>({
    {"setup", setup, "NETNS", "connect a container, by the options on standard input", {}, 1, 1},
    {"teardown", teardown, "NETNS", "disconnect it", {}, 1, 1},
    {"update", update, "NETWORK", "change who is asked for names of the outside", kUpdate, 1, 1},
    {"version", version, "", "print the version as JSON", {}, 0, 0},
});

// podman reads the error from standard output, and knows no other member.
int report(const Program&, const Arguments&, std::string_view, const Error& error) {
  JsonWriter json;
  json.begin_object().member("error", error.text());
  std::printf("%s\n", json.end_object().take().c_str());
  return 1;
}

}  // namespace

bool called_as_netavark(const char* program) {
  const std::string_view path = program;
  return path.substr(path.rfind('/') + 1) == "netavark";
}

int run_netavark(int argc, char** argv) {
  const Program program{"netavark",
                        "Connects podman's containers to networks, by netlink alone.",
                        "netavark 1.14.0 (netsetup 0.1.0)\n",
                        kGlobal,
                        kVerbs,
                        1,
                        report};
  return run_program(program, argc, argv);
}
