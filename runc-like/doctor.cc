// SPDX-License-Identifier: Apache-2.0
#include "doctor.h"

#include <linux/mount.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <string_view>

#include "common/fd.h"

#include "cgroup_layout.h"
#include "table_names.h"

namespace {

using Answer = Check::Answer;

std::string text_of(const std::string& path) {
  auto text = read_file(path, 65536);
  if (!text) return {};
  while (!text->empty() && text->back() == '\n') text->pop_back();
  return *std::move(text);
}

bool exists(const std::string& path) {
  return ::access(path.c_str(), F_OK) == 0;
}

Answer yes_or_no(bool yes) {
  return yes ? Answer::Yes : Answer::No;
}

// A system call that the kernel knows answers this nonsense with anything but ENOSYS.
bool has_call(long number) {
  const long done = ::syscall(number, -1L, 0L, 0L, 0L, 0L);
  return done >= 0 || errno != ENOSYS;
}

bool word_in(std::string_view text, std::string_view word) {
  for (std::size_t at = text.find(word); at != std::string_view::npos;
       at = text.find(word, at + 1)) {
    const bool begins = at == 0 || text[at - 1] == ' ' || text[at - 1] == ',';
    const std::size_t end = at + word.size();
    const bool ends = end == text.size() || text[end] == ' ' || text[end] == ',';
    if (begins && ends) return true;
  }
  return false;
}

// Where a program is, or "".
std::string in_path(const std::string& name) {
  const char* path = ::getenv("PATH");
  std::string_view rest =
      path == nullptr ? "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" : path;
  while (!rest.empty()) {
    const std::string_view part = rest.substr(0, rest.find(':'));
    rest.remove_prefix(std::min(rest.size(), part.size() + 1));
    const std::string file = std::string(part) + "/" + name;
    if (!part.empty() && ::access(file.c_str(), X_OK) == 0) return file;
  }
  return {};
}

struct Version {
  unsigned major = 0;
  unsigned minor = 0;
};

Version kernel_version(std::string_view release) {
  Version version;
  const char* end = release.data() + release.size();
  const auto first = std::from_chars(release.data(), end, version.major);
  if (first.ptr != end) (void)std::from_chars(first.ptr + 1, end, version.minor);
  return version;
}

struct Call {
  long number;
  std::string_view name;
};
constexpr std::array<Call, 8> kCalls = {{{SYS_clone3, "clone3"},
                                         {SYS_openat2, "openat2"},
                                         {SYS_pidfd_open, "pidfd_open"},
                                         {SYS_fsopen, "fsopen"},
                                         {SYS_open_tree, "open_tree"},
                                         {SYS_move_mount, "move_mount"},
                                         {SYS_mount_setattr, "mount_setattr"},
                                         {SYS_close_range, "close_range"}}};

void check_calls(std::vector<Check>& checks) {
  std::string missing;
  for (const Call& call : kCalls)
    // close_range(-1, 0) with any first above last is refused, and closes nothing.
    if (!has_call(call.number)) missing.append(missing.empty() ? "" : " ").append(call.name);
  checks.push_back({"kernel", "the system calls of a start", yes_or_no(missing.empty()), true,
                    missing, "no container starts",
                    "a seccomp filter around this program may forbid them"});
}

void check_namespaces(std::vector<Check>& checks) {
  for (const NamespaceName& row : kNamespaces) {
    const std::string name(row.name == "network" ? "net" : row.name == "mount" ? "mnt" : row.name);
    const bool there = exists("/proc/self/ns/" + name);
    if (there && row.name != "user") continue;
    if (!there)
      checks.push_back(
          {"kernel", std::string(row.name) + " namespaces", Answer::No,
           row.name == "mount" || row.name == "pid", "",
           "configurations that ask for one are refused",
           "a kernel with CONFIG_NAMESPACES and CONFIG_" + std::string(row.name) + "_NS"});
  }
  const std::string most = text_of("/proc/sys/user/max_user_namespaces");
  checks.push_back({"kernel", "user namespaces",
                    yes_or_no(most != "0" && exists("/proc/self/ns/user")), false,
                    most.empty() ? "" : "at most " + most, "rootless containers, and uidMappings",
                    "sysctl user.max_user_namespaces=15000"});
}

}  // namespace

void check_kernel(std::vector<Check>& checks) {
  utsname name = {};
  (void)::uname(&name);
  const Version version = kernel_version(name.release);
  const bool new_enough = version.major > 5 || (version.major == 5 && version.minor >= 14);
  checks.push_back({"kernel", "Linux 5.14 or newer", yes_or_no(new_enough), true, name.release,
                    "no container starts", "a newer kernel"});
  check_calls(checks);
  check_namespaces(checks);
  const std::string systems = text_of("/proc/filesystems");
  for (const std::string_view fs : {"overlay", "mqueue", "devpts"}) {
    const bool there = systems.find("\t" + std::string(fs)) != std::string::npos;
    checks.push_back({"kernel", "file system " + std::string(fs),
                      there ? Answer::Yes : Answer::Partly, false, "",
                      fs == "overlay" ? "layered root file systems" : "mounts of this type",
                      "modprobe " + std::string(fs)});
  }
}

