// SPDX-License-Identifier: Apache-2.0
#include "plan.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <cstring>

#include "init/protocol.h"
#include "table_mount_options.h"
#include "table_names.h"

namespace {

using wire::Op;

Spec spec_with(const std::string& more, const std::string& process = "") {
  auto spec = parse_spec(
      "config.json",
      R"({"ociVersion":"1.2.0","root":{"path":"rootfs"},"process":{"cwd":"/","args":["sh"])" +
          process + "}," + more + "}");
  EXPECT_TRUE(spec) << spec.error().text();
  return *spec;
}

const std::string kMountOnly = R"("linux":{"namespaces":[{"type":"mount"}]})";

Plan plan_of(const Spec& spec, const HostFacts& facts = {}) {
  PlanOptions options;
  options.id = "test";
  options.bundle = "/b";
  options.rootfs = "/b/rootfs";
  auto plan = plan_start(spec, options, facts, nullptr);
  EXPECT_TRUE(plan) << plan.error().text();
  return std::move(*plan);
}

std::string error_of(const Spec& spec) {
  PlanOptions options;
  options.bundle = "/b";
  auto plan = plan_start(spec, options, {}, nullptr);
  return plan ? "planned" : plan.error().text();
}

int position(const Plan& plan, Op op) {
  for (std::size_t i = 0; i < plan.steps.size(); ++i)
    if (plan.steps[i].step.op == op) return static_cast<int>(i);
  return -1;
}

TEST(Plan, EndsWithReadyAndExecute) {
  const Plan plan = plan_of(spec_with(kMountOnly));
  EXPECT_EQ(plan.steps.back().step.op, Op::Execute);
  EXPECT_EQ(plan.steps[plan.steps.size() - 2].step.op, Op::Ready);
}

TEST(Plan, MountsBeforePivotAndDropsPowerAfterwards) {
  const Plan plan = plan_of(spec_with(
      R"("mounts":[{"destination":"/proc","type":"proc","source":"proc"}],)" + kMountOnly));
  EXPECT_LT(position(plan, Op::AttachRoot), position(plan, Op::MountFs));
  EXPECT_LT(position(plan, Op::MountFs), position(plan, Op::Pivot));
  EXPECT_LT(position(plan, Op::Pivot), position(plan, Op::Bounding));
  EXPECT_LT(position(plan, Op::Bounding), position(plan, Op::User));
  EXPECT_LT(position(plan, Op::User), position(plan, Op::Capabilities));
  EXPECT_LT(position(plan, Op::Capabilities), position(plan, Op::FindProgram));
}

TEST(Plan, RemembersTheFieldOfEachMount) {
  const Plan plan = plan_of(spec_with(
      R"("mounts":[{"destination":"/tmp","type":"tmpfs","source":"tmpfs","options":["nosuid","size=1m"]}],)" +
      kMountOnly));
  const PlannedStep& step = plan.steps[static_cast<std::size_t>(position(plan, Op::MountFs))];
  EXPECT_EQ(step.field, "/mounts/0");
  EXPECT_EQ(describe_step(plan, step), "mount 'tmpfs' on '/tmp' (nosuid,size=1m)");
}

TEST(Plan, EntersTheCgroupBeforeItsNamespaceIsMade) {
  HostFacts facts;
  facts.cgroup_tasks = 2;
  const Plan plan =
      plan_of(spec_with(R"("linux":{"namespaces":[{"type":"mount"},{"type":"cgroup"}]})"), facts);
  EXPECT_LT(position(plan, Op::EnterCgroup), position(plan, Op::Unshare));
  EXPECT_EQ(plan.clone_flags, static_cast<std::uint64_t>(CLONE_NEWNS));
}

TEST(Plan, ForksWhenAPidNamespaceIsJoined) {
  const Plan plan = plan_of(spec_with(
      R"("linux":{"namespaces":[{"type":"mount"},{"type":"pid","path":"/proc/1/ns/pid"}]})"));
  EXPECT_TRUE(plan.forks);
  EXPECT_LT(position(plan, Op::JoinNamespace), position(plan, Op::Fork));
}

// The parent enters it first, and leaves it: that needs memory of its own.
TEST(Plan, TimeNamespacesAreNotMadeByClone) {
  const Plan plan =
      plan_of(spec_with(R"("linux":{"namespaces":[{"type":"mount"},{"type":"time"}]})"));
  EXPECT_TRUE(plan.new_time);
  EXPECT_EQ(plan.clone_flags & CLONE_NEWTIME, 0U);
  EXPECT_FALSE(plan_of(spec_with(kMountOnly)).new_time);
}

TEST(Plan, BindsDevicesInAUserNamespace) {
  const Plan plan = plan_of(spec_with(R"("linux":{"namespaces":[{"type":"mount"},{"type":"user"}],)"
                                      R"("uidMappings":[{"containerID":0,"hostID":1,"size":1}],)"
                                      R"("gidMappings":[{"containerID":0,"hostID":1,"size":1}]})"));
  EXPECT_TRUE(plan.new_user);
  EXPECT_EQ(position(plan, Op::Device), -1);
  EXPECT_NE(position(plan, Op::DeviceTree), -1);
}

TEST(Plan, WithoutAMountNamespaceChangesTheRootOnly) {
  const Plan plan = plan_of(spec_with(R"("linux":{"namespaces":[{"type":"pid"}]})"));
  EXPECT_EQ(position(plan, Op::Propagation), -1);
  EXPECT_EQ(plan.handed[0].what, Handed::What::Directory);
  const auto at = static_cast<std::size_t>(position(plan, Op::Pivot));
  EXPECT_EQ(describe_step(plan, plan.steps[at]), "make it the root (chroot)");
}

TEST(Plan, JoinsAMountNamespaceBeforeItMounts) {
  const Plan plan =
      plan_of(spec_with(R"("linux":{"namespaces":[{"type":"mount","path":"/run/ns"}]})"));
  EXPECT_LT(position(plan, Op::JoinNamespace), position(plan, Op::AttachRoot));
  EXPECT_EQ(plan.clone_flags, 0U);
}

const wire::Step& step_of(const Plan& plan, Op op) {
  return plan.steps.at(static_cast<std::size_t>(position(plan, op))).step;
}

TEST(Plan, HandsTheMemoryPolicyToTheKernelAsItTakesIt) {
  const Plan plan = plan_of(
      spec_with(R"("linux":{"namespaces":[{"type":"mount"}],"memoryPolicy":{"mode":"MPOL_BIND",
                "nodes":"0,2","flags":["MPOL_F_STATIC_NODES"]}})"));
  const wire::Step& step = step_of(plan, Op::MemoryPolicy);
  EXPECT_EQ(step.flags, 2U | 1U << 15U);
  EXPECT_EQ(*plan.data_at(step.text[0]), 5);
  EXPECT_EQ(step.arg[0], 65U) << "bits, and one more: so the system call counts";
}

