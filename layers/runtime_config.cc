// SPDX-License-Identifier: Apache-2.0
#include "runtime_config.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <map>
#include <span>

#include "common/child_process.h"
#include "common/json.h"

#include "target_tree.h"

namespace {

using Strings = std::vector<std::string>;

constexpr std::string_view kDefaultPath =
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

// What podman leaves to a container's root.
constexpr auto kCapabilities = std::to_array<std::string_view>({
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_NET_BIND_SERVICE",
    "CAP_SETFCAP",
    "CAP_SETGID",
    "CAP_SETPCAP",
    "CAP_SETUID",
    "CAP_SYS_CHROOT",
});

constexpr auto kMaskedPaths = std::to_array<std::string_view>({
    "/proc/acpi",
    "/proc/asound",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/sys/devices/virtual/powercap",
    "/sys/firmware",
    "/sys/dev/block",
});
constexpr auto kReadonlyPaths = std::to_array<std::string_view>({
    "/proc/bus",
    "/proc/fs",
    "/proc/irq",
    "/proc/sys",
    "/proc/sysrq-trigger",
});

struct DefaultMount {
  std::string_view destination;
  std::string_view type;
  std::string_view source;
  std::string_view options;  // separated by commas
};
constexpr auto kMounts = std::to_array<DefaultMount>({
    {"/proc", "proc", "proc", "nosuid,noexec,nodev"},
    {"/dev", "tmpfs", "tmpfs", "nosuid,noexec,strictatime,mode=755,size=65536k"},
    {"/dev/pts", "devpts", "devpts", "nosuid,noexec,newinstance,ptmxmode=0666,mode=0620,gid=5"},
    {"/dev/shm", "tmpfs", "shm", "nosuid,noexec,nodev,mode=1777,size=65536k"},
    {"/dev/mqueue", "mqueue", "mqueue", "nosuid,noexec,nodev"},
    {"/sys", "sysfs", "sysfs", "nosuid,noexec,nodev,ro"},
    {"/sys/fs/cgroup", "cgroup", "cgroup", "nosuid,noexec,nodev,relatime,ro"},
});

// Files of the bundle that the container sees as its own.
constexpr auto kFiles = std::to_array<std::string_view>({"hosts", "resolv.conf", "hostname"});

// Where an image's volume would hide what the runtime protects (CVE-2019-16884).
constexpr auto kProtected = std::to_array<std::string_view>({"proc", "sys", "dev"});

Strings split(std::string_view text) {
  Strings out;
  for (;;) {
    const auto comma = text.find(',');
    out.emplace_back(text.substr(0, comma));
    if (comma == std::string_view::npos) return out;
    text.remove_prefix(comma + 1);
  }
}

Strings strings(std::span<const std::string_view> texts) {
  return {texts.begin(), texts.end()};
}

std::string_view name_of_variable(std::string_view assignment) {
  return assignment.substr(0, assignment.find('='));
}

bool has_variable(const Strings& env, std::string_view name) {
  return std::ranges::any_of(env, [&](const auto& e) { return name_of_variable(e) == name; });
}

void set_variable(Strings& env, std::string assignment) {
  const std::string_view name = name_of_variable(assignment);
  const auto found =
      std::ranges::find_if(env, [&](const auto& e) { return name_of_variable(e) == name; });
  if (found != env.end())
    *found = std::move(assignment);
  else
    env.push_back(std::move(assignment));
}

Strings environment(const ImageConfig& image, const BundleOptions& options,
                    const ResolvedUser& user) {
  Strings env;
  // An entry without '=' would make the runtime pass the host's value on (CVE-2026-57231).
  for (const std::string& entry : image.env)
    if (entry.find('=') != std::string::npos && entry[0] != '=') set_variable(env, entry);
  for (const std::string& entry : options.env) set_variable(env, entry);
  if (!has_variable(env, "PATH")) env.emplace_back(kDefaultPath);
  if (!has_variable(env, "HOSTNAME")) env.push_back("HOSTNAME=" + options.hostname);
  if (!has_variable(env, "HOME")) env.push_back("HOME=" + user.home);
  if (options.terminal && !has_variable(env, "TERM")) env.emplace_back("TERM=xterm");
  return env;
}

Strings arguments(const ImageConfig& image, const BundleOptions& options) {
  Strings out = options.entrypoint.value_or(image.entrypoint);
  // An entrypoint of the user's own does not want the image's arguments.
  const Strings rest = !options.args.empty() || options.entrypoint ? options.args : image.cmd;
  out.insert(out.end(), rest.begin(), rest.end());
  if (out.empty()) out.emplace_back("sh");
  return out;
}

void write_process(JsonWriter& out, const ImageConfig& image, const BundleOptions& options,
                   const ResolvedUser& user, const std::string& cwd) {
  out.key("process").begin_object().member("terminal", options.terminal);
  out.key("user").begin_object().member("uid", user.uid).member("gid", user.gid);
  if (!user.additional_gids.empty()) {
    out.key("additionalGids").begin_array();
    for (const gid_t gid : user.additional_gids) out.value(gid);
    out.end_array();
  }
  out.end_object();
  out.member("args", arguments(image, options));
  out.member("env", environment(image, options, user));
  out.member("cwd", cwd);
  out.key("capabilities").begin_object();
  for (const char* set : {"bounding", "effective", "permitted"})
    out.member(set, strings(kCapabilities));
  out.end_object();
  out.member("noNewPrivileges", options.no_new_privileges).end_object();
}

void write_mount(JsonWriter& out, std::string_view destination, std::string_view type,
                 std::string_view source, const Strings& options) {
  out.begin_object()
      .member("destination", destination)
      .member("type", type)
      .member("source", source)
      .member("options", options)
      .end_object();
}

Result<void> check_volume(const std::string& volume) {
  const std::string path = clean_path(volume);
  const std::string first = path.substr(0, path.find('/'));
  if (path.empty() || std::ranges::find(kProtected, first) != kProtected.end())
    return Error{"the image wants a volume on '" + volume + "', which the runtime protects"};
  return {};
}

Result<void> write_mounts(JsonWriter& out, const ImageConfig& image, const BundleOptions& options,
                          const std::string& bundle) {
  out.key("mounts").begin_array();
  for (const DefaultMount& m : kMounts)
    write_mount(out, m.destination, m.type, m.source, split(m.options));
  for (const std::string_view file : kFiles)
    write_mount(out, "/etc/" + std::string(file), "bind", bundle + "/" + std::string(file),
                {"bind", "rprivate"});
  for (const std::string& volume : image.volumes) {
    TRY(check_volume(volume));
    // A volume lives in the container's own upper directory; on a read-only
    // root it needs a place to write.
    if (options.read_only)
      write_mount(out, "/" + clean_path(volume), "tmpfs", "tmpfs", {"nosuid", "nodev"});
  }
  if (options.read_only)
    for (const char* path : {"/tmp", "/run", "/var/tmp"})
      write_mount(out, path, "tmpfs", "tmpfs", {"nosuid", "nodev", "mode=1777"});
  for (const Volume& volume : options.volumes)
    write_mount(out, volume.destination, "bind", volume.source,
                {"rbind", "rprivate", volume.read_only ? "ro" : "rw"});
  for (const ExtraMount& mount : options.mounts)
    write_mount(out, mount.destination, mount.type, mount.source, mount.options);
  out.end_array();
  return {};
}

void write_resources(JsonWriter& out, const BundleOptions& options) {
  out.key("resources").begin_object();
  out.key("devices").begin_array().begin_object();
  out.member("allow", false).member("access", "rwm").end_object().end_array();
  if (options.memory)
    out.key("memory").begin_object().member("limit", *options.memory).end_object();
  if (options.cpus) {
    constexpr std::int64_t kPeriod = 100'000;
    out.key("cpu").begin_object();
    out.member("quota", static_cast<std::int64_t>(*options.cpus * static_cast<double>(kPeriod)));
    out.member("period", kPeriod).end_object();
  }
  if (options.pids) out.key("pids").begin_object().member("limit", *options.pids).end_object();
  out.end_object();
}

void write_linux(JsonWriter& out, const BundleOptions& options) {
  out.key("linux").begin_object();
  // ping without a capability; the setting belongs to the container's own network.
  if (options.own_network())
    out.key("sysctl").begin_object().member("net.ipv4.ping_group_range", "0 0").end_object();
  write_resources(out, options);
  out.key("namespaces").begin_array();
  for (const char* type : {"pid", "network", "ipc", "uts", "mount", "cgroup"})
    if (std::string_view(type) != "network" || options.own_network())
      out.begin_object().member("type", type).end_object();
  out.end_array();
  out.member("maskedPaths", strings(kMaskedPaths));
  out.member("readonlyPaths", strings(kReadonlyPaths));
  out.end_object();
}

// image-spec, conversion.md: what the image says about itself, then its labels,
// which win. Names with which runtimes are steered are not for an image to use
// (CVE-2026-53488).
std::map<std::string, std::string> annotations(const ImageConfig& image) {
  constexpr std::string_view kImage = "org.opencontainers.image.";
  constexpr auto kReserved =
      std::to_array<std::string_view>({"io.containerd.", "run.oci.", "cdi.k8s.io/",
                                       "io.kubernetes.", "io.podman.", "org.systemd."});
  std::map<std::string, std::string> out;
  const auto add = [&](std::string_view key, const std::string& value) {
    if (!value.empty()) out[std::string(kImage).append(key)] = value;
  };
  add("os", image.platform.os);
  add("architecture", image.platform.architecture);
  add("variant", image.platform.variant);
  add("author", image.author);
  add("created", image.created);
  add("stopSignal", image.stop_signal);
  std::string ports;
  for (const std::string& port : image.exposed_ports)
    ports.append(ports.empty() ? "" : ",").append(port);
  add("exposedPorts", ports);
  for (const auto& [key, value] : image.labels) {
    const bool reserved =
        std::ranges::any_of(kReserved, [&](std::string_view r) { return key.starts_with(r); });
    if (!reserved && !key.empty()) out[key] = value;
  }
  return out;
}

// Hooks need an absolute path: a bare name is looked up as a shell would.
Result<std::string> program_path(const std::string& name) {
  const std::string beside = sibling_program(name);
  if (beside.find('/') != std::string::npos) return beside;
  const char* path = std::getenv("PATH");  // NOLINT(concurrency-mt-unsafe): no thread runs
  std::string_view rest = path == nullptr ? "/usr/bin:/bin" : path;
  while (!rest.empty()) {
    const auto colon = rest.find(':');
    const std::string candidate = std::string(rest.substr(0, colon)) + "/" + name;
    if (candidate.starts_with('/') && ::access(candidate.c_str(), X_OK) == 0) return candidate;
    rest.remove_prefix(colon == std::string_view::npos ? rest.size() : colon + 1);
  }
  return Error{"'" + name + "' is neither beside this program nor in PATH", ENOENT,
               "install it, or use --network none"};
}

Result<Strings> network_hook(const BundleOptions& options) {
  Strings out = {TRY(program_path("netsetup")),
                 "hook",
                 "--network",
                 *options.network,
                 "--name",
                 options.name,
                 "--hosts",
                 "hosts"};
  for (const std::string& port : options.publish) {
    out.emplace_back("--publish");
    out.push_back(port);
  }
  return out;
}

void write_hook(JsonWriter& out, const Strings& argv) {
  out.begin_object().member("path", argv.front()).member("args", argv).end_object();
}

Result<void> write_hooks(JsonWriter& out, const BundleOptions& options) {
  std::map<std::string, std::vector<Strings>> stages;
  if (options.wired()) {
    const Strings hook = TRY(network_hook(options));
    stages["createRuntime"].push_back(hook);
    stages["poststop"].push_back(hook);
  }
  for (const ExtraHook& hook : options.hooks) stages[hook.stage].push_back(hook.argv);
  if (stages.empty()) return {};
  out.key("hooks").begin_object();
  for (const auto& [stage, hooks] : stages) {
    out.key(stage).begin_array();
    for (const Strings& argv : hooks) write_hook(out, argv);
    out.end_array();
  }
  out.end_object();
  return {};
}

}  // namespace

