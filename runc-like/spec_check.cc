// SPDX-License-Identifier: Apache-2.0
// What is right field by field may still be wrong together; and a sysctl must
// not reach beyond the container.
#include "spec_read.h"
#include "table_names.h"

namespace {

Error at(const JsonView& root, const std::string& pointer, std::string_view text) {
  Error error = root.error("");
  error.what += pointer.substr(0) + ": " + std::string(text);
  error.field = pointer;
  return error;
}

struct SysctlRule {
  std::string_view name;
  std::uint64_t flag;
};
// Names whose value belongs to the IPC namespace; "fs.mqueue." and "net." by prefix.
constexpr auto kIpcSysctls = std::to_array<SysctlRule>({
    {"kernel.msgmax", CLONE_NEWIPC},
    {"kernel.msgmnb", CLONE_NEWIPC},
    {"kernel.msgmni", CLONE_NEWIPC},
    {"kernel.sem", CLONE_NEWIPC},
    {"kernel.shm_rmid_forced", CLONE_NEWIPC},
    {"kernel.shmall", CLONE_NEWIPC},
    {"kernel.shmmax", CLONE_NEWIPC},
    {"kernel.shmmni", CLONE_NEWIPC},
});
static_assert(sorted_by_name(kIpcSysctls));

// The namespace that holds a sysctl, or 0: it is the whole host's.
std::uint64_t sysctl_namespace(std::string_view name) {
  if (name.starts_with("net.")) return CLONE_NEWNET;
  if (name.starts_with("fs.mqueue.")) return CLONE_NEWIPC;
  if (name.starts_with("user.")) return CLONE_NEWUSER;
  if (name == "kernel.domainname" || name == "kernel.hostname") return CLONE_NEWUTS;
  const SysctlRule* row = find_row(kIpcSysctls, name);
  return row == nullptr ? 0 : row->flag;
}

Result<void> check_sysctls(const JsonView& root, const Spec& spec) {
  for (const auto& [written, value] : spec.sysctl) {
    // The first separator decides which is which: "net/ipv4/conf/eth0.1/…".
    std::string name = written;
    const std::size_t first = name.find_first_of("./");
    if (first != std::string::npos && name[first] == '/')
      for (char& c : name) c = c == '/' ? '.' : c == '.' ? '/' : c;
    const std::string pointer = "/linux/sysctl/" + written;
    const std::uint64_t flag = sysctl_namespace(name);
    if (flag == 0)
      return at(root, pointer, "sysctl \"" + written + "\" is not in a separate kernel namespace");
    if (name == "kernel.hostname") return at(root, pointer, "is set by the field /hostname");
    const NamespaceSpec* ns = spec.find_namespace(flag);
    if (ns == nullptr)
      return at(root, pointer, "sysctl \"" + written + "\" not allowed in the host's namespace");
    if (name == "kernel.domainname" && !spec.domainname.empty() && spec.domainname != value)
      return at(root, pointer, "contradicts the field /domainname");
  }
  return {};
}

Result<void> check_user_namespace(const JsonView& root, const Spec& spec) {
  const NamespaceSpec* user = spec.find_namespace(CLONE_NEWUSER);
  const bool maps = !spec.uid_mappings.empty() || !spec.gid_mappings.empty();
  if (user == nullptr && maps)
    return at(root, "/linux/uidMappings", "user namespace mappings without a user namespace");
  if (user != nullptr && user->path.empty() &&
      (spec.uid_mappings.empty() || spec.gid_mappings.empty()))
    return at(root, "/linux/uidMappings", "a new user namespace needs uidMappings and gidMappings");
  return {};
}

Result<void> check_process(const JsonView& root, const Spec& spec) {
  if (!spec.process) return {};
  const ProcessSpec& process = *spec.process;
  if (process.args.empty()) return at(root, "/process/args", "args must not be empty");
  if (process.args[0].empty()) return at(root, "/process/args/0", "must not be empty");
  // The deadline scheduler admits per CPU domain; the kernel refuses both.
  if (process.scheduler && process.scheduler->policy == 6 && !spec.resources.cpu.cpus.empty())
    return at(root, "/process/scheduler",
              "process scheduler can't be used together with AllowedCPUs");
  return {};
}

}  // namespace

Result<void> check_together(const JsonView& root, const Spec& spec) {
  TRY(check_process(root, spec));
  TRY(check_user_namespace(root, spec));
  if (!spec.hostname.empty() && spec.find_namespace(CLONE_NEWUTS) == nullptr)
    return at(root, "/hostname", "unable to set hostname without a private UTS namespace");
  if (!spec.domainname.empty() && spec.find_namespace(CLONE_NEWUTS) == nullptr)
    return at(root, "/domainname", "unable to set domainname without a private UTS namespace");
  if (!spec.net_devices.empty() && spec.find_namespace(CLONE_NEWNET) == nullptr)
    return at(root, "/linux/netDevices",
              "unable to move network devices without a private NET namespace");
  if (!spec.time_offsets.empty() && !spec.has_new(CLONE_NEWTIME))
    return at(root, "/linux/timeOffsets", "needs a new time namespace");
  if (spec.find_namespace(CLONE_NEWNS) == nullptr) {
    // Of the host's own mounts.
    if (spec.root_readonly)
      return at(root, "/root/readonly", "needs a mount namespace; this container has none");
    if (spec.root_propagation != 0)
      return at(root, "/linux/rootfsPropagation", "needs a mount namespace");
  }
  if ((!spec.masked_paths.empty() || !spec.readonly_paths.empty()) &&
      spec.find_namespace(CLONE_NEWNS) == nullptr)
    return at(root, "/linux/maskedPaths",
              "unable to restrict sys entries without a private MNT namespace");
  return check_sysctls(root, spec);
}
