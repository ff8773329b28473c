// SPDX-License-Identifier: Apache-2.0
#include "data_set.h"

#include <gtest/gtest.h>

namespace {

TEST(EnvLines, KeysAndValuesAsTheyStand) {
  const auto lines = parse_env_lines("env", "# note\nA=1\n\nB= x=y \r\nC=\n");
  ASSERT_TRUE(lines);
  const std::vector<std::pair<std::string, std::string>> expected = {
      {"A", "1"}, {"B", " x=y "}, {"C", ""}};
  EXPECT_EQ(*lines, expected);
  EXPECT_EQ(parse_env_lines("env", "A=1\nnonsense\n").error().text(),
            "env: line 2: expected KEY=VALUE");
  EXPECT_FALSE(parse_env_lines("env", "=x\n"));
  EXPECT_FALSE(parse_env_lines("env", "A B=x\n"));
}

std::string bound(const std::string& config, const DataSet& set, const Binding& binding = {}) {
  const auto document = JsonDocument::parse("config.json", config);
  const auto text = bind_data(document->root(), set, binding);
  return text ? *text : text.error().text();
}

TEST(BindData, ReplacesUnlessToldToKeep) {
  DataSet set;
  set.env = {{"A", "new"}, {"C", "3"}};
  const std::string config = R"({"process":{"env":["A=old","AB=2"],"cwd":"/"}})";
  EXPECT_EQ(bound(config, set), R"({"process":{"env":["A=new","AB=2","C=3"],"cwd":"/"}})");
  EXPECT_EQ(bound(config, set, {.keep = true}),
            R"({"process":{"env":["A=old","AB=2","C=3"],"cwd":"/"}})");
  EXPECT_EQ(bound("{}", set), R"({"process":{"env":["A=new","C=3"]}})");
  EXPECT_EQ(bound(R"({"process":{"env":"A"}})", set),
            "config.json: /process/env: expected an array, found a string");
}

TEST(BindData, EachFileIsAMount) {
  DataSet set;
  set.files = {{"/data/web/files/etc/app.conf", "/etc/app.conf"}};
  EXPECT_EQ(
      bound(R"({"mounts":[{"destination":"/proc"}]})", set),
      R"({"mounts":[{"destination":"/proc"},{"destination":"/etc/app.conf","type":"bind",)"
      R"("source":"/data/web/files/etc/app.conf","options":["bind","ro","nosuid","nodev"]}]})");
  EXPECT_NE(bound("{}", set, {.writable = true}).find(R"(["bind","rw")"), std::string::npos);
}

}  // namespace
