// SPDX-License-Identifier: Apache-2.0
#include "spec.h"

#include <gtest/gtest.h>
#include <sched.h>

namespace {

// A configuration with one thing changed: `body` follows the required members.
Result<Spec> parse(const std::string& body) {
  return parse_spec("config.json",
                    R"({"ociVersion":"1.2.0","root":{"path":"rootfs"})" + body + "}");
}

std::string error_of(const std::string& body) {
  auto spec = parse(body);
  return spec ? "parsed" : spec.error().text();
}

std::string process(const std::string& body) {
  return R"(,"process":{"cwd":"/","args":["sh"])" + body + "}";
}

TEST(Spec, ReadsWhatIsThereAndLeavesTheRestAtItsDefault) {
  auto spec = parse(process(R"(,"user":{"uid":7,"gid":8,"additionalGids":[9]})"));
  ASSERT_TRUE(spec);
  EXPECT_EQ(spec->process->user.uid, 7U);
  EXPECT_EQ(spec->process->user.groups, std::vector<std::uint32_t>{9});
  EXPECT_FALSE(spec->process->user.umask);
  EXPECT_FALSE(spec->root_readonly);
}

TEST(Spec, NamesTheFieldThatIsWrong) {
  EXPECT_EQ(
      error_of(process(R"(,"rlimits":[{"type":"RLIMIT_NOFILE","soft":"x","hard":1}])")),
      "config.json: /process/rlimits/0/soft: expected an integer of 0 or more, found a string");
  EXPECT_EQ(error_of(R"(,"process":{"args":["sh"]})"), "config.json: /process/cwd: missing");
}

TEST(Spec, OffersTheNearestNameForOneThatIsUnknown) {
  EXPECT_NE(error_of(process(R"(,"rlimits":[{"type":"RLIMIT_NOFILES","soft":1,"hard":1}])"))
                .find("did you mean 'RLIMIT_NOFILE'?"),
            std::string::npos);
  EXPECT_NE(error_of(R"(,"linux":{"namespaces":[{"type":"netwrok"}]})").find("'network'"),
            std::string::npos);
}

TEST(Spec, WarnsOfAnUnknownCapabilityAndGoesOn) {
  auto spec = parse(process(R"(,"capabilities":{"bounding":["CAP_KILL","CAP_NO_SUCH"]})"));
  ASSERT_TRUE(spec);
  EXPECT_EQ(spec->process->capabilities->bounding, std::uint64_t{1} << 5U);
  ASSERT_EQ(spec->warnings.size(), 1U);
  EXPECT_NE(spec->warnings[0].find("/process/capabilities/bounding/1"), std::string::npos);
}

TEST(Spec, RefusesIdsThatMeanNobodyToTheKernel) {
  EXPECT_NE(error_of(process(R"(,"user":{"uid":4294967295,"gid":0})")), "parsed");
  EXPECT_NE(error_of(process(R"(,"user":{"uid":4294967296,"gid":0})")), "parsed");
  EXPECT_NE(error_of(process(R"(,"user":{"uid":-1,"gid":0})")), "parsed");
}

TEST(Spec, KeepsSysctlsInTheirNamespace) {
  const std::string ns = R"(,"linux":{"namespaces":[{"type":"network"},{"type":"mount"}],)";
  EXPECT_EQ(error_of(ns + R"("sysctl":{"net.ipv4.ip_forward":"1"}})"), "parsed");
  EXPECT_NE(error_of(ns + R"("sysctl":{"vm.swappiness":"1"}})"), "parsed");
  EXPECT_NE(error_of(ns + R"("sysctl":{"kernel.msgmax":"1"}})"), "parsed");
  EXPECT_NE(error_of(ns + R"("sysctl":{"kernel/hostname":"x"}})"), "parsed");
}

TEST(Spec, RefusesANamespaceTwice) {
  EXPECT_NE(error_of(R"(,"linux":{"namespaces":[{"type":"pid"},{"type":"pid"}]})")
                .find("/linux/namespaces/1: namespace 'pid' appears twice"),
            std::string::npos);
}

TEST(Spec, WantsANamespaceForAHostname) {
  EXPECT_NE(error_of(R"(,"hostname":"x")").find("/hostname"), std::string::npos);
}

TEST(CleanPath, WorksOutDotsWithoutLookingAtFiles) {
  EXPECT_EQ(clean_path("/a//b/./c/"), "/a/b/c");
  EXPECT_EQ(clean_path("/../../etc"), "/etc");
  EXPECT_EQ(clean_path("/a/../.."), "/");
  EXPECT_EQ(clean_path("a/b"), "/a/b");
}

TEST(UserWord, TakesDigitsOnly) {
  EXPECT_EQ(parse_user_word("1000")->uid, 1000U);
  EXPECT_FALSE(parse_user_word("1000")->gid);
  EXPECT_EQ(*parse_user_word("1:2")->gid, 2U);
  for (const char* bad :
       {"", "1:", ":1", "1:2:3", "+1", "-1", "1 ", " 1", "0x0", "root", "4294967295", "4294967296"})
    EXPECT_FALSE(parse_user_word(bad)) << bad;
}

}  // namespace
