// SPDX-License-Identifier: Apache-2.0
// audit.cc - reading what is allowed, and writing it down; the judgement is in audit_risk.cc.
#include "audit.h"

#include <algorithm>
#include <array>

#include "bundle_config.h"

namespace {

constexpr auto kNamespaces = std::to_array<std::string_view>(
    {"cgroup", "ipc", "mount", "network", "pid", "user", "uts"});  // time: nothing to confine

using Texts = std::vector<std::string>;

Result<std::string> text_at(const std::optional<JsonView>& object, std::string_view key) {
  const auto member = object ? object->find(key) : std::nullopt;
  if (!member) return std::string();
  return member->string();
}

Result<bool> truth_at(const std::optional<JsonView>& object, std::string_view key) {
  const auto member = object ? object->find(key) : std::nullopt;
  if (!member) return false;
  return member->boolean();
}

Result<std::vector<JsonView>> items_at(const std::optional<JsonView>& object,
                                       std::string_view key) {
  const auto member = object ? object->find(key) : std::nullopt;
  if (!member) return std::vector<JsonView>();
  return member->items();
}

Result<void> read_process(const JsonView& config, Allowed& out) {
  const auto process = config.find("process");
  if (!process) return {};
  if (const auto user = process->find("user"))
    if (const auto uid = user->find("uid")) out.uid = TRY(uid->unsigned_integer());
  if (const auto capabilities = process->find("capabilities"))
    if (const auto bounding = capabilities->find("bounding"))
      out.capabilities = TRY(bounding->strings());
  out.no_new_privileges = TRY(truth_at(process, "noNewPrivileges"));
  out.apparmor = TRY(text_at(process, "apparmorProfile"));
  out.selinux = TRY(text_at(process, "selinuxLabel"));
  return {};
}

Result<void> read_mounts(const JsonView& config, const std::string& bundle, Allowed& out) {
  for (const JsonView& mount : TRY(items_at(config, "mounts"))) {
    ++out.mounts;
    const auto options_list = mount.find("options");
    const Texts options = options_list ? TRY(options_list->strings()) : Texts();
    const auto given = [&](std::string_view word) {
      return std::ranges::find(options, word) != options.end();
    };
    if (!given("bind") && !given("rbind") && TRY(text_at(mount, "type")) != "bind") continue;
    const std::string source = TRY(text_at(mount, "source"));
    out.host_mounts.push_back({absolute_in(bundle, source), TRY(text_at(mount, "destination")),
                               !given("ro") && !given("rro")});
  }
  return {};
}

Result<void> read_namespaces(const std::optional<JsonView>& linux_part, Allowed& out) {
  for (const JsonView& one : TRY(items_at(linux_part, "namespaces"))) {
    const std::string type = TRY(text_at(one, "type"));
    const std::string path = TRY(text_at(one, "path"));
    if (path.empty())
      out.own_namespaces.push_back(type);
    else
      out.joined_namespaces.push_back({type, path});
  }
  for (const std::string_view name : kNamespaces)
    if (!out.own(name)) out.host_namespaces.emplace_back(name);
  return {};
}

// The last rule that means every device counts.
Result<bool> allows_all_devices(const std::optional<JsonView>& resources) {
  bool all = false;
  for (const JsonView& rule : TRY(items_at(resources, "devices"))) {
    const std::string type = TRY(text_at(rule, "type"));
    const bool any = !rule.find("major") && !rule.find("minor") && (type.empty() || type == "a");
    if (any) all = TRY(truth_at(rule, "allow"));
  }
  return all;
}

Result<void> read_linux(const JsonView& config, Allowed& out) {
  const auto linux_part = config.find("linux");
  TRY(read_namespaces(linux_part, out));
  for (const JsonView& device : TRY(items_at(linux_part, "devices")))
    out.devices.push_back(TRY(text_at(device, "path")));
  const auto resources = linux_part ? linux_part->find("resources") : std::nullopt;
  out.all_devices = TRY(allows_all_devices(resources));
  const auto memory = resources ? resources->find("memory") : std::nullopt;
  if (const auto limit = memory ? memory->find("limit") : std::nullopt)
    out.memory_limit = TRY(limit->integer()) > 0;
  const auto pids = resources ? resources->find("pids") : std::nullopt;
  if (const auto limit = pids ? pids->find("limit") : std::nullopt)
    out.pids_limit = TRY(limit->integer()) > 0;
  out.masked_paths = TRY(items_at(linux_part, "maskedPaths")).size();
  const auto seccomp = linux_part ? linux_part->find("seccomp") : std::nullopt;
  out.seccomp = seccomp.has_value();
  out.seccomp_default = TRY(text_at(seccomp, "defaultAction"));
  out.seccomp_rules = TRY(items_at(seccomp, "syscalls")).size();
  return {};
}

}  // namespace

