// SPDX-License-Identifier: Apache-2.0
// spec.h - config.json as plain values: typed, validated, and each value with the
// field that it came from. Pure: reading makes no system call.
//
// No JSON type leaves spec*.cc. What a value means for the kernel is decided in
// plan*.cc.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/result.h"

#include "resources.h"
#include "seccomp.h"

struct Mapping {
  std::uint32_t container = 0;
  std::uint32_t host = 0;
  std::uint32_t size = 0;
};

struct MountSpec {
  std::string destination;  // absolute, without ".", ".." and double '/'
  std::string type;
  std::string source;
  std::vector<std::string> options;
  std::vector<Mapping> uid_mappings = {};
  std::vector<Mapping> gid_mappings = {};
  std::string field = {};
};

struct User {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::optional<std::uint32_t> umask = {};
  std::vector<std::uint32_t> groups = {};
};

struct Capabilities {  // bit masks
  std::uint64_t bounding = 0;
  std::uint64_t effective = 0;
  std::uint64_t inheritable = 0;
  std::uint64_t permitted = 0;
  std::uint64_t ambient = 0;
};

struct RlimitSpec {
  int resource = 0;
  std::uint64_t soft = 0;
  std::uint64_t hard = 0;
  std::string field = {};
};

struct SchedulerSpec {
  std::uint32_t policy = 0;
  std::uint64_t flags = 0;
  std::int32_t nice = 0;
  std::uint32_t priority = 0;
  std::uint64_t runtime = 0;
  std::uint64_t deadline = 0;
  std::uint64_t period = 0;
};

struct ProcessSpec {
  bool terminal = false;
  std::uint16_t rows = 0;
  std::uint16_t columns = 0;
  User user = {};
  std::vector<std::string> args = {};
  std::vector<std::string> env = {};
  std::string cwd = "/";
  std::optional<Capabilities> capabilities = {};
  std::vector<RlimitSpec> rlimits = {};
  bool no_new_privileges = false;
  std::optional<int> oom_score_adj = {};
  std::string apparmor_profile = {};
  std::string selinux_label = {};
  std::optional<SchedulerSpec> scheduler = {};
  std::optional<int> io_priority = {};  // as ioprio_set takes it
  std::string initial_affinity = {};    // CPU lists, for exec
  std::string final_affinity = {};
  std::string field = "/process";
};

struct NamespaceSpec {
  std::uint64_t flag = 0;  // CLONE_NEW*
  std::string path = {};   // empty: a new one
  std::string field = {};
};

struct DeviceSpec {
  std::string path;
  char type = 'c';  // 'c', 'b', 'p'
  std::uint32_t major = 0;
  std::uint32_t minor = 0;
  std::uint32_t mode = 0666;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::string field = {};
};

struct HookSpec {
  std::string path;
  std::vector<std::string> args = {};
  std::vector<std::string> env = {};
  unsigned timeout = 0;  // seconds; 0: none
  std::string field = {};
};

// In the order in which they run.
enum class HookKind {
  Prestart,
  CreateRuntime,
  CreateContainer,
  StartContainer,
  Poststart,
  Poststop
};

struct NetDeviceSpec {
  std::string name;      // on the host
  std::string new_name;  // in the container
  std::string field = {};
};

struct TimeOffset {
  std::string clock;  // "monotonic", "boottime"
  std::int64_t seconds = 0;
  std::uint32_t nanoseconds = 0;
};

struct MemoryPolicySpec {
  std::uint32_t mode = 0;
  std::string nodes = {};
};

struct Spec {
  std::string oci_version;
  std::optional<ProcessSpec> process = {};
  std::string root;  // as written: relative to the bundle
  bool root_readonly = false;
  std::string hostname = {};
  std::string domainname = {};
  std::vector<MountSpec> mounts = {};
  std::map<HookKind, std::vector<HookSpec>> hooks = {};
  std::map<std::string, std::string> annotations = {};

  std::vector<NamespaceSpec> namespaces = {};
  std::vector<Mapping> uid_mappings = {};
  std::vector<Mapping> gid_mappings = {};
  std::vector<TimeOffset> time_offsets = {};
  std::vector<DeviceSpec> devices = {};
  std::vector<NetDeviceSpec> net_devices = {};
  std::string cgroups_path = {};
  Resources resources = {};
  std::optional<SeccompSpec> seccomp = {};
  std::uint64_t root_propagation = 0;                            // MS_*; 0: not given
  std::vector<std::pair<std::string, std::string>> sysctl = {};  // dotted or slashed name, value
  std::vector<std::string> masked_paths = {};
  std::vector<std::string> readonly_paths = {};
  std::string mount_label = {};
  std::optional<std::uint64_t> personality = {};
  std::optional<MemoryPolicySpec> memory_policy = {};

  std::vector<std::string> warnings = {};  // what the specification wants said, not refused

  const NamespaceSpec* find_namespace(std::uint64_t flag) const;
  bool has_new(std::uint64_t flag) const;  // a namespace of this kind that is ours alone
};

// The text of a config.json; `name` stands in the errors.
Result<Spec> parse_spec(const std::string& name, std::string_view text,
                        const KnownFilter& known = {});

// A process document by itself, as exec --process takes it.
Result<ProcessSpec> parse_process(const std::string& name, std::string_view text,
                                  std::vector<std::string>& warnings);

// "1000" or "1000:1000"; digits only, in range (a sloppy parser has made root of a user).
struct UserWord {
  std::uint32_t uid = 0;
  std::optional<std::uint32_t> gid = {};
};
Result<UserWord> parse_user_word(std::string_view text);

// Absolute, "." and ".." worked out without looking at any file.
std::string clean_path(std::string_view path);
