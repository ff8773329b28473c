// SPDX-License-Identifier: Apache-2.0
// spec: a config.json to begin with.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "common/json.h"

#include "verbs.h"

namespace {

using Words = std::vector<std::string>;

void write_process(JsonWriter& json) {
  const Words caps = {"CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"};
  json.key("process").begin_object();
  json.member("terminal", true);
  json.key("user").begin_object().member("uid", 0).member("gid", 0).end_object();
  json.member("args", Words{"sh"});
  json.member("env", Words{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                           "TERM=xterm"});
  json.member("cwd", "/");
  json.key("capabilities").begin_object();
  for (const char* set : {"bounding", "effective", "permitted"}) json.member(set, caps);
  json.end_object();
  json.key("rlimits").begin_array().begin_object();
  json.member("type", "RLIMIT_NOFILE").member("hard", 1024).member("soft", 1024);
  json.end_object().end_array();
  json.member("noNewPrivileges", true).end_object();
}

struct MountLine {
  const char* destination;
  const char* type;
  const char* source;
  Words options;
};

void write_mounts(JsonWriter& json, bool rootless) {
  std::vector<MountLine> mounts = {
      {"/proc", "proc", "proc", {}},
      {"/dev", "tmpfs", "tmpfs", {"nosuid", "strictatime", "mode=755", "size=65536k"}},
      {"/dev/pts",
       "devpts",
       "devpts",
       {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"}},
      {"/dev/shm", "tmpfs", "shm", {"nosuid", "noexec", "nodev", "mode=1777", "size=65536k"}},
      {"/dev/mqueue", "mqueue", "mqueue", {"nosuid", "noexec", "nodev"}},
      {"/sys", "sysfs", "sysfs", {"nosuid", "noexec", "nodev", "ro"}},
      {"/sys/fs/cgroup", "cgroup", "cgroup", {"nosuid", "noexec", "nodev", "relatime", "ro"}},
  };
  if (rootless) {
    // Group 5 has no counterpart outside, and the host's sysfs cannot be mounted anew.
    mounts[2].options.pop_back();
    mounts[5] = {"/sys", "none", "/sys", {"rbind", "nosuid", "noexec", "nodev", "ro"}};
    mounts.pop_back();
  }
  json.key("mounts").begin_array();
  for (const MountLine& mount : mounts) {
    json.begin_object().member("destination", mount.destination).member("type", mount.type);
    json.member("source", mount.source);
    if (!mount.options.empty()) json.member("options", mount.options);
    json.end_object();
  }
  json.end_array();
}

void write_mapping(JsonWriter& json, const char* key, unsigned host) {
  json.key(key).begin_array().begin_object();
  json.member("containerID", 0).member("hostID", host).member("size", 1);
  json.end_object().end_array();
}

void write_linux(JsonWriter& json, bool rootless) {
  json.key("linux").begin_object();
  if (rootless) {
    write_mapping(json, "uidMappings", ::geteuid());
    write_mapping(json, "gidMappings", ::getegid());
  } else {
    json.key("resources").begin_object().key("devices").begin_array().begin_object();
    json.member("allow", false).member("access", "rwm");
    json.end_object().end_array().end_object();
  }
  json.key("namespaces").begin_array();
  Words kinds = {"pid", "network", "ipc", "uts", "mount", "cgroup"};
  if (rootless) kinds = {"pid", "ipc", "uts", "mount", "cgroup", "user"};
  for (const std::string& kind : kinds) json.begin_object().member("type", kind).end_object();
  json.end_array();
  json.member("maskedPaths", Words{"/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys",
                                   "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats",
                                   "/proc/sched_debug", "/sys/firmware", "/proc/scsi"});
  json.member("readonlyPaths",
              Words{"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"});
  json.end_object();
}

}  // namespace

Result<int> cmd_spec(const Arguments& arguments) {
  const bool rootless = arguments.options.flag("rootless");
  JsonWriter json(JsonWriter::Style::Tabs);
  json.begin_object().member("ociVersion", "1.3.0");
  write_process(json);
  json.key("root").begin_object().member("path", "rootfs").member("readonly", true).end_object();
  json.member("hostname", "runc");
  write_mounts(json, rootless);
  write_linux(json, rootless);
  json.end_object();
  const std::string name = arguments.options.value_or("file", "config.json");
  const std::string path =
      name.starts_with('/') ? name : arguments.options.value_or("bundle", ".") + "/" + name;
  const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  if (!file && errno == EEXIST) return Error{"File " + name + " exists. Remove it first"};
  if (!file) return errno_error("create", path);
  TRY(write_all(file, json.take() + "\n", path));
  return 0;
}