bool Allowed::has(std::string_view capability) const {
  return std::ranges::find(capabilities, capability) != capabilities.end();
}

bool Allowed::own(std::string_view name_space) const {
  return std::ranges::find(own_namespaces, name_space) != own_namespaces.end() ||
         std::ranges::find(joined_namespaces, name_space, &JoinedNamespace::type) !=
             joined_namespaces.end();
}

bool Allowed::privileged() const {
  constexpr std::size_t kNearlyAll = 37;  // as many as Linux 4 knew
  return capabilities.size() >= kNearlyAll && !seccomp && all_devices;
}

Result<Allowed> read_allowed(const JsonView& config, const std::string& bundle) {
  Allowed out;
  TRY(read_process(config, out));
  TRY(read_mounts(config, bundle, out));
  out.readonly_root = TRY(truth_at(config.find("root"), "readonly"));
  TRY(read_linux(config, out));
  return out;
}

namespace {

void write_lists(JsonWriter& w, const Allowed& allowed) {
  w.member("capabilities", allowed.capabilities);
  w.key("host_mounts").begin_array();
  for (const HostMount& mount : allowed.host_mounts)
    w.begin_object()
        .member("source", mount.source)
        .member("destination", mount.destination)
        .member("writable", mount.writable)
        .end_object();
  w.end_array().member("devices", allowed.devices);
}

void write_counts(JsonWriter& w, const Allowed& allowed) {
  w.member("capabilities", std::uint64_t{allowed.capabilities.size()});
  w.member("host_mounts", std::uint64_t{allowed.host_mounts.size()});
  w.member("devices", std::uint64_t{allowed.devices.size()});
}

void write_namespaces(JsonWriter& w, const Allowed& allowed) {
  w.key("namespaces").begin_object().member("own", allowed.own_namespaces);
  w.key("joined").begin_array();
  for (const JoinedNamespace& one : allowed.joined_namespaces) w.value(one.type);
  w.end_array().member("host", allowed.host_namespaces).end_object();
}

}  // namespace

std::string to_json(const Allowed& allowed, const std::vector<Finding>& findings, bool whole) {
  JsonWriter w;
  w.begin_object().member("risk", risk_name(worst(findings)));
  w.member("privileged", allowed.privileged()).member("uid", allowed.uid);
  if (whole)
    write_lists(w, allowed);
  else
    write_counts(w, allowed);
  w.member("mounts", std::uint64_t{allowed.mounts}).member("all_devices", allowed.all_devices);
  write_namespaces(w, allowed);
  w.key("seccomp");
  if (allowed.seccomp)
    w.begin_object()
        .member("default", allowed.seccomp_default)
        .member("rules", std::uint64_t{allowed.seccomp_rules})
        .end_object();
  else
    w.null();
  w.member("apparmor", allowed.apparmor).member("selinux", allowed.selinux);
  w.member("no_new_privileges", allowed.no_new_privileges);
  w.member("readonly_root", allowed.readonly_root);
  w.member("masked_paths", std::uint64_t{allowed.masked_paths});
  w.key("findings").begin_array();
  constexpr std::size_t kFew = 5;
  for (std::size_t i = 0; i < findings.size() && (whole || i < kFew); ++i)
    w.begin_object()
        .member("risk", risk_name(findings[i].risk))
        .member("text",
                std::string_view(findings[i].text).substr(0, whole ? std::string::npos : 200))
        .end_object();
  return w.end_array().end_object().take();
}

std::string to_text(const std::vector<Finding>& findings) {
  std::string out = "risk: " + std::string(risk_name(worst(findings))) + "\n";
  for (const Finding& finding : findings) {
    std::string line = "  " + std::string(risk_name(finding.risk));
    line.resize(12, ' ');
    out += line + finding.text + "\n";
  }
  return out;
}
