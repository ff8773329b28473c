// SPDX-License-Identifier: Apache-2.0
#include "findings.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "stats.h"
#include "table_fields.h"

namespace {

std::vector<std::string> errors_of(const std::string& body) {
  std::vector<std::string> out;
  for (const Finding& f :
       examine(R"({"ociVersion":"1.2.0","root":{"path":"rootfs"})" + body + "}").findings)
    if (f.level == Finding::Level::Error) out.push_back(f.field + " " + f.text);
  return out;
}

TEST(Findings, ReportsEveryErrorWithItsPlaceInTheDocument) {
  const auto errors = errors_of(
      R"(,"hostname":7,"process":{"cwd":"/","args":["sh"],"rlimits":[)"
      R"({"type":"RLIMIT_NOFILES","soft":1,"hard":1},{"type":"RLIMIT_NOFILE","soft":2,"hard":2},)"
      R"({"type":"RLIMIT_CORE","soft":"x","hard":1}]})");
  ASSERT_EQ(errors.size(), 3U);
  EXPECT_TRUE(errors[0].starts_with("/process/rlimits/0/type unknown rlimit"));
  EXPECT_TRUE(errors[1].starts_with("/process/rlimits/2/soft expected an integer"));
  EXPECT_TRUE(errors[2].starts_with("/hostname expected a string"));
}

TEST(Findings, AMissingMemberIsOneFinding) {
  EXPECT_EQ(errors_of(R"(,"process":{"args":["sh"]})").size(), 1U);
  EXPECT_EQ(examine("{}").findings.size(), 1U);
  EXPECT_EQ(examine("[").findings.size(), 1U);
}

TEST(Findings, WarnsOfAFieldThatNobodyReads) {
  const auto findings =
      examine(
          R"({"ociVersion":"1.2.0","root":{"path":"r","readOnly":true},"annotations":{"a":"b"}})")
          .findings;
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].field, "/root/readOnly");
  EXPECT_NE(findings[0].text.find("did you mean 'readonly'?"), std::string::npos);
}

TEST(Findings, TheTableOfFieldsIsSorted) {
  EXPECT_TRUE(std::ranges::is_sorted(kFields));
}

TEST(Stats, ReadsNumbersCountersAndPressureAsTheKernelWritesThem) {
  EXPECT_EQ(number_in("max"), UINT64_MAX);
  EXPECT_EQ(number_in("4096\n"), 4096U);
  EXPECT_EQ(counter("low 1\noom_kill 3\noom 2\n", "oom"), 2U);
  EXPECT_EQ(counter("low 1", "high"), 0U);
  JsonWriter json;
  EXPECT_TRUE(write_pressure(json, "some avg10=1.50 avg60=0.00 avg300=0.00 total=7\n"));
  EXPECT_EQ(json.take(), R"({"some":{"avg10":1.50,"avg60":0.00,"avg300":0.00,"total":7}})");
}

}  // namespace
