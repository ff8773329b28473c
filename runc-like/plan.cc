// SPDX-License-Identifier: Apache-2.0
// The order of a start, and of an exec. Each part knows its own details.
#include "plan.h"

#include <linux/sched.h>
#include <sys/mount.h>

#include "common/oci_state.h"

#include "table_names.h"

using wire::Op;

namespace {

constexpr std::uint64_t kEarly = CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWPID |
                                 CLONE_NEWUTS | CLONE_NEWUSER | CLONE_NEWTIME;

std::uint64_t new_namespaces(const Spec& spec) {
  std::uint64_t flags = 0;
  for (const NamespaceSpec& ns : spec.namespaces)
    if (ns.path.empty()) flags |= ns.flag;
  return flags;
}

void plan_cgroup(Plan& plan, const HostFacts& facts) {
  for (std::size_t i = 0; i < facts.cgroup_tasks; ++i)
    plan.add(Op::EnterCgroup, "/linux/cgroupsPath").slot =
        plan.hand({.what = Handed::What::CgroupTasks, .field = "/linux/cgroupsPath"});
  if (!facts.late_cgroup) return;
  plan.add(Op::AwaitGo, "/linux/cgroupsPath");
  plan.awaits_go = true;
}

// Others first, with the power of the host; the user namespace last, for in it
// that power is gone.
void plan_joins(Plan& plan, const Spec& spec) {
  const auto join = [&](const NamespaceSpec& ns) {
    wire::Step& step = plan.add(Op::JoinNamespace, ns.field);
    step.flags = static_cast<std::uint32_t>(ns.flag);
    const std::int32_t slot =
        plan.hand({.what = Handed::What::Namespace, .path = ns.path, .field = ns.field + "/path"});
    plan.steps.back().step.slot = slot;
    plan.steps.back().step.text[0] = plan.text(ns.path);
  };
  for (const NamespaceSpec& ns : spec.namespaces)
    if (!ns.path.empty() && ns.flag != CLONE_NEWUSER) join(ns);
  const NamespaceSpec* user = spec.find_namespace(CLONE_NEWUSER);
  if (user == nullptr || user->path.empty()) return;
  join(*user);
  plan.add(Op::BecomeRoot, user->field).flags = 1;
}

// In one clone3 where that is possible. A joined pid namespace holds for a child
// only; namespaces that a joined user namespace is to own must be made inside it.
void plan_namespaces(Plan& plan, const Spec& spec) {
  const std::uint64_t fresh = new_namespaces(spec) & kEarly & ~std::uint64_t{CLONE_NEWTIME};
  const NamespaceSpec* user = spec.find_namespace(CLONE_NEWUSER);
  const NamespaceSpec* pid = spec.find_namespace(CLONE_NEWPID);
  const bool joins_user = user != nullptr && !user->path.empty();
  const bool joins_pid = pid != nullptr && !pid->path.empty();
  plan.new_user = (fresh & CLONE_NEWUSER) != 0;
  plan.new_time = spec.has_new(CLONE_NEWTIME);
  plan.forks = joins_user || joins_pid;
  plan.clone_flags = joins_user ? 0 : fresh;
  plan_joins(plan, spec);
  if (plan.forks)
    plan.add(Op::Fork, joins_pid ? pid->field : user->field).flags =
        joins_user ? static_cast<std::uint32_t>(fresh) : 0;
  // After the cgroup has been entered, or its root would be that of the parent.
  const NamespaceSpec* cgroup = spec.find_namespace(CLONE_NEWCGROUP);
  if (cgroup != nullptr && cgroup->path.empty())
    plan.add(Op::Unshare, cgroup->field).flags = CLONE_NEWCGROUP;
}

void plan_identity(Plan& plan, const Spec& spec, const PlanOptions& options) {
  const NamespaceSpec* net = spec.find_namespace(CLONE_NEWNET);
  if (!options.no_new_keyring) {
    const std::uint32_t name = plan.text("_ses." + options.id);
    plan.add(Op::Keyring, "").text[0] = name;
  }
  if (net != nullptr && net->path.empty()) plan.add(Op::Loopback, net->field);
  if (!spec.hostname.empty()) {
    const std::uint32_t name = plan.text(spec.hostname);
    plan.add(Op::Hostname, "/hostname").text[0] = name;
  }
  if (!spec.domainname.empty()) {
    const std::uint32_t name = plan.text(spec.domainname);
    plan.add(Op::Domainname, "/domainname").text[0] = name;
  }
}

void plan_sysctls(Plan& plan, const Spec& spec) {
  for (const auto& [written, value] : spec.sysctl) {
    std::string path = written;
    // Dots separate unless a slash comes first: then dots are part of a name.
    const std::size_t first = path.find_first_of("./");
    if (first != std::string::npos && path[first] == '.')
      for (char& c : path) c = c == '.' ? '/' : c == '/' ? '.' : c;
    const std::uint32_t name = plan.text(path);
    const std::uint32_t text = plan.text(value);
    wire::Step& step = plan.add(Op::Sysctl, "/linux/sysctl/" + written);
    step.text[0] = name;
    step.text[1] = text;
  }
}

// The document that hooks inside get, cut where the pid stands.
std::uint32_t hook_state(Plan& plan, const Spec& spec, const PlanOptions& options,
                         const std::string& status) {
  const std::string json = to_json(
      OciState{spec.oci_version, options.id, status, 424242424, options.bundle, spec.annotations});
  const std::size_t at = json.find("424242424");
  const std::uint32_t offset = plan.text(std::string_view(json).substr(0, at));
  plan.text(std::string_view(json).substr(at + 9));
  return offset;
}

void plan_hook(Plan& plan, const HookSpec& hook, std::uint32_t state) {
  const std::uint32_t path = plan.text(hook.path);
  const std::uint32_t argv =
      plan.pointer_array(hook.args.empty() ? std::vector<std::string>{hook.path} : hook.args);
  const std::uint32_t env = plan.pointer_array(hook.env);
  wire::Step& step = plan.add(Op::Hook, hook.field);
  step.text[0] = path;
  step.text[1] = argv;
  step.text[2] = env;
  step.text[3] = state;
  step.arg[0] = hook.timeout;
}

const std::vector<HookSpec>& hooks_of(const Spec& spec, HookKind kind) {
  static const std::vector<HookSpec> none;
  const auto it = spec.hooks.find(kind);
  return it == spec.hooks.end() ? none : it->second;
}

void plan_hooks(Plan& plan, const Spec& spec, const PlanOptions& options) {
  const auto& prestart = hooks_of(spec, HookKind::Prestart);
  const auto& runtime = hooks_of(spec, HookKind::CreateRuntime);
  if (!prestart.empty() || !runtime.empty() || !spec.net_devices.empty()) {
    plan.add(Op::AskHooks, !spec.net_devices.empty() ? "/linux/netDevices"
                           : prestart.empty()        ? "/hooks/createRuntime"
                                                     : "/hooks/prestart")
        .arg[0] = spec.net_devices.size();
    plan.asks_hooks = true;
  }
  const auto& inside = hooks_of(spec, HookKind::CreateContainer);
  if (inside.empty()) return;
  const std::uint32_t state = hook_state(plan, spec, options, "creating");
  for (const HookSpec& hook : inside) plan_hook(plan, hook, state);
}

void plan_paths(Plan& plan, const Spec& spec) {
  for (std::size_t i = 0; i < spec.readonly_paths.size(); ++i) {
    const std::uint32_t path = plan.text(spec.readonly_paths[i].substr(1));
    plan.add(Op::ReadonlyPath, "/linux/readonlyPaths/" + std::to_string(i)).text[0] = path;
  }
  for (std::size_t i = 0; i < spec.masked_paths.size(); ++i) {
    const std::uint32_t path = plan.text(spec.masked_paths[i].substr(1));
    plan.add(Op::Mask, "/linux/maskedPaths/" + std::to_string(i)).text[0] = path;
  }
}

void plan_console(Plan& plan, const ProcessSpec& process, bool on_dev_console) {
  const std::int32_t slot =
      plan.hand({.what = Handed::What::ConsoleSocket, .field = process.field + "/terminal"});
  const std::uint32_t path = plan.text("dev/console");
  wire::Step& step = plan.add(Op::Console, process.field + "/terminal");
  step.slot = slot;
  step.flags = on_dev_console ? 1 : 0;
  step.text[0] = path;
  step.arg[0] = process.rows | static_cast<std::uint64_t>(process.columns) << 16U;
  step.arg[1] = process.user.uid;
}

void plan_root_end(Plan& plan, const Spec& spec, const PlanOptions& options) {
  const bool own_mounts = spec.find_namespace(CLONE_NEWNS) != nullptr;
  plan.add(Op::Pivot, "/root/path").flags = options.no_pivot || !own_mounts ? 1 : 0;
  if (spec.root_propagation != 0) {
    const std::uint32_t path = plan.text("");
    wire::Step& step = plan.add(Op::MountPropagation, "/linux/rootfsPropagation");
    step.text[0] = path;
    step.flags = static_cast<std::uint32_t>(spec.root_propagation);
  }
  if (spec.root_readonly) {
    const std::uint32_t path = plan.text("");
    wire::Step& step = plan.add(Op::ReadonlyRoot, "/root/readonly");
    step.text[0] = path;
    step.arg[0] = MOUNT_ATTR_RDONLY;
  }
}

bool wants_proc(const Spec& spec) {
  return !spec.sysctl.empty() || (spec.process && (!spec.process->apparmor_profile.empty() ||
                                                   !spec.process->selinux_label.empty()));
}

std::vector<std::string> environment(const ProcessSpec& process, const PlanOptions& options) {
  std::vector<std::string> env = process.env;
  if (options.listen_fds != 0) {
    env.push_back("LISTEN_FDS=" + std::to_string(options.listen_fds));
    env.emplace_back("LISTEN_PID=1");
  }
  if (!options.notify_directory.empty()) env.emplace_back("NOTIFY_SOCKET=/run/notify/notify.sock");
  return env;
}

bool needs_home(const std::vector<std::string>& env) {
  for (const std::string& entry : env)
    if (entry.starts_with("HOME=") && entry.size() > 5) return false;
  return true;
}

void plan_program(Plan& plan, const ProcessSpec& process, const PlanOptions& options) {
  std::vector<std::string> env = environment(process, options);
  const bool home = needs_home(env);
  plan.set_program(process.args, std::move(env), home);
  if (home) plan.add(Op::Home, process.field + "/env").arg[0] = process.user.uid;
}

}  // namespace

