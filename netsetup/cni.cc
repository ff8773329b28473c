// SPDX-License-Identifier: Apache-2.0
#include "cni.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "cni_plugin.h"
#include "json_fields.h"

namespace {

const auto kPlugins = std::to_array<const CniPlugin*>({
    &kNetsetupPlugin,
    &kBridgePlugin,
    &kPortmapPlugin,
    &kFirewallPlugin,
    &kTuningPlugin,
    &kLoopbackPlugin,
    &kHostLocalPlugin,
});

const CniPlugin* plugin_named(std::string_view type) {
  const auto it =
      std::ranges::find(kPlugins, type, [](const CniPlugin* plugin) { return plugin->type; });
  return it == kPlugins.end() ? nullptr : *it;
}

std::string base_name(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

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
  out.code = error.field.empty() ? otherwise : CniCode::InvalidConfig;
  if (error.code == ENOSPC || error.code == EAGAIN) out.code = CniCode::TryAgain;
  out.message = error.what;
  out.details = error.text();
  return out;
}

Result<void> add(const CniPlugin& plugin, const CniCall& call) {
  const std::string result = TRY(plugin.add(call));
  std::fputs(result.c_str(), stdout);
  return {};
}
Result<void> remove(const CniPlugin& plugin, const CniCall& call) {
  return plugin.remove(call);
}
Result<void> compare(const CniPlugin& plugin, const CniCall& call) {
  return plugin.check(call);
}
Result<void> status(const CniPlugin& plugin, const CniCall& call) {
  return plugin.status(call);
}
Result<void> collect(const CniPlugin& plugin, const CniCall& call) {
  return plugin.collect(call);
}

struct CniVerb {
  std::string_view command;
  std::string_view since;  // of the configuration's version
  Result<void> (*run)(const CniPlugin&, const CniCall&);
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

// Engines look for this line, and for the version in it.
int print_about(const std::string& type) {
  std::string versions;
  for (const std::string_view version : kCniVersions)
    versions.append(versions.empty() ? "" : ", ").append(version);
  std::fprintf(stderr, "CNI %s plugin v1.1.1 (netsetup)\nCNI protocol versions supported: %s\n",
               type.c_str(), versions.c_str());
  return 0;
}

// What the program was called as, when that is a type, else what the configuration says.
Result<const CniPlugin*> find_plugin(const std::string& program, const JsonView& root) {
  const CniPlugin* called = plugin_named(program);
  if (called != nullptr && called != &kNetsetupPlugin) return called;
  const std::string type = TRY(text_or(root, "type", "netsetup"));
  const CniPlugin* wanted = plugin_named(type);
  if (wanted != nullptr) return wanted;
  std::string known;
  for (const CniPlugin* plugin : kPlugins)
    known.append(known.empty() ? "" : ", ").append(plugin->type);
  return root.error("plugin type '" + type + "' is not built in")
      .with_hint("built in: " + known)
      .at_field("/type");
}

Result<void> run_parsed(const CniVerb& verb, const CniEnvironment& environment,
                        const std::string& program, const JsonView& root) {
  const CniPlugin* plugin = TRY(find_plugin(program, root));
  auto call = read_cni_call(environment, std::string(plugin->type), root);
  if (!call) return std::move(call).error().at_field("/");
  return verb.run(*plugin, *call);
}

int run_verb(const CniVerb& verb, const CniEnvironment& environment, const std::string& program,
             const std::string& input) {
  const std::string version = cni_version_of(input);
  if (std::ranges::find(kCniVersions, version) == kCniVersions.end() || version < verb.since)
    return report(version, {CniCode::IncompatibleVersion, "incompatible CNI versions",
                            std::string(verb.command) + " with configuration version " + version});
  const auto parsed = JsonDocument::parse("network configuration", input);
  if (!parsed) return report(version, from(parsed.error(), CniCode::Decoding));
  const auto done = run_parsed(verb, environment, program, parsed->root());
  if (done) return 0;
  const bool asked = verb.command == "STATUS";
  return report(version, from(done.error(), asked ? CniCode::Unavailable : CniCode::Internal));
}

}  // namespace

bool called_as_cni_plugin(const char* program) {
  if (std::getenv("CNI_COMMAND") != nullptr) return true;
  const std::string name = base_name(program);
  return name != "netsetup" && plugin_named(name) != nullptr;
}

int run_cni_plugin(const char* program) {
  const std::string name = base_name(program);
  const CniEnvironment environment = read_cni_environment();
  if (environment.command.empty()) return print_about(name);
  // Engines ask for the version with nonsense in all other variables.
  if (environment.command == "VERSION") return print_versions();
  const auto wrong = check_cni_environment(environment);
  if (wrong) return report("1.1.0", *wrong);
  const auto input = read_all(FdRef(STDIN_FILENO), "standard input");
  if (!input) return report("1.1.0", from(input.error(), CniCode::Io));
  return run_verb(*std::ranges::find(kVerbs, environment.command, &CniVerb::command), environment,
                  name, *input);
}
