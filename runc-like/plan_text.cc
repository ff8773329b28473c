// SPDX-License-Identifier: Apache-2.0
// A step in words: for `explain` before, for the error after.
#include <linux/mount.h>
#include <sys/mount.h>

#include "capability.h"
#include "mount_options.h"
#include "plan.h"
#include "table_mount_options.h"
#include "table_names.h"

using wire::Op;

namespace {

struct StepName {
  Op op;
  std::string_view name;
};
constexpr auto kStepNames = std::to_array<StepName>({
    {Op::DieWithParent, "die-with-parent"},
    {Op::AwaitGo, "await"},
    {Op::OpenProc, "open-proc"},
    {Op::EnterCgroup, "enter-cgroup"},
    {Op::JoinNamespace, "join"},
    {Op::JoinProcess, "join"},
    {Op::BecomeRoot, "become-root"},
    {Op::Unshare, "unshare"},
    {Op::Fork, "fork"},
    {Op::Session, "session"},
    {Op::Keyring, "keyring"},
    {Op::Loopback, "loopback"},
    {Op::Hostname, "hostname"},
    {Op::Domainname, "domainname"},
    {Op::Propagation, "propagation"},
    {Op::AttachRoot, "root"},
    {Op::MountFs, "mount"},
    {Op::MountTree, "mount"},
    {Op::MakeDirectory, "directory"},
    {Op::MountPropagation, "propagation"},
    {Op::Attributes, "remount"},
    {Op::Device, "device"},
    {Op::DeviceTree, "device"},
    {Op::Symlink, "link"},
    {Op::Console, "console"},
    {Op::Mask, "mask"},
    {Op::ReadonlyPath, "readonly-path"},
    {Op::AskHooks, "hooks"},
    {Op::Hook, "hook"},
    {Op::Pivot, "pivot"},
    {Op::ReadonlyRoot, "readonly-root"},
    {Op::Sysctl, "sysctl"},
    {Op::Rlimit, "rlimit"},
    {Op::Scheduler, "scheduler"},
    {Op::IoPriority, "io-priority"},
    {Op::Affinity, "affinity"},
    {Op::MemoryPolicy, "memory-policy"},
    {Op::Personality, "personality"},
    {Op::Umask, "umask"},
    {Op::OwnStdio, "own-stdio"},
    {Op::WorkingDirectory, "cwd"},
    {Op::Home, "home"},
    {Op::Label, "label"},
    {Op::Bounding, "bounding-set"},
    {Op::User, "user"},
    {Op::Capabilities, "capabilities"},
    {Op::NoNewPrivileges, "no-new-privileges"},
    {Op::Seccomp, "seccomp"},
    {Op::FindProgram, "find-program"},
    {Op::Ready, "ready"},
    {Op::Execute, "execute"},
});

std::string quoted(std::string_view text) {
  return "'" + std::string(text) + "'";
}

std::string octal(std::uint64_t value) {
  std::string out;
  do {
    out.insert(out.begin(), static_cast<char>('0' + value % 8));
    value /= 8;
  } while (value != 0);
  return "0" + out;
}

std::string namespaces(std::uint64_t flags) {
  std::string out;
  for (const NamespaceName& row : kNamespaces)
    if ((flags & row.flag) != 0) out.append(out.empty() ? "" : ", ").append(row.name);
  return out.empty() ? "none" : out;
}

std::string attributes(std::uint64_t set, OptionKind kind) {
  std::string out;
  for (const MountOption& row : kMountOptions)
    if (row.kind == kind && row.value != 0 && (set & row.value) == row.value &&
        !row.name.starts_with("norelatime") && !row.name.starts_with("rnorelatime"))
      out.append(",").append(row.name);
  return out;
}

std::string propagation(std::uint64_t flags) {
  for (const MountOption& row : kMountOptions)
    if (row.kind == OptionKind::Propagation && row.value == flags) return std::string(row.name);
  return "private";
}

std::string capability_list(std::uint64_t set) {
  std::string out;
  for (const std::string& name : capability_names(set))
    out.append(out.empty() ? "" : " ").append(name);
  return out.empty() ? "none" : out;
}

std::string in_container(std::string_view path) {
  return quoted("/" + std::string(path));
}

std::string data_words(const Plan& plan, std::uint32_t offset) {
  std::string out;
  for (const MountWord& word : decode_words(plan, offset)) out.append(",").append(word.text);
  return out;
}

std::string options_text(const std::string& words) {
  return words.empty() ? "" : " (" + words.substr(1) + ")";
}

std::string describe_mount(const Plan& plan, const wire::Step& step) {
  const std::string target = in_container(plan.text_at(step.text[0]));
  if (step.op == Op::MountFs)
    return "mount " + quoted(plan.text_at(step.text[1])) + " on " + target +
           options_text(attributes(step.arg[0], OptionKind::Set) + data_words(plan, step.text[3]));
  if (step.op == Op::MountTree)
    return "bind " + quoted(plan.text_at(step.text[2])) + " on " + target +
           options_text(attributes(step.arg[0], OptionKind::Set) +
                        attributes(step.arg[2] & UINT32_MAX, OptionKind::SetAll) +
                        ((step.flags & wire::kMountCopyLink) != 0 ? ",copy-symlink" : "") +
                        ((step.flags & wire::kMountAtLink) != 0 ? ",dest-nofollow" : ""));
  if (step.op == Op::MountPropagation)
    return "make mount " + target + " " + propagation(step.flags);
  return "set" + options_text(attributes(step.arg[0], OptionKind::Set)) + " on mount " + target;
}

// Each function knows the steps of its group; the others are not its own.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wswitch-enum"

std::string describe_process(const Plan& plan, const wire::Step& step) {
  const auto first = [&] { return quoted(plan.text_at(step.text[0])); };
  switch (step.op) {
    case Op::DieWithParent:
      return "end with the parent until created";
    case Op::AwaitGo:
      return "wait for the parent to make the cgroup";
    case Op::OpenProc:
      return "open a procfs of our own";
    case Op::EnterCgroup:
      return "enter the cgroup";
    case Op::JoinNamespace:
      return "join " + namespaces(step.flags) + " namespace " + first();
    case Op::JoinProcess:
      return "join the container's namespaces: " + namespaces(step.flags);
    case Op::BecomeRoot:
      return "become root of the user namespace";
    case Op::Unshare:
      return "make new namespaces: " + namespaces(step.flags);
    case Op::Fork:
      return "go on in a new process; new namespaces: " + namespaces(step.flags);
    case Op::Session:
      return "start a session";
    case Op::Keyring:
      return "join session keyring " + first();
    case Op::Loopback:
      return "bring up the loopback interface";
    case Op::Hostname:
      return "set hostname " + first();
    case Op::Domainname:
      return "set domainname " + first();
    case Op::Propagation:
      return "make the host's mounts " + propagation(step.flags);
    default:
      return std::string(step_name(step.op));
  }
}

std::string describe_root(const Plan& plan, const wire::Step& step) {
  const auto path = [&] { return in_container(plan.text_at(step.text[0])); };
  switch (step.op) {
    case Op::AttachRoot:
      return step.flags != 0 ? "open the root directory" : "mount the root file system";
    case Op::MakeDirectory:
      return "make directory " + path();
    case Op::Device:
      return "make device " + path() + " mode " + octal(step.flags & 07777U);
    case Op::DeviceTree:
      return "bind the host's device on " + path();
    case Op::Symlink:
      return "link " + path() + " to " + quoted(plan.text_at(step.text[1]));
    case Op::Console:
      return "open a terminal and send it to the console socket";
    case Op::Mask:
      return "mask " + path();
    case Op::ReadonlyPath:
      return "make " + path() + " read-only";
    case Op::AskHooks:
      return std::string("let the parent ") +
             (step.arg[0] == 0 ? "" : "move network devices and ") +
             "run the prestart and createRuntime hooks";
    case Op::Hook:
      return "run hook " + quoted(plan.text_at(step.text[0]));
    case Op::Pivot:
      return step.flags != 0 ? "make it the root (chroot)" : "make it the root (pivot_root)";
    case Op::ReadonlyRoot:
      return "make the root read-only";
    default:
      return describe_mount(plan, step);
  }
}

std::string describe_limits(const Plan& plan, const wire::Step& step) {
  const auto first = [&] { return quoted(plan.text_at(step.text[0])); };
  switch (step.op) {
    case Op::Sysctl:
      return "set sysctl " + first() + " to " + quoted(plan.text_at(step.text[1]));
    case Op::Rlimit:
      for (const RlimitName& row : kRlimits)
        if (row.resource == static_cast<int>(step.flags))
          return "set " + std::string(row.name) + " to " + std::to_string(step.arg[0]) + ":" +
                 std::to_string(step.arg[1]);
      return "set an rlimit";
    case Op::Scheduler:
      return "set the scheduler";
    case Op::IoPriority:
      return "set the I/O priority";
    case Op::Affinity:
      return "set the CPU affinity";
    case Op::MemoryPolicy:
      return "set the memory policy";
    case Op::Personality:
      return "set the personality " + std::to_string(step.arg[0]);
    case Op::Umask:
      return "set umask " + octal(step.flags);
    case Op::OwnStdio:
      return "give stdin, stdout and stderr to the user";
    case Op::WorkingDirectory:
      return "chdir to cwd (" + first() + ")";
    case Op::Home:
      return "set HOME from /etc/passwd";
    case Op::Label:
      return "set LSM label " + quoted(plan.text_at(step.text[1]));
    default:
      return std::string(step_name(step.op));
  }
}

std::string describe_end(const Plan& plan, const wire::Step& step) {
  switch (step.op) {
    case Op::Bounding:
      return "limit the capability bounding set to: " + capability_list(step.arg[0]);
    case Op::User:
      return "become user " + std::to_string(step.arg[0] & UINT32_MAX) + ":" +
             std::to_string(step.arg[0] >> 32U);
    case Op::Capabilities: {
      const auto* sets = reinterpret_cast<const wire::CapabilitySets*>(plan.data_at(step.text[0]));
      return "set capabilities: " + capability_list(sets->permitted | step.arg[0]);
    }
    case Op::NoNewPrivileges:
      return "set no_new_privs";
    case Op::Seccomp:
      return "load the seccomp filter (" + std::to_string(step.arg[0]) + " instructions)";
    case Op::FindProgram:
      return "find program " + quoted(plan.program());
    case Op::Ready:
      return "created: wait for start";
    case Op::Execute:
      return "execute " + quoted(plan.program());
    default:
      return std::string(step_name(step.op));
  }
}

#pragma GCC diagnostic pop

}  // namespace

std::string_view step_name(Op op) {
  for (const StepName& row : kStepNames)
    if (row.op == op) return row.name;
  return "step";
}

std::string describe_step(const Plan& plan, const PlannedStep& planned) {
  const Op op = planned.step.op;
  if (op <= Op::Propagation) return describe_process(plan, planned.step);
  if (op <= Op::ReadonlyRoot) return describe_root(plan, planned.step);
  if (op <= Op::Label) return describe_limits(plan, planned.step);
  return describe_end(plan, planned.step);
}