TEST(Plan, LabelsTheProcessAndItsMounts) {
  const Plan plan = plan_of(spec_with(
      R"("mounts":[{"destination":"/tmp","type":"tmpfs","source":"tmpfs"}],
         "linux":{"namespaces":[{"type":"mount"}],"mountLabel":"m_t"})",
      R"(,"apparmorProfile":"tight","selinuxLabel":"p_t")"));
  EXPECT_NE(position(plan, Op::OpenProc), -1);
  std::string labels;
  for (const PlannedStep& step : plan.steps)
    if (step.step.op == Op::Label)
      labels.append(plan.text_at(step.step.text[0]))
          .append("=")
          .append(plan.text_at(step.step.text[1])) += ';';
  EXPECT_EQ(labels, "apparmor/exec=exec tight;exec=p_t;");
  const PlannedStep& tmp = plan.steps[static_cast<std::size_t>(position(plan, Op::MountFs))];
  EXPECT_EQ(describe_step(plan, tmp), "mount 'tmpfs' on '/tmp' (context=m_t)");
}

TEST(Plan, SchedulesByDeadline) {
  const Plan plan = plan_of(spec_with(
      kMountOnly, R"(,"scheduler":{"policy":"SCHED_DEADLINE","flags":["SCHED_FLAG_RECLAIM"],
                      "runtime":1000,"deadline":2000,"period":3000})"));
  struct Attributes {
    std::uint32_t size, policy;
    std::uint64_t flags;
    std::int32_t nice;
    std::uint32_t priority;
    std::uint64_t runtime, deadline, period;
  } attributes = {};
  std::memcpy(&attributes, plan.data_at(step_of(plan, Op::Scheduler).text[0]), sizeof attributes);
  EXPECT_EQ(attributes.size, sizeof attributes);
  EXPECT_EQ(attributes.policy, 6U);
  EXPECT_EQ(attributes.flags, 2U);
  EXPECT_EQ(attributes.runtime, 1000U);
  EXPECT_EQ(attributes.deadline, 2000U);
  EXPECT_EQ(attributes.period, 3000U);
}

