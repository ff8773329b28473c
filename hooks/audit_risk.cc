// SPDX-License-Identifier: Apache-2.0
// audit_risk.cc - the judgement: which of the things that a container is allowed lead
// out of it, and how directly.
#include <algorithm>
#include <array>

#include "audit.h"

std::string_view risk_name(Risk risk) {
  constexpr auto kNames = std::to_array<std::string_view>({"low", "medium", "high", "critical"});
  return kNames[static_cast<std::size_t>(risk)];
}

namespace {

struct CapabilityRisk {
  std::string_view name;
  Risk risk;  // when the container has no user namespace of its own
  std::string_view what;
};
constexpr auto kCapabilities = std::to_array<CapabilityRisk>({
    {"CAP_BPF", Risk::High, "may load programs into the kernel"},
    {"CAP_DAC_READ_SEARCH", Risk::High, "may open files of the host by their handle"},
    {"CAP_NET_ADMIN", Risk::Medium, "may change the network configuration"},
    {"CAP_PERFMON", Risk::Medium, "may observe the kernel"},
    {"CAP_SYSLOG", Risk::Medium, "may read kernel addresses"},
    {"CAP_SYS_ADMIN", Risk::High, "may mount, and do most of what root can"},
    {"CAP_SYS_BOOT", Risk::High, "may restart the machine"},
    {"CAP_SYS_MODULE", Risk::Critical, "may load kernel modules"},
    {"CAP_SYS_PTRACE", Risk::Medium, "may control other processes that it sees"},
    {"CAP_SYS_RAWIO", Risk::Critical, "may access the machine's memory and ports"},
    {"CAP_SYS_TIME", Risk::Medium, "may set the machine's clock"},
});

struct PathRisk {
  std::string_view path;
  bool below;  // what lies below it is as dangerous
  Risk read_only;
  Risk writable;
  std::string_view what;
};
// The first that fits counts.
constexpr auto kPaths = std::to_array<PathRisk>({
    {"/", false, Risk::High, Risk::Critical, "the whole host"},
    {"/run/containerd/containerd.sock", false, Risk::Critical, Risk::Critical,
     "containerd's control socket"},
    {"/run/crio/crio.sock", false, Risk::Critical, Risk::Critical, "CRI-O's control socket"},
    {"/run/docker.sock", false, Risk::Critical, Risk::Critical, "docker's control socket"},
    {"/run/podman/podman.sock", false, Risk::Critical, Risk::Critical, "podman's control socket"},
    {"/var/run/docker.sock", false, Risk::Critical, Risk::Critical, "docker's control socket"},
    {"/boot", true, Risk::Medium, Risk::Critical, "the host's kernel"},
    {"/dev", false, Risk::High, Risk::Critical, "the host's devices"},
    {"/etc", true, Risk::Medium, Risk::Critical, "the host's configuration"},
    {"/proc", true, Risk::Medium, Risk::Critical, "the host's processes"},
    {"/root", true, Risk::High, Risk::Critical, "the home of the host's root"},
    {"/run", false, Risk::High, Risk::Critical, "the sockets of the host's services"},
    {"/sys", true, Risk::Low, Risk::High, "the host's kernel settings"},
    {"/usr", true, Risk::Low, Risk::Critical, "the host's programs"},
    {"/var/lib/docker", true, Risk::High, Risk::Critical, "docker's data"},
    {"/var/lib/containers", true, Risk::High, Risk::Critical, "podman's data"},
});

// Files that engines mount into every container, from wherever they keep them.
bool is_usual(const HostMount& mount) {
  constexpr auto kUsual = std::to_array<std::string_view>(
      {"/etc/hosts", "/etc/hostname", "/etc/resolv.conf", "/run/.containerenv", "/dev/shm"});
  return std::ranges::find(kUsual, mount.destination) != kUsual.end() &&
         mount.source != mount.destination;
}

void judge_mounts(const Allowed& allowed, std::vector<Finding>& out) {
  for (const HostMount& mount : allowed.host_mounts) {
    if (is_usual(mount)) continue;
    const auto known = std::ranges::find_if(kPaths, [&](const PathRisk& path) {
      return mount.source == path.path ||
             (path.below && mount.source.starts_with(std::string(path.path) + "/"));
    });
    if (known == kPaths.end()) continue;
    out.push_back({mount.writable ? known->writable : known->read_only,
                   std::string(known->what) +
                       (mount.writable ? " can be written: '" : " can be read: '") + mount.source +
                       "' is mounted on '" + mount.destination + "'"});
  }
}

void judge_namespaces(const Allowed& allowed, std::vector<Finding>& out) {
  if (!allowed.own("mount"))
    out.push_back({Risk::Critical, "it has no mount namespace of its own"});
  if (!allowed.own("pid"))
    out.push_back(
        {allowed.has("CAP_SYS_PTRACE") || allowed.has("CAP_KILL") ? Risk::High : Risk::Medium,
         "it sees the host's processes"});
  if (!allowed.own("network"))
    out.push_back({allowed.has("CAP_NET_ADMIN") ? Risk::High : Risk::Medium,
                   "it shares the host's network, with every local service"});
  if (!allowed.own("ipc")) out.push_back({Risk::Medium, "it shares the host's memory segments"});
}

void judge_capabilities(const Allowed& allowed, std::vector<Finding>& out) {
  const bool confined = allowed.own("user");
  for (const CapabilityRisk& one : kCapabilities)
    if (allowed.has(one.name))
      out.push_back({confined ? Risk::Low : one.risk,
                     std::string(one.name) + ": it " + std::string(one.what) +
                         (confined ? ", within its user namespace" : "")});
}

void judge_confinement(const Allowed& allowed, std::vector<Finding>& out) {
  if (allowed.privileged())
    out.push_back({Risk::Critical, "it is privileged: all capabilities and devices, no seccomp"});
  if (allowed.all_devices) out.push_back({Risk::High, "every device of the host is allowed"});
  if (!allowed.seccomp || allowed.seccomp_default == "SCMP_ACT_ALLOW")
    out.push_back(
        {Risk::Medium, allowed.seccomp
                           ? "system calls that its seccomp profile does not name are allowed"
                           : "no seccomp profile: every system call is allowed"});
  if (allowed.masked_paths == 0)
    out.push_back({Risk::Medium, "nothing of /proc and /sys is masked"});
  if (!allowed.own("user") && allowed.uid == 0)
    out.push_back({Risk::Low, "its root is the host's root: there is no user namespace"});
  if (!allowed.no_new_privileges)
    out.push_back({Risk::Low, "set-user-id programs gain privileges (noNewPrivileges is off)"});
  if (!allowed.memory_limit) out.push_back({Risk::Low, "its memory is not limited"});
  if (!allowed.pids_limit) out.push_back({Risk::Low, "its number of processes is not limited"});
}

}  // namespace

std::vector<Finding> findings(const Allowed& allowed) {
  std::vector<Finding> out;
  judge_confinement(allowed, out);
  judge_namespaces(allowed, out);
  judge_mounts(allowed, out);
  judge_capabilities(allowed, out);
  std::ranges::stable_sort(out, std::greater(), &Finding::risk);
  return out;
}

Risk worst(const std::vector<Finding>& findings) {
  return findings.empty() ? Risk::Low
                          : std::ranges::max_element(findings, {}, &Finding::risk)->risk;
}