Result<Plan> plan_start(const Spec& spec, const PlanOptions& options, const HostFacts& facts,
                        const SeccompProgram* program) {
  if (!spec.process)
    return Error{"config.json: /process: missing; start has nothing to run", 0, "", "/process"};
  const ProcessSpec& process = *spec.process;
  Plan plan;
  plan.add(Op::DieWithParent, "").arg[0] = 1;
  plan_cgroup(plan, facts);
  plan_namespaces(plan, spec);
  if (wants_proc(spec)) plan.add(Op::OpenProc, "");
  plan.add(Op::Session, "");
  plan_identity(plan, spec, options);
  TRY(plan_mounts(plan, spec, options, facts));
  if (process.cwd != "/") {
    const std::uint32_t cwd = plan.text(clean_path(process.cwd).substr(1));
    plan.add(Op::MakeDirectory, "/process/cwd").text[0] = cwd;
  }
  plan_hooks(plan, spec, options);
  if (options.console) plan_console(plan, process, true);
  plan_sysctls(plan, spec);
  plan_paths(plan, spec);
  plan_root_end(plan, spec, options);
  plan_program(plan, process, options);
  if (spec.memory_policy) TRY(plan_memory_policy(plan, *spec.memory_policy));
  if (spec.personality) plan.add(Op::Personality, "/linux/personality").arg[0] = *spec.personality;
  plan_session(plan, process);
  HostFacts inner = facts;
  inner.user_namespace |= spec.find_namespace(CLONE_NEWUSER) != nullptr;
  plan_credentials(plan, process, inner, program != nullptr && !process.no_new_privileges);
  plan.listener = program != nullptr && program->notify;
  const auto& inside = hooks_of(spec, HookKind::StartContainer);
  plan_last(plan, process, program, inside,
            inside.empty() ? 0 : hook_state(plan, spec, options, "created"));
  return plan;
}

