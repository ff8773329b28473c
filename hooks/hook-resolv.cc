// SPDX-License-Identifier: Apache-2.0
// hook-resolv.cc - an OCI hook for createRuntime: the container's resolv.conf. What
// the command line does not say comes from the network's definition, and what that
// does not say from the host, without name servers that only the host can reach.
#include "bundle_config.h"
#include "hook_main.h"
#include "name_files.h"

namespace {

using Kind = Option::Kind;

constexpr Option kOptions[] = {
    {"nameserver", 0, Kind::List, "ADDRESS", "ask this name server"},
    {"search", 0, Kind::List, "DOMAIN", "complete short names with this domain"},
    {"option", 0, Kind::List, "OPTION", "an option of the resolver, such as ndots:2"},
    {"netsetup-dir", 0, Kind::Value, "DIR", "netsetup's state (default: /run/netsetup)"},
};

bool has_own_network(const JsonView& config) {
  const auto linux_part = config.find("linux");
  const auto namespaces = linux_part ? linux_part->find("namespaces") : std::nullopt;
  const auto items = namespaces ? namespaces->items() : Result(std::vector<JsonView>());
  if (!items) return false;
  for (const JsonView& one : *items) {
    const auto type = one.find("type");
    const auto text = type ? type->string() : Result<std::string>(std::string());
    if (text && *text == "network") return true;
  }
  return false;
}

// systemd-resolved's stub answers on 127.0.0.53; what it asks stands in another file.
DnsSettings host_dns(bool own_network) {
  DnsSettings out;
  for (const char* path : {"/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"}) {
    const auto text = read_file(path, std::size_t{1} << 20);
    if (!text) continue;
    out = parse_resolv_conf(*text);
    if (own_network) std::erase_if(out.nameservers, is_loopback);
    if (!out.nameservers.empty()) break;
  }
  return out;
}

Result<DnsSettings> network_dns(const std::string& state_dir, const std::string& id) {
  for (const NetworkMember& member : TRY(read_members(state_dir))) {
    if (member.id != id) continue;
    DnsSettings dns = TRY(read_network_dns(state_dir, member.network));
    if (!dns.empty()) return dns;
  }
  return DnsSettings();
}

void fill(std::vector<std::string>& into, const std::vector<std::string>& from) {
  if (into.empty()) into = from;
}

Result<int> write_resolv(const ParsedWords& words) {
  const Options& options = words.options;
  const OciState state = TRY(read_oci_state(FdRef(STDIN_FILENO)));
  const JsonDocument config = TRY(read_bundle_config(state));
  const ContainerFiles files = TRY(ContainerFiles::open(state, config.root()));
  DnsSettings dns = {options.values("nameserver"), options.values("search"),
                     options.values("option")};
  for (const DnsSettings& other :
       {TRY(network_dns(options.value_or("netsetup-dir", "/run/netsetup"), state.id)),
        host_dns(has_own_network(config.root()))}) {
    fill(dns.nameservers, other.nameservers);
    fill(dns.search, other.search);
    fill(dns.options, other.options);
  }
  if (dns.nameservers.empty())
    return Error{"no name server is known that the container could reach"}.with_hint(
        "name one with --nameserver");
  TRY(files.write("/etc/resolv.conf", resolv_conf(dns)));
  return 0;
}

constexpr Hook kHook = {"hook-resolv", "<STATE", "write a container's resolv.conf", kOptions,
                        write_resolv};

}  // namespace

int main(int argc, char** argv) {
  return run_hook(kHook, argc, argv);
}
