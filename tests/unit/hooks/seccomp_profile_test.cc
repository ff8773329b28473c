// SPDX-License-Identifier: Apache-2.0
#include "seccomp_profile.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "seccomp_calls.h"

namespace {

constexpr const char* kArch = "SCMP_ARCH_X86_64";

Learnt learnt_from(const std::vector<std::pair<std::string, CallArguments>>& calls) {
  Learnt out;
  for (const auto& [name, arguments] : calls) (void)out.add(kArch, name, arguments);
  return out;
}

TEST(Learnt, OnlyNewsIsNews) {
  Learnt learnt;
  EXPECT_TRUE(learnt.add(kArch, "openat", {1}));
  EXPECT_FALSE(learnt.add(kArch, "openat", {2}));
  EXPECT_TRUE(learnt.add(kArch, "socket", {1}));
  EXPECT_TRUE(learnt.add(kArch, "socket", {2}));
  EXPECT_FALSE(learnt.add(kArch, "socket", {2 | std::uint64_t{1} << 40}));  // an int to the kernel
}

TEST(Learnt, TooManyValuesAreAnyValue) {
  Learnt learnt;
  for (std::uint64_t i = 0; i < 100; ++i) (void)learnt.add(kArch, "ioctl", {0, i});
  EXPECT_TRUE(learnt.calls["ioctl"].any_value);
  EXPECT_TRUE(learnt.calls["ioctl"].values.empty());
}

TEST(ProfileJson, ThereAndBack) {
  Learnt learnt = learnt_from({{"openat", {}}, {"socket", {1}}, {"socket", {10}}, {"clone", {17}}});
  add_unlearnable(learnt);
  const auto again = parse_learnt("p", profile_json(learnt, ProfileForm::Oci));
  ASSERT_TRUE(again) << again.error().text();
  EXPECT_EQ(again->architectures, learnt.architectures);
  EXPECT_EQ(again->calls.size(), learnt.calls.size());
  EXPECT_EQ(again->calls.at("socket").values, (std::set<std::uint64_t>{1, 10}));
  EXPECT_TRUE(again->calls.at("write").any_value);
  EXPECT_NE(profile_json(learnt, ProfileForm::Docker).find("\"archMap\""), std::string::npos);
}

TEST(Profile, AllowsWhatWasLearntAndNothingElse) {
  const Learnt learnt = learnt_from({{"openat", {}}, {"socket", {1}}, {"clone", {17}}});
  const auto profile = Profile::parse("p", profile_json(learnt, ProfileForm::Oci), {});
  ASSERT_TRUE(profile) << profile.error().text();
  EXPECT_TRUE(profile->allows("openat", {}));
  EXPECT_TRUE(profile->allows("socket", {1}));
  EXPECT_FALSE(profile->allows("socket", {2}));
  EXPECT_TRUE(profile->allows("clone", {0x11}));
  EXPECT_FALSE(profile->allows("clone", {0x10000000}));  // CLONE_NEWUSER
  EXPECT_FALSE(profile->allows("mount", {}));
  EXPECT_TRUE(denied_by(*profile, learnt).empty());
  EXPECT_EQ(denied_by(*profile, learnt_from({{"mount", {}}, {"socket", {2}}, {"openat", {}}})),
            (std::vector<std::string>{"mount", "socket"}));
}

TEST(Profile, DockersConditions) {
  constexpr const char* kText = R"({"defaultAction":"SCMP_ACT_ERRNO","syscalls":[
    {"names":["read"],"action":"SCMP_ACT_ALLOW","includes":{},"excludes":{}},
    {"names":["mount"],"action":"SCMP_ACT_ALLOW","includes":{"caps":["CAP_SYS_ADMIN"]}},
    {"names":["personality"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":8,"op":"SCMP_CMP_EQ"}]},
    {"names":["bpf"],"action":"SCMP_ACT_ERRNO","excludes":{"caps":["CAP_BPF"]}}]})";
  const auto plain = Profile::parse("p", kText, {});
  const auto admin = Profile::parse("p", kText, {"CAP_SYS_ADMIN"});
  ASSERT_TRUE(plain && admin);
  EXPECT_TRUE(plain->allows("read", {}));
  EXPECT_FALSE(plain->allows("mount", {}));
  EXPECT_TRUE(admin->allows("mount", {}));
  EXPECT_TRUE(plain->allows("personality", {8}));
  EXPECT_FALSE(plain->allows("personality", {9}));
  EXPECT_FALSE(plain->allows("bpf", {}));
  EXPECT_EQ(Profile::parse("p", R"({"syscalls":[]})", {}).error().text(),
            "p: /defaultAction: missing");
}

TEST(SystemCalls, HaveNames) {
  const auto calls = all_calls();
  for (const char* name : {"read", "write", "openat", "clone3"})
    EXPECT_NE(std::find(calls.begin(), calls.end(), name), calls.end()) << name;
  EXPECT_TRUE(architectures_here()[0].starts_with("SCMP_ARCH_"));
  CallNames names;
  EXPECT_EQ(names.find(0xc000003e, 257), "openat");
  EXPECT_EQ(names.find(0xc000003e, 9999), "");
}

}  // namespace
