// SPDX-License-Identifier: Apache-2.0
// plan.h - everything that a start will do, decided before anything is done.
//
// Pure: (Spec, facts about the host) -> a flat list of steps, each with the field
// that asks for it. `explain` prints the list, init performs its part of it, and
// a failure is told in the words of the step that failed.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cgroup_layout.h"
#include "init/wire.h"
#include "seccomp.h"
#include "spec.h"

// What the plan has to know about the place where it will run.
struct HostFacts {
  CgroupLayout cgroups;                            // the hierarchies
  std::map<std::string, std::string> cgroup_dirs;  // hierarchy -> directory of this container
  std::size_t cgroup_tasks = 0;                    // v1: files that init writes itself into
  bool late_cgroup = false;                        // systemd: the cgroup is made around a process
  bool user_namespace = false;                     // we are in one, or no root: mknod is forbidden
};

struct PlanOptions {
  std::string id;
  std::string bundle;  // absolute
  std::string rootfs;  // absolute
  bool wait_for_start = false;
  bool console = false;  // process.terminal, and there is a socket for it
  bool no_pivot = false;
  bool no_new_keyring = false;
  unsigned kept_descriptors = 0;
  unsigned listen_fds = 0;
  std::string notify_directory = {};  // host directory bound on /run/notify
};

// A descriptor that the parent opens and hands to init.
struct Handed {
  enum class What { Tree, Directory, Namespace, CgroupTasks, ConsoleSocket, Process };
  What what = What::Tree;
  std::string path = {};
  bool recursive = false;  // Tree
  bool follow = true;      // Tree: the last component may be a link
  std::uint64_t propagation = 0;
  std::vector<Mapping> uid_mappings = {};  // Tree: idmapped
  std::vector<Mapping> gid_mappings = {};
  bool idmap_all = false;
  bool optional = false;
  bool only_procfs = false;  // Tree: must be a procfs (bind on /proc)
  std::string field = {};
};

struct PlannedStep {
  wire::Step step = {};
  std::string field = {};
};

class Plan {
 public:
  Plan();

  std::uint64_t clone_flags = 0;
  bool new_user = false;  // parent writes the maps; init is executed afterwards
  bool new_time = false;  // the parent leaves it again
  bool forks = false;     // init goes on as another process (joined pid or user namespace)
  bool awaits_go = false;
  bool asks_hooks = false;
  bool listener = false;       // a seccomp listener is sent after start
  std::vector<Handed> handed;  // slot kFirstFree + index
  std::vector<PlannedStep> steps;
  std::vector<std::string> warnings;

  // Building: texts go into the block at once, steps at its end.
  std::uint32_t text(std::string_view value);
  std::uint32_t bytes(const void* data, std::size_t size);
  std::uint32_t pointer_array(const std::vector<std::string>& values, bool spare = false);
  wire::Step& add(wire::Op op, std::string_view field);
  std::int32_t hand(Handed handed);
  void set_program(const std::vector<std::string>& args, std::vector<std::string> env,
                   bool needs_home);

  // The finished block for init.
  std::string serialise(int first_slot, unsigned kept, bool start_socket) const;

  std::string_view text_at(std::uint32_t offset) const { return block_.c_str() + offset; }
  const char* data_at(std::uint32_t offset) const { return block_.data() + offset; }
  const std::string& program() const { return program_; }

 private:
  std::string block_;  // header and texts; steps are appended by serialise
  wire::PlanHeader header_ = {};
  std::string program_;
};

// `program` is the compiled filter, when the spec has one.
Result<Plan> plan_start(const Spec& spec, const PlanOptions& options, const HostFacts& facts,
                        const SeccompProgram* program);

// What `exec` needs of the running container.
struct ExecTarget {
  std::uint64_t namespaces = 0;  // CLONE_NEW* of those that are not ours
  std::string root = {};         // its root directory, when it has no mount namespace of its own
  std::string selinux_label = {};
};
Result<Plan> plan_exec(const ProcessSpec& process, const ExecTarget& target,
                       const PlanOptions& options, const HostFacts& facts,
                       const SeccompProgram* program);

// Parts, each in a file of its own.
Result<void> plan_mounts(Plan& plan, const Spec& spec, const PlanOptions& options,
                         const HostFacts& facts);
void plan_devices(Plan& plan, const Spec& spec, const HostFacts& facts);
Result<void> plan_affinity(Plan& plan, const std::string& list, const std::string& field);
Result<void> plan_memory_policy(Plan& plan, const MemoryPolicySpec& policy);
// "0-3,7" as the bit mask that the kernel takes.
Result<std::string> cpu_mask(std::string_view list);
void plan_session(Plan& plan, const ProcessSpec& process);
void plan_credentials(Plan& plan, const ProcessSpec& process, const HostFacts& facts,
                      bool filter_needs_admin);
void plan_last(Plan& plan, const ProcessSpec& process, const SeccompProgram* program,
               const std::vector<HookSpec>& start_hooks, std::uint32_t hook_state);

// "mount 'proc' on '/proc'": what a step does, in words.
std::string describe_step(const Plan& plan, const PlannedStep& step);
// "mount", "pivot": a short fixed name for structured errors.
std::string_view step_name(wire::Op op);
