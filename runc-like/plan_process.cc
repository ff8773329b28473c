// SPDX-License-Identifier: Apache-2.0
// What the container's process is given: limits, scheduling, user, capabilities.
#include <linux/capability.h>
#include <sys/mount.h>

#include <charconv>

#include "plan.h"

using wire::Op;

namespace {

// <linux/sched/types.h> and the C library both define sched_param.
struct SchedulerAttributes {
  std::uint32_t size;
  std::uint32_t policy;
  std::uint64_t flags;
  std::int32_t nice;
  std::uint32_t priority;
  std::uint64_t runtime;
  std::uint64_t deadline;
  std::uint64_t period;
};

}  // namespace

Result<std::string> cpu_mask(std::string_view list) {
  std::string mask;
  while (!list.empty()) {
    const std::string_view part = list.substr(0, list.find(','));
    list.remove_prefix(std::min(list.size(), part.size() + 1));
    unsigned first = 0;
    const char* end = part.data() + part.size();
    auto read = std::from_chars(part.data(), end, first);
    unsigned last = first;
    if (read.ec == std::errc() && read.ptr != end && *read.ptr == '-')
      read = std::from_chars(read.ptr + 1, end, last);
    if (read.ec != std::errc() || read.ptr != end || last < first || last > 65535)
      return Error{"'" + std::string(part) + "' is no number and no range"};
    for (unsigned bit = first; bit <= last; ++bit) {
      if (mask.size() <= bit / 8) mask.resize((bit / 64 + 1) * 8, '\0');
      mask[bit / 8] = static_cast<char>(mask[bit / 8] | 1 << (bit % 8));
    }
  }
  return mask;
}

Result<void> plan_affinity(Plan& plan, const std::string& list, const std::string& field) {
  if (list.empty()) return {};
  auto mask = cpu_mask(list);
  if (!mask) return std::move(mask).error().in("config.json: " + field).at_field(field);
  const std::uint32_t offset = plan.bytes(mask->data(), mask->size());
  wire::Step& step = plan.add(Op::Affinity, field);
  step.text[0] = offset;
  step.arg[0] = mask->size();
  return {};
}

Result<void> plan_memory_policy(Plan& plan, const MemoryPolicySpec& policy) {
  const std::string field = "/linux/memoryPolicy";
  auto mask = cpu_mask(policy.nodes);
  if (!mask) return std::move(mask).error().in("config.json: " + field + "/nodes").at_field(field);
  const std::uint32_t offset = mask->empty() ? 0 : plan.bytes(mask->data(), mask->size());
  wire::Step& step = plan.add(Op::MemoryPolicy, field);
  step.flags = policy.mode;
  step.text[0] = offset;
  step.arg[0] = mask->empty() ? 0 : mask->size() * 8 + 1;
  return {};
}

void plan_session(Plan& plan, const ProcessSpec& process) {
  for (const RlimitSpec& limit : process.rlimits) {
    wire::Step& step = plan.add(Op::Rlimit, limit.field);
    step.flags = static_cast<std::uint32_t>(limit.resource);
    step.arg[0] = limit.soft;
    step.arg[1] = limit.hard;
  }
  if (process.scheduler) {
    const SchedulerSpec& s = *process.scheduler;
    const SchedulerAttributes attr = {sizeof attr, s.policy,  s.flags,    s.nice,
                                      s.priority,  s.runtime, s.deadline, s.period};
    const std::uint32_t offset = plan.bytes(&attr, sizeof attr);
    plan.add(Op::Scheduler, process.field + "/scheduler").text[0] = offset;
  }
  if (process.io_priority)
    plan.add(Op::IoPriority, process.field + "/ioPriority").arg[0] =
        static_cast<std::uint64_t>(*process.io_priority);
  if (process.user.umask)
    plan.add(Op::Umask, process.field + "/user/umask").flags = *process.user.umask;
}

namespace {

void plan_user(Plan& plan, const ProcessSpec& process, const HostFacts& facts) {
  const User& user = process.user;
  const std::uint32_t groups =
      plan.bytes(user.groups.data(), user.groups.size() * sizeof(std::uint32_t));
  wire::Step& step = plan.add(Op::User, process.field + "/user");
  step.arg[0] = user.uid | static_cast<std::uint64_t>(user.gid) << 32U;
  step.arg[1] = user.groups.size();
  step.text[0] = groups;
  step.flags = facts.user_namespace ? 1 : 0;
}

void plan_labels(Plan& plan, const ProcessSpec& process) {
  const auto label = [&](std::string_view file, const std::string& value, const char* key) {
    const std::uint32_t name = plan.text(file);
    const std::uint32_t text = plan.text(value);
    wire::Step& step = plan.add(Op::Label, process.field + key);
    step.text[0] = name;
    step.text[1] = text;
  };
  if (!process.apparmor_profile.empty())
    label("apparmor/exec", "exec " + process.apparmor_profile, "/apparmorProfile");
  if (!process.selinux_label.empty()) label("exec", process.selinux_label, "/selinuxLabel");
}

}  // namespace

void plan_credentials(Plan& plan, const ProcessSpec& process, const HostFacts& facts,
                      bool filter_needs_admin) {
  const Capabilities sets = process.capabilities.value_or(Capabilities{});
  const std::string field = process.field + "/capabilities";
  if (process.user.uid != 0)
    plan.add(Op::OwnStdio, process.field + "/user").arg[0] = process.user.uid;
  const std::uint32_t cwd = plan.text(clean_path(process.cwd));
  plan.add(Op::WorkingDirectory, process.field + "/cwd").text[0] = cwd;
  plan_labels(plan, process);
  plan.add(Op::Bounding, field + "/bounding").arg[0] = sets.bounding;
  plan_user(plan, process, facts);
  const wire::CapabilitySets wanted = {sets.effective, sets.permitted, sets.inheritable,
                                       sets.ambient};
  const std::uint32_t offset = plan.bytes(&wanted, sizeof wanted);
  wire::Step& step = plan.add(Op::Capabilities, field);
  step.text[0] = offset;
  step.arg[0] = filter_needs_admin ? std::uint64_t{1} << CAP_SYS_ADMIN : 0;
  wire::Step& last = plan.add(Op::WorkingDirectory, process.field + "/cwd");
  last.text[0] = cwd;
  last.flags = 1;
  if (process.no_new_privileges) plan.add(Op::NoNewPrivileges, process.field + "/noNewPrivileges");
}
