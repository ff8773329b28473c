// SPDX-License-Identifier: Apache-2.0
#include "audit.h"

#include <gtest/gtest.h>

namespace {

Allowed allowed_by(const std::string& config) {
  const auto document = JsonDocument::parse("config.json", config);
  auto allowed = read_allowed(document->root(), "/b");
  EXPECT_TRUE(allowed) << allowed.error().text();
  return std::move(*allowed);
}

constexpr const char* kOwn =
    R"([{"type":"mount"},{"type":"pid"},{"type":"network"},{"type":"ipc"},{"type":"uts"},{"type":"user"}])";

std::string confined(const std::string& more, const std::string& mounts = "[]") {
  return R"({"root":{"readonly":true},"process":{"noNewPrivileges":true,"user":{"uid":1000})" +
         more + R"(},"mounts":)" + mounts + R"(,"linux":{"namespaces":)" + kOwn +
         R"(,"maskedPaths":["/proc/kcore"],"seccomp":{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{}]},)"
         R"("resources":{"memory":{"limit":1000},"pids":{"limit":10},"devices":[{"allow":false}]}}})";
}

bool says(const Allowed& allowed, Risk risk, const std::string& text) {
  for (const Finding& one : findings(allowed))
    if (one.risk == risk && one.text.find(text) != std::string::npos) return true;
  return false;
}

TEST(Audit, AConfinedContainerHasNothingToReport) {
  const Allowed allowed = allowed_by(confined(""));
  EXPECT_TRUE(findings(allowed).empty()) << to_text(findings(allowed));
  EXPECT_EQ(worst(findings(allowed)), Risk::Low);
  EXPECT_EQ(allowed.seccomp_rules, 1U);
  EXPECT_FALSE(allowed.privileged());
}

TEST(Audit, AnEmptyConfigurationIsWideOpen) {
  const Allowed allowed = allowed_by("{}");
  EXPECT_EQ(worst(findings(allowed)), Risk::Critical);
  EXPECT_TRUE(says(allowed, Risk::Critical, "no mount namespace"));
  EXPECT_TRUE(says(allowed, Risk::Medium, "no seccomp profile"));
  EXPECT_TRUE(says(allowed, Risk::Low, "memory is not limited"));
}

TEST(Audit, MountsOfTheHost) {
  const auto with = [](const std::string& source, const std::string& options) {
    return allowed_by(confined(
        "", R"([{"destination":"/x","source":")" + source + R"(","options":[)" + options + "]}]"));
  };
  EXPECT_TRUE(says(with("/", "\"rbind\""), Risk::Critical, "the whole host can be written"));
  EXPECT_TRUE(says(with("/etc/ssl", "\"bind\",\"ro\""), Risk::Medium, "can be read"));
  EXPECT_TRUE(
      says(with("/run/docker.sock", "\"bind\",\"ro\""), Risk::Critical, "docker's control"));
  EXPECT_TRUE(findings(with("/srv/data", "\"bind\"")).empty());
  EXPECT_TRUE(findings(with("etc", "\"bind\"")).empty());  // of the bundle
  EXPECT_EQ(with("data", "\"bind\"").host_mounts[0].source, "/b/data");
}

TEST(Audit, CapabilitiesWeighLessInAUserNamespace) {
  const std::string admin = R"(,"capabilities":{"bounding":["CAP_SYS_ADMIN"]})";
  EXPECT_TRUE(says(allowed_by(confined(admin)), Risk::Low, "within its user namespace"));
  std::string bare = confined(admin);
  bare.erase(bare.find(R"(,{"type":"user"})"), 16);
  EXPECT_TRUE(says(allowed_by(bare), Risk::High, "CAP_SYS_ADMIN"));
}

TEST(Audit, TheLastRuleForAllDevicesCounts) {
  const auto devices = [](const std::string& rules) {
    return allowed_by(R"({"linux":{"resources":{"devices":)" + rules + "}}}").all_devices;
  };
  EXPECT_TRUE(devices(R"([{"allow":false},{"allow":true,"type":"a"}])"));
  EXPECT_FALSE(devices(R"([{"allow":true},{"allow":false}])"));
  EXPECT_FALSE(devices(R"([{"allow":true,"type":"c","major":1,"minor":3}])"));
}

TEST(Audit, TheShortFormKeepsTheNumbers) {
  const Allowed allowed = allowed_by(confined(R"(,"capabilities":{"bounding":["CAP_KILL"]})"));
  EXPECT_NE(to_json(allowed, {}, true).find(R"("capabilities":["CAP_KILL"])"), std::string::npos);
  EXPECT_NE(to_json(allowed, {}, false).find(R"("capabilities":1)"), std::string::npos);
}

TEST(Audit, ErrorsNameTheField) {
  const auto document = JsonDocument::parse("config.json", R"({"mounts":[{"options":"ro"}]})");
  EXPECT_EQ(read_allowed(document->root(), "/b").error().text(),
            "config.json: /mounts/0/options: expected an array, found a string");
}

}  // namespace
