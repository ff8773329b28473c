// SPDX-License-Identifier: Apache-2.0
#include "cni_plugin.h"

#include <algorithm>
#include <array>
#include <cerrno>

#include "json_fields.h"

namespace {

constexpr auto kRefused = std::to_array<RefusedField>({
    {"bridge", "vlan", "networks of one host are kept apart by bridges"},
    {"bridge", "vlanTrunk", "networks of one host are kept apart by bridges"},
    {"bridge", "preserveDefaultVlan", "the bridge does not filter by VLAN"},
    {"bridge", "macspoofchk", "hardware addresses of containers are not checked"},
    {"bridge", "enabledad", "addresses are assigned, so that no two are the same"},
    {"bridge", "forceAddress", "addresses of the bridge are never taken away"},
    {"bridge", "disableContainerInterface", "an interface without addresses is not made"},
    {"portmap", "conditionsV4", "conditions are iptables arguments, and iptables is not used"},
    {"portmap", "conditionsV6", "conditions are iptables arguments, and iptables is not used"},
    {"portmap", "masqAll", "clients from elsewhere keep their addresses"},
    {"portmap", "markMasqBit", "nothing is marked"},
    {"portmap", "externalSetMarkChain", "nothing is marked"},
    {"firewall", "iptablesAdminChainName", "iptables is not used; write rules of your own instead"},
    {"firewall", "firewalldZone", "firewalld is not asked; see FIREWALLS OF OTHERS in netsetup(8)"},
    {"bridge", "promiscMode", "use hairpinMode, which doubles no packets"},
    {"tuning", "dataDir", "what was tuned goes with its interface"},
    {"host-local", "resolvConf", "name servers are the engine's business"},
});

bool asks_for_nothing(const JsonView& value) {
  const std::string text = value.json();
  return text == "false" || text == "0" || text == "\"\"" || text == "[]" || text == "{}" ||
         text == "\"false\"";
}

}  // namespace

const std::span<const RefusedField> kRefusedFields = kRefused;

Result<void> refuse_fields(const JsonView& object, std::string_view type) {
  for (const RefusedField& refused : kRefused) {
    if (refused.type != type) continue;
    const auto value = object.find(refused.field);
    if (!value || asks_for_nothing(*value)) continue;
    return value->error("'" + std::string(refused.field) +
                        "' is not supported: " + std::string(refused.why));
  }
  return {};
}

Result<CniCall> read_cni_call(const CniEnvironment& environment, const std::string& type,
                              const JsonView& root) {
  CniCall out{environment, "0.1.0", type, root, "", "/run/netsetup"};
  out.version = TRY(text_or(root, "cniVersion", out.version));
  const JsonView name = TRY(root.at("name"));
  out.network = TRY(name.string());
  if (!is_identifier(out.network, kLongestNetwork))
    return name.error("'" + out.network + "' is no network name");
  out.state_directory = TRY(text_or(root, "stateDir", out.state_directory));
  return out;
}

Result<void> nothing_to_do(const CniCall&) {
  return {};
}

Result<JsonView> previous_result(const CniCall& call) {
  const auto previous = call.root.find("prevResult");
  if (previous) return *previous;
  return call.root
      .error("'prevResult' is missing: '" + call.type + "' works on what an earlier plugin made")
      .with_hint("put it behind the plugin that makes the interface")
      .at_field("/prevResult");
}

std::string passed_on(const CniCall& call, const JsonView& previous) {
  JsonWriter json;
  json.begin_object().member("cniVersion", call.version);
  if (const auto members = previous.members())
    for (const auto& [key, value] : *members)
      if (key != "cniVersion") json.key(key).raw(value.json());
  return json.end_object().take() + "\n";
}

Result<Member> member_of(const Store& store, const CniCall& call) {
  const CniEnvironment& environment = call.environment;
  auto member =
      TRY(store.find_member(call.network, environment.container_id, environment.interface));
  if (member) return *std::move(member);
  return Error{"container '" + environment.container_id + "' has no interface '" +
                   environment.interface + "' in network '" + call.network + "' of netsetup",
               ENOENT, "let 'bridge' or 'netsetup' of this program come first in the list"};
}