void check_cgroups(std::vector<Check>& checks) {
  const auto layout = read_cgroup_layout();
  const bool any = layout && !layout->hierarchies.empty();
  const bool unified = any && layout->unified();
  checks.push_back({"cgroups", "a cgroup hierarchy", yes_or_no(any), true,
                    !any           ? "none mounted"
                    : unified      ? "v2"
                    : layout->v2() ? "v1 with v2 beside"
                                   : "v1",
                    "containers without limits only (--cgroup-manager disabled)",
                    "mount -t cgroup2 none /sys/fs/cgroup"});
  if (!any) return;
  std::string list;
  if (unified) list = text_of(layout->v2()->mount + "/cgroup.controllers");
  for (const std::string_view controller : {"cpu", "cpuset", "memory", "pids", "io", "hugetlb"}) {
    const std::string_view v1 = controller == "io" ? "blkio" : controller;
    const bool there = unified ? word_in(list, controller) : layout->of(v1) != nullptr;
    const bool important = controller != "hugetlb";
    checks.push_back({"cgroups", "controller " + std::string(controller),
                      there       ? Answer::Yes
                      : important ? Answer::No
                                  : Answer::Partly,
                      false, "", "limits of /linux/resources that need it",
                      "boot with cgroup_enable=" + std::string(controller)});
  }
  const std::string own = unified ? layout->v2()->mount + layout->v2()->own : "";
  if (::geteuid() != 0) {
    const bool delegated = unified && ::access((own + "/cgroup.procs").c_str(), W_OK) == 0;
    checks.push_back({"cgroups", "a cgroup of one's own", delegated ? Answer::Yes : Answer::Partly,
                      false, own, "limits for rootless containers",
                      "systemd: Delegate=yes for user@.service; then --systemd-cgroup"});
  }
  const bool systemd = exists("/run/systemd/system");
  checks.push_back({"cgroups", "systemd (for --systemd-cgroup)",
                    systemd ? Answer::Yes : Answer::Partly, false, "", "--systemd-cgroup",
                    "use cgroupfs, the default"});
}

void check_security(std::vector<Check>& checks) {
  const std::string actions = text_of("/proc/sys/kernel/seccomp/actions_avail");
  checks.push_back({"security", "seccomp filters", yes_or_no(!actions.empty()), false, actions,
                    "every configuration with /linux/seccomp, which engines always write",
                    "a kernel with CONFIG_SECCOMP_FILTER"});
  const std::string modules = text_of("/sys/kernel/security/lsm");
  for (const std::string_view module : {"apparmor", "selinux"})
    checks.push_back({"security", std::string(module),
                      word_in(modules, module) ? Answer::Yes : Answer::Partly, false, modules,
                      "labels of this kind are refused",
                      "boot with lsm=..." + std::string(module)});
  constexpr unsigned kAskVersion = 1;
  const long landlock = ::syscall(444 /* landlock_create_ruleset */, nullptr, 0, kAskVersion);
  checks.push_back({"security", "Landlock", landlock > 0 ? Answer::Yes : Answer::Partly, false,
                    landlock > 0 ? "ABI " + std::to_string(landlock) : "",
                    "programs that confine themselves", "boot with lsm=...landlock"});
}

void check_rootless(std::vector<Check>& checks) {
  if (::geteuid() == 0) return;
  const char* user = ::getenv("USER");
  const std::string name = user == nullptr ? "" : user;
  const std::string id = std::to_string(::geteuid());
  for (const std::string file : {"/etc/subuid", "/etc/subgid"}) {
    const std::string text = "\n" + text_of(file);
    const bool range = (!name.empty() && text.find("\n" + name + ":") != std::string::npos) ||
                       text.find("\n" + id + ":") != std::string::npos;
    checks.push_back({"rootless", "a range of ids in " + file, range ? Answer::Yes : Answer::Partly,
                      false, "", "images with more than one user",
                      "usermod --add-subuids 100000-165535 --add-subgids 100000-165535 " + name});
  }
  for (const std::string program : {"newuidmap", "newgidmap"}) {
    const std::string path = in_path(program);
    checks.push_back({"rootless", program, path.empty() ? Answer::Partly : Answer::Yes, false, path,
                      "mappings of more than one id", "apt install uidmap"});
  }
  const std::string clone = text_of("/proc/sys/kernel/unprivileged_userns_clone");
  const std::string confined = text_of("/proc/sys/kernel/apparmor_restrict_unprivileged_userns");
  checks.push_back({"rootless", "user namespaces without root",
                    yes_or_no(clone != "0" && confined != "1"), true, "",
                    "every container of this user",
                    confined == "1" ? "sysctl kernel.apparmor_restrict_unprivileged_userns=0"
                                    : "sysctl kernel.unprivileged_userns_clone=1"});
  const char* runtime = ::getenv("XDG_RUNTIME_DIR");
  checks.push_back({"rootless", "XDG_RUNTIME_DIR", runtime != nullptr ? Answer::Yes : Answer::No,
                    false, runtime == nullptr ? "" : runtime, "the default of --root",
                    "log in through a session, or give --root DIR"});
}

void check_programs(std::vector<Check>& checks) {
  const std::string criu = in_path("criu");
  checks.push_back({"programs", "criu", criu.empty() ? Answer::Partly : Answer::Yes, false, criu,
                    "checkpoints of containers made by other tools", "apt install criu"});
  const std::string ps = in_path("ps");
  checks.push_back({"programs", "ps", ps.empty() ? Answer::Partly : Answer::Yes, false, ps,
                    "runc-like ps as a table; --format json works", "apt install procps"});
}
