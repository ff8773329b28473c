// SPDX-License-Identifier: Apache-2.0
// The linux object of config.json, and mounts, which only Linux gives a meaning.
#include <sys/mount.h>
#include <sys/personality.h>

#include "spec_read.h"
#include "table_names.h"

namespace {

struct NamedFlag {
  std::string_view name;
  std::uint64_t value;
};

constexpr auto kRootPropagations = std::to_array<NamedFlag>({
    {"private", MS_PRIVATE},
    {"rprivate", MS_PRIVATE | MS_REC},
    {"rshared", MS_SHARED | MS_REC},
    {"rslave", MS_SLAVE | MS_REC},
    {"runbindable", MS_UNBINDABLE | MS_REC},
    {"shared", MS_SHARED},
    {"slave", MS_SLAVE},
    {"unbindable", MS_UNBINDABLE},
});
static_assert(sorted_by_name(kRootPropagations));

constexpr auto kPersonalityFlags = std::to_array<NamedFlag>({
    {"ADDR_COMPAT_LAYOUT", ADDR_COMPAT_LAYOUT},
    {"ADDR_LIMIT_32BIT", ADDR_LIMIT_32BIT},
    {"ADDR_LIMIT_3GB", ADDR_LIMIT_3GB},
    {"ADDR_NO_RANDOMIZE", ADDR_NO_RANDOMIZE},
    {"MMAP_PAGE_ZERO", MMAP_PAGE_ZERO},
    {"READ_IMPLIES_EXEC", READ_IMPLIES_EXEC},
    {"SHORT_INODE", SHORT_INODE},
    {"STICKY_TIMEOUTS", STICKY_TIMEOUTS},
    {"UNAME26", UNAME26},
    {"WHOLE_SECONDS", WHOLE_SECONDS},
});
static_assert(sorted_by_name(kPersonalityFlags));

constexpr auto kMemoryModes = std::to_array<NamedFlag>({
    {"MPOL_BIND", 2},
    {"MPOL_DEFAULT", 0},
    {"MPOL_INTERLEAVE", 3},
    {"MPOL_LOCAL", 4},
    {"MPOL_PREFERRED", 1},
    {"MPOL_PREFERRED_MANY", 5},
    {"MPOL_WEIGHTED_INTERLEAVE", 6},
});
static_assert(sorted_by_name(kMemoryModes));

constexpr auto kMemoryFlags = std::to_array<NamedFlag>({
    {"MPOL_F_NUMA_BALANCING", 1U << 13U},
    {"MPOL_F_RELATIVE_NODES", 1U << 14U},
    {"MPOL_F_STATIC_NODES", 1U << 15U},
});
static_assert(sorted_by_name(kMemoryFlags));

template <std::size_t N>
Result<std::uint64_t> look_up(Result<JsonView> given, const std::array<NamedFlag, N>& table) {
  const JsonView view = TRY(std::move(given));
  const std::string name = TRY(view.string());
  const NamedFlag* row = find_row(table, name);
  if (row == nullptr) return view.error("unknown value '" + name + "'" + did_you_mean(table, name));
  return row->value;
}

Result<void> read_namespaces(const JsonView& view, Spec& spec) {
  for (const JsonView& item : TRY(view.items())) {
    NamespaceSpec ns;
    const JsonView type = TRY(item.at("type"));
    const std::string name = TRY(type.string());
    const NamespaceName* row = find_row(kNamespaces, name);
    if (row == nullptr)
      return type.error("unknown namespace '" + name + "'" + did_you_mean(kNamespaces, name));
    ns.flag = row->flag;
    TRY(read_optional(item, "path", ns.path));
    if (!ns.path.empty() && !ns.path.starts_with('/'))
      return TRY(item.at("path")).error("must be an absolute path");
    ns.field = item.pointer();
    if (spec.find_namespace(ns.flag) != nullptr)
      return item.error("namespace '" + name + "' appears twice");
    spec.namespaces.push_back(std::move(ns));
  }
  return {};
}

Result<DeviceSpec> read_device(const JsonView& view) {
  DeviceSpec device;
  const JsonView path = TRY(view.at("path"));
  device.path = TRY(path.string());
  if (!device.path.starts_with('/')) return path.error("must be an absolute path");
  device.path = clean_path(device.path);
  const JsonView type = TRY(view.at("type"));
  const std::string word = TRY(type.string());
  if (word != "c" && word != "b" && word != "u" && word != "p")
    return type.error("must be 'c', 'b', 'u' or 'p'");
  device.type = word == "u" ? 'c' : word[0];
  if (device.type != 'p') {
    device.major = TRY(read_uint32(view.at("major")));
    device.minor = TRY(read_uint32(view.at("minor")));
  }
  TRY(read_optional(view, "fileMode", device.mode));
  TRY(read_optional(view, "uid", device.uid));
  TRY(read_optional(view, "gid", device.gid));
  device.mode &= 07777U;
  device.field = view.pointer();
  return device;
}

Result<void> read_time_offsets(const JsonView& view, Spec& spec) {
  for (const auto& [clock, value] : TRY(view.members())) {
    if (clock != "monotonic" && clock != "boottime")
      return value.error("unknown clock; 'monotonic' and 'boottime' can be offset");
    TimeOffset offset;
    offset.clock = clock;
    if (const auto seconds = value.find("secs")) offset.seconds = TRY(seconds->integer());
    TRY(read_optional(value, "nanosecs", offset.nanoseconds));
    spec.time_offsets.push_back(offset);
  }
  return {};
}

Result<void> read_net_devices(const JsonView& view, Spec& spec) {
  constexpr std::size_t kLongest = 15;
  for (const auto& [name, value] : TRY(view.members())) {
    NetDeviceSpec device = {name, name, value.pointer()};
    TRY(read_optional(value, "name", device.new_name));
    for (const std::string& text : {device.name, device.new_name})
      if (text.empty() || text.size() > kLongest || text.find('/') != std::string::npos)
        return value.error("'" + text + "' is no name of a network device");
    spec.net_devices.push_back(std::move(device));
  }
  return {};
}

Result<void> read_personality(const JsonView& view, Spec& spec) {
  const JsonView domain = TRY(view.at("domain"));
  const std::string name = TRY(domain.string());
  if (name != "LINUX" && name != "LINUX32")
    return domain.error("unknown domain '" + name + "'; LINUX and LINUX32 are known");
  std::uint64_t persona = name == "LINUX32" ? PER_LINUX32 : PER_LINUX;
  if (const auto flags = view.find("flags"))
    for (const JsonView& flag : TRY(flags->items()))
      persona |= TRY(look_up(flag, kPersonalityFlags));
  spec.personality = persona;
  return {};
}

Result<void> read_memory_policy(const JsonView& view, Spec& spec) {
  MemoryPolicySpec policy;
  policy.mode = static_cast<std::uint32_t>(TRY(look_up(view.at("mode"), kMemoryModes)));
  TRY(read_optional(view, "nodes", policy.nodes));
  if (const auto flags = view.find("flags"))
    for (const JsonView& flag : TRY(flags->items()))
      policy.mode |= static_cast<std::uint32_t>(TRY(look_up(flag, kMemoryFlags)));
  spec.memory_policy = policy;
  return {};
}

Result<void> read_paths(const JsonView& object, std::string_view key,
                        std::vector<std::string>& into) {
  const auto list = object.find(key);
  if (!list) return {};
  for (const JsonView& item : TRY(list->items())) {
    const std::string path = TRY(item.string());
    if (!path.starts_with('/')) return item.error("must be an absolute path");
    into.push_back(clean_path(path));
  }
  return {};
}

Result<MountSpec> read_mount(const JsonView& view) {
  MountSpec mount;
  const std::string destination = TRY(read_string(view.at("destination")));
  mount.destination = clean_path(destination);
  TRY(read_optional(view, "type", mount.type));
  TRY(read_optional(view, "source", mount.source));
  TRY(read_optional(view, "options", mount.options));
  if (const auto maps = view.find("uidMappings")) mount.uid_mappings = TRY(read_mappings(*maps));
  if (const auto maps = view.find("gidMappings")) mount.gid_mappings = TRY(read_mappings(*maps));
  mount.field = view.pointer();
  return mount;
}

Result<void> read_isolation(const JsonView& view, Spec& spec, const KnownFilter& known) {
  if (const auto namespaces = view.find("namespaces")) TRY(read_namespaces(*namespaces, spec));
  if (const auto maps = view.find("uidMappings")) spec.uid_mappings = TRY(read_mappings(*maps));
  if (const auto maps = view.find("gidMappings")) spec.gid_mappings = TRY(read_mappings(*maps));
  if (const auto offsets = view.find("timeOffsets")) TRY(read_time_offsets(*offsets, spec));
  if (const auto resources = view.find("resources"))
    spec.resources = TRY(parse_resources(*resources));
  if (const auto seccomp = view.find("seccomp")) spec.seccomp = TRY(parse_seccomp(*seccomp, known));
  return read_optional(view, "cgroupsPath", spec.cgroups_path);
}

}  // namespace