Result<Plan> plan_exec(const ProcessSpec& process, const ExecTarget& target,
                       const PlanOptions& options, const HostFacts& facts,
                       const SeccompProgram* program) {
  Plan plan;
  plan.add(Op::DieWithParent, "").arg[0] = 1;
  TRY(plan_affinity(plan, process.initial_affinity, process.field + "/execCPUAffinity/initial"));
  plan_cgroup(plan, facts);
  if (!process.apparmor_profile.empty() || !process.selinux_label.empty())
    plan.add(Op::OpenProc, "");
  if (!target.root.empty()) {
    const std::int32_t root = plan.hand({.what = Handed::What::Directory, .path = target.root});
    wire::Step& step = plan.add(Op::AttachRoot, "/root/path");
    step.slot = root;
    step.flags = 1;
    plan.add(Op::Pivot, "/root/path").flags = 1;
  }
  if (target.namespaces != 0) {
    const std::int32_t slot = plan.hand({.what = Handed::What::Process});
    wire::Step& join = plan.add(Op::JoinProcess, "/linux/namespaces");
    join.slot = slot;
    join.flags = static_cast<std::uint32_t>(target.namespaces);
  }
  if ((target.namespaces & CLONE_NEWUSER) != 0)
    plan.add(Op::BecomeRoot, "/linux/namespaces").flags = 1;
  // Always: the process must be born inside, where the host's binary was never seen.
  plan.add(Op::Fork, "/linux/namespaces");
  plan.forks = true;
  plan.add(Op::Session, "");
  if (!options.no_new_keyring) {
    const std::uint32_t name = plan.text("_ses." + options.id);
    plan.add(Op::Keyring, "").text[0] = name;
  }
  if (options.console) plan_console(plan, process, false);
  plan_program(plan, process, options);
  TRY(plan_affinity(plan, process.final_affinity, process.field + "/execCPUAffinity/final"));
  plan_session(plan, process);
  HostFacts inner = facts;
  inner.user_namespace |= (target.namespaces & CLONE_NEWUSER) != 0;
  plan_credentials(plan, process, inner, program != nullptr && !process.no_new_privileges);
  plan.listener = program != nullptr && program->notify;
  plan_last(plan, process, program, {}, 0);
  return plan;
}

void plan_last(Plan& plan, const ProcessSpec& process, const SeccompProgram* program,
               const std::vector<HookSpec>& start_hooks, std::uint32_t state) {
  plan.add(Op::FindProgram, process.field + "/args/0");
  plan.add(Op::Ready, "");
  if (program != nullptr) {
    const std::uint32_t filter =
        plan.bytes(program->filter.data(), program->filter.size() * sizeof program->filter[0]);
    wire::Step& step = plan.add(Op::Seccomp, "/linux/seccomp");
    step.text[0] = filter;
    step.arg[0] = program->filter.size();
    step.flags = program->flags;
    if (!process.no_new_privileges) {
      // The second time, without what the filter needed.
      for (const PlannedStep& planned : plan.steps) {
        if (planned.step.op != Op::Capabilities) continue;
        PlannedStep again = planned;
        again.step.arg[0] = 0;
        again.step.flags = 1;
        plan.steps.push_back(again);
        break;
      }
    }
  }
  for (const HookSpec& hook : start_hooks) plan_hook(plan, hook, state);
  plan.add(Op::Execute, process.field + "/args/0");
}
