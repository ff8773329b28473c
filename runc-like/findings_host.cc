// SPDX-License-Identifier: Apache-2.0
// What a configuration asks of this host that it does not have.
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "common/fd.h"

#include "cgroup_layout.h"
#include "findings.h"
#include "mount_options.h"
#include "table_names.h"

namespace {

using Level = Finding::Level;

class HostCheck {
 public:
  HostCheck(const Spec& spec, const std::string& bundle, std::vector<Finding>& findings)
      : spec_(spec), bundle_(bundle), findings_(findings) {}

  void root();
  void program();
  void mounts();
  void namespaces();
  void hooks();
  void controllers();
  void labels();

 private:
  void add(Level level, const std::string& field, const std::string& text,
           const std::string& hint = "") {
    findings_.push_back({level, field, text, hint});
  }
  std::string in_bundle(const std::string& path) const {
    return path.starts_with('/') ? path : bundle_ + "/" + path;
  }
  // Says that the file is missing, or why it cannot be seen.
  bool exists(const std::string& path, const std::string& field) {
    struct stat info = {};
    if (::stat(path.c_str(), &info) == 0) return true;
    add(Level::Error, field, errno_error("open", path).text());
    return false;
  }

  const Spec& spec_;
  const std::string& bundle_;
  std::vector<Finding>& findings_;
};

void HostCheck::root() {
  const std::string path = in_bundle(spec_.root);
  struct stat info = {};
  if (::lstat(path.c_str(), &info) != 0)
    add(Level::Error, "/root/path", errno_error("open", path).text(),
        "the bundle needs this directory");
  else if (!S_ISDIR(info.st_mode))
    add(Level::Error, "/root/path", "'" + path + "' is no directory");
}

// Only what can be said without resolving links as the container would.
void HostCheck::program() {
  if (!spec_.process) {
    add(Level::Error, "/process", "missing; start has nothing to run");
    return;
  }
  const std::string& name = spec_.process->args[0];
  struct stat info = {};
  const std::string path = in_bundle(spec_.root) + name;
  if (name.starts_with('/') && ::lstat(path.c_str(), &info) != 0 && errno == ENOENT)
    add(Level::Warning, "/process/args/0",
        "'" + name + "' is not in the root file system; a mount would have to bring it");
}

void HostCheck::mounts() {
  const auto known = read_file("/proc/filesystems");
  for (const MountSpec& mount : spec_.mounts) {
    const MountOptions options = sort_mount_options(mount);
    if (options.bind) {
      (void)exists(in_bundle(mount.source), mount.field + "/source");
      continue;
    }
    // A module may still bring it.
    if (known && !mount.type.empty() && mount.type != "cgroup" &&
        known->find("\t" + mount.type + "\n") == std::string::npos)
      add(Level::Warning, mount.field + "/type",
          "the kernel has no file system '" + mount.type + "' yet");
  }
}

void HostCheck::namespaces() {
  for (const NamespaceSpec& ns : spec_.namespaces) {
    if (!ns.path.empty()) {
      (void)exists(ns.path, ns.field + "/path");
      continue;
    }
    for (const NamespaceName& row : kNamespaces)
      if (row.flag == ns.flag) {
        const std::string name(row.name == "network" ? "net"
                               : row.name == "mount" ? "mnt"
                                                     : row.name);
        if (::access(("/proc/self/ns/" + name).c_str(), F_OK) != 0)
          add(Level::Error, ns.field + "/type",
              "the kernel has no " + std::string(row.name) + " namespaces");
      }
  }
  if (!spec_.has_new(CLONE_NEWUSER) && ::geteuid() != 0)
    add(Level::Warning, "/linux/namespaces", "without root, a new user namespace is needed",
        "runc-like spec --rootless writes such a configuration");
}

void HostCheck::hooks() {
  for (const auto& [kind, list] : spec_.hooks)
    for (const HookSpec& hook : list) {
      // Those two are looked up inside the container.
      if (kind == HookKind::StartContainer) continue;
      if (exists(hook.path, hook.field + "/path") && ::access(hook.path.c_str(), X_OK) != 0)
        add(Level::Error, hook.field + "/path", errno_error("execute", hook.path).text());
    }
}

// A limit whose controller is not there is an error at the start.
void HostCheck::controllers() {
  const auto layout = read_cgroup_layout();
  if (!layout) return;
  std::string available;
  if (layout->unified())
    if (auto text = read_file(layout->v2()->mount + "/cgroup.controllers"))
      available = *std::move(text);
  const auto need = [&](bool asked, std::string_view name, const std::string& field) {
    if (!asked) return;
    const bool there = layout->unified() ? available.find(name) != std::string::npos
                                         : layout->of(name == "io" ? "blkio" : name) != nullptr;
    if (!there)
      add(Level::Error, "/linux/resources/" + field,
          "this host has no cgroup controller '" + std::string(name) + "'",
          "see: runc-like doctor");
  };
  const Resources& r = spec_.resources;
  need(r.memory.limit || r.memory.swap || r.memory.reservation, "memory", "memory");
  need(r.cpu.shares || r.cpu.quota || r.cpu.period || r.cpu.idle, "cpu", "cpu");
  need(!r.cpu.cpus.empty() || !r.cpu.mems.empty(), "cpuset", "cpu");
  need(r.pids.has_value(), "pids", "pids");
  need(r.block_io.weight.has_value() || !r.block_io.read_bps.empty() ||
           !r.block_io.write_bps.empty(),
       "io", "blockIO");
  need(!r.hugepages.empty(), "hugetlb", "hugepageLimits");
  need(!r.rdma.empty(), "rdma", "rdma");
}

void HostCheck::labels() {
  if (!spec_.process) return;
  const auto lsm = read_file("/sys/kernel/security/lsm", 4096);
  const auto active = [&](std::string_view name) {
    return lsm && lsm->find(name) != std::string::npos;
  };
  if (!spec_.process->apparmor_profile.empty() && !active("apparmor"))
    add(Level::Error, "/process/apparmorProfile", "AppArmor is not active on this host");
  if (!spec_.process->selinux_label.empty() && !active("selinux"))
    add(Level::Error, "/process/selinuxLabel", "SELinux is not active on this host");
}

}  // namespace

void examine_on_host(const Spec& spec, const std::string& bundle, std::vector<Finding>& findings) {
  HostCheck check(spec, bundle, findings);
  check.root();
  check.program();
  check.mounts();
  check.namespaces();
  check.hooks();
  check.controllers();
  check.labels();
}