Result<std::vector<Mapping>> read_mappings(const JsonView& view) {
  std::vector<Mapping> out;
  for (const JsonView& item : TRY(view.items())) {
    Mapping map;
    map.container = TRY(read_uint32(item.at("containerID")));
    map.host = TRY(read_uint32(item.at("hostID")));
    const JsonView size = TRY(item.at("size"));
    map.size = TRY(read_uint32(size));
    if (map.size == 0) return size.error("must be greater than zero");
    out.push_back(map);
  }
  // The kernel takes no more; said here, it names the field.
  if (out.size() > 340) return view.error("more than 340 mappings");
  return out;
}

Result<void> read_mounts(const JsonView& view, Spec& spec) {
  for (const JsonView& item : TRY(view.items())) spec.mounts.push_back(TRY(read_mount(item)));
  return {};
}

Result<void> read_linux(const JsonView& view, Spec& spec, const KnownFilter& known) {
  if (!view.is_object()) return view.error("expected an object");
  // The specification wants an error rather than a container without them.
  if (const auto field = view.find("intelRdt")) return field->error("is not supported");
  if (const auto devices = view.find("netDevices")) TRY(read_net_devices(*devices, spec));
  TRY(read_isolation(view, spec, known));
  if (const auto devices = view.find("devices"))
    for (const JsonView& item : TRY(devices->items()))
      spec.devices.push_back(TRY(read_device(item)));
  if (const auto propagation = view.find("rootfsPropagation")) {
    if (!TRY(propagation->string()).empty())
      spec.root_propagation = TRY(look_up(*propagation, kRootPropagations));
  }
  if (const auto sysctl = view.find("sysctl"))
    for (const auto& [name, value] : TRY(sysctl->members()))
      spec.sysctl.emplace_back(name, TRY(value.string()));
  TRY(read_paths(view, "maskedPaths", spec.masked_paths));
  TRY(read_paths(view, "readonlyPaths", spec.readonly_paths));
  TRY(read_optional(view, "mountLabel", spec.mount_label));
  if (const auto personality = view.find("personality")) TRY(read_personality(*personality, spec));
  if (const auto policy = view.find("memoryPolicy")) TRY(read_memory_policy(*policy, spec));
  return {};
}