TEST(Plan, MakesTheConsoleAsLargeAsAsked) {
  PlanOptions options;
  options.bundle = "/b";
  options.console = true;
  const auto plan = plan_start(
      spec_with(kMountOnly, R"(,"terminal":true,"consoleSize":{"height":33,"width":111})"), options,
      {}, nullptr);
  EXPECT_EQ(step_of(*plan, Op::Console).arg[0], 33U | 111U << 16U);
}

TEST(Plan, LeavesTheOldRootWhereItIsWithoutPivot) {  // --no-pivot
  PlanOptions options;
  options.bundle = "/b";
  options.no_pivot = true;
  const auto plan = plan_start(spec_with(kMountOnly), options, {}, nullptr);
  EXPECT_EQ(step_of(*plan, Op::Pivot).flags, 1U);
  EXPECT_EQ(step_of(plan_of(spec_with(kMountOnly)), Op::Pivot).flags, 0U);
}

TEST(Plan, GivesHomeAPlaceOnlyWhenItIsMissing) {
  EXPECT_NE(position(plan_of(spec_with(kMountOnly)), Op::Home), -1);
  EXPECT_EQ(position(plan_of(spec_with(kMountOnly, R"(,"env":["HOME=/x"])")), Op::Home), -1);
  EXPECT_NE(position(plan_of(spec_with(kMountOnly, R"(,"env":["HOME="])")), Op::Home), -1);
}

TEST(Plan, RefusesMountsThatCoverProc) {
  const auto with = [](const std::string& mount) {
    return error_of(spec_with(R"("mounts":[)" + mount + "]," + kMountOnly));
  };
  EXPECT_NE(with(R"({"destination":"/proc","type":"tmpfs","source":"x"})"), "planned");
  EXPECT_NE(with(R"({"destination":"/proc/self/attr","type":"tmpfs","source":"x"})"), "planned");
  EXPECT_NE(with(R"({"destination":"/x/../proc/sys","type":"tmpfs","source":"x"})"), "planned");
  EXPECT_EQ(
      with(R"({"destination":"/proc/uptime","type":"bind","source":"/x","options":["bind"]})"),
      "planned");
}

TEST(Plan, OffersTheNearestMountOption) {
  EXPECT_NE(
      error_of(spec_with(
                   R"("mounts":[{"destination":"/x","source":"/y","options":["bind","nosiud"]}],)" +
                   kMountOnly))
          .find("did you mean 'nosuid'?"),
      std::string::npos);
}

TEST(Plan, SerialisesWhatInitExpects) {
  const Plan plan = plan_of(spec_with(kMountOnly));
  const std::string block = plan.serialise(20, 0, true);
  wire::PlanHeader header = {};
  std::memcpy(&header, block.data(), sizeof header);
  EXPECT_EQ(header.magic, wire::kMagic);
  EXPECT_EQ(header.size, block.size());
  EXPECT_EQ(header.step_count, plan.steps.size());
  EXPECT_EQ(header.steps % 8, 0U);
  EXPECT_EQ(header.first_slot, 20);
}

TEST(CpuMask, ReadsListsAndRanges) {
  EXPECT_EQ(cpu_mask("0,2-3")->at(0), 0x0d);
  EXPECT_EQ(cpu_mask("64")->size(), 16U);
  EXPECT_FALSE(cpu_mask("3-1"));
  EXPECT_FALSE(cpu_mask("x"));
}

TEST(Signal, IsKnownInEveryForm) {
  EXPECT_EQ(signal_number("KILL"), 9);
  EXPECT_EQ(signal_number("sigterm"), 15);
  EXPECT_EQ(signal_number("SIGRTMIN+3"), 37);
  EXPECT_EQ(signal_number("RTMAX"), 64);
  EXPECT_EQ(signal_number("0"), 0);
  EXPECT_FALSE(signal_number("65"));
  EXPECT_FALSE(signal_number("SIGSIGKILL"));
}

TEST(Protocol, AllowsWhatTheDrawingShowsAndNothingElse) {
  wire::State out = wire::State::Cloned;
  EXPECT_TRUE(wire::allowed(wire::State::Cloned, wire::From::Init, wire::Msg::Ready, &out));
  EXPECT_EQ(out, wire::State::Created);
  EXPECT_FALSE(wire::allowed(wire::State::Created, wire::From::Init, wire::Msg::Hooks, &out));
  EXPECT_FALSE(wire::allowed(wire::State::Cloned, wire::From::Parent, wire::Msg::Ready, &out));
}

TEST(Distance, CountsAnExchangeAsOne) {
  EXPECT_EQ(distance("nosiud", "nosuid"), 1U);
  EXPECT_EQ(distance("", "abc"), 3U);
  EXPECT_EQ(distance("same", "same"), 0U);
}

}  // namespace