Result<std::string> working_directory(const ImageConfig& image, const BundleOptions& options) {
  const std::string wanted = options.working_dir.value_or(image.working_dir);
  const std::string path = clean_path(wanted);
  if (path == "proc" || path.starts_with("proc/"))
    return Error{"the working directory '" + wanted + "' lies in /proc", 0,
                 "choose another one with --workdir"};
  return "/" + path;
}

Result<std::string> runtime_config(const ImageConfig& image, const BundleOptions& options,
                                   const std::string& bundle, const ResolvedUser& user) {
  JsonWriter out(JsonWriter::Style::TwoSpaces);
  out.begin_object().member("ociVersion", "1.0.2");
  write_process(out, image, options, user, TRY(working_directory(image, options)));
  out.key("root").begin_object().member("path", "rootfs").member("readonly", options.read_only);
  out.end_object();
  out.member("hostname", options.hostname);
  TRY(write_mounts(out, image, options, bundle));
  TRY(write_hooks(out, options));
  const auto notes = annotations(image);
  if (!notes.empty()) {
    out.key("annotations").begin_object();
    for (const auto& [key, value] : notes) out.member(key, value);
    out.end_object();
  }
  write_linux(out, options);
  return out.end_object().take() + "\n";
}

std::set<std::string> standard_mount_points() {
  std::set<std::string> out;
  for (const DefaultMount& mount : kMounts) out.insert(clean_path(mount.destination));
  for (const std::string_view file : kFiles) out.insert("etc/" + std::string(file));
  return out;
}
