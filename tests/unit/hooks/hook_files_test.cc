// SPDX-License-Identifier: Apache-2.0
#include "hook_files.h"

#include <gtest/gtest.h>

namespace {

bool matches(const std::string& pattern, const std::string& subject) {
  const auto parsed = Pattern::parse(pattern);
  EXPECT_TRUE(parsed) << parsed.error().text();
  return parsed && parsed->matches(subject);
}

TEST(Pattern, WhatHookFilesUse) {
  EXPECT_TRUE(matches(".*", ""));
  EXPECT_TRUE(matches("^com\\.example\\.[a-z]+$", "com.example.team"));
  EXPECT_FALSE(matches("^com\\.example\\.[a-z]+$", "comXexample.team"));
  EXPECT_TRUE(matches("^v\\d+$", "v12"));
  EXPECT_FALSE(matches("^v\\d+$", "vd"));
  EXPECT_TRUE(matches("[\\w.]+x", "a.x"));
  EXPECT_TRUE(matches("(?:a|b)c", "bc"));
  EXPECT_TRUE(matches("(?i)^YES$", "yes"));
  EXPECT_TRUE(matches("[]a]", "]"));
  EXPECT_TRUE(matches("[[:digit:]]{2}", "42"));
}

TEST(Pattern, RefusesWhatPosixReadsDifferently) {
  for (const char* text : {"(?P<name>a)", "\\pL", "[\\]]", "a\\", "("})
    EXPECT_FALSE(Pattern::parse(text)) << text;
}

HookFile file_of(const std::string& when, const std::string& stages = R"(["createRuntime"])") {
  auto file = parse_hook_file("h.json", R"({"version":"1.0.0","hook":{"path":"/bin/h"},"when":)" +
                                            when + R"(,"stages":)" + stages + "}");
  EXPECT_TRUE(file) << file.error().text();
  return std::move(*file);
}

std::string error_of(const std::string& text) {
  const auto file = parse_hook_file("h.json", text);
  return file ? "parsed" : file.error().text();
}

TEST(HookFile, ErrorsNameTheField) {
  EXPECT_EQ(error_of(R"({"version":"0.1.0"})"),
            "h.json: /version: version '0.1.0' is not known; 1.0.0 is");
  EXPECT_EQ(error_of(R"({"version":"1.0.0","hook":{"path":"h"},"when":{},"stages":["poststop"]})"),
            "h.json: /hook/path: must be absolute");
  EXPECT_EQ(error_of(R"({"version":"1.0.0","hook":{"path":"/h"},"when":{},"stages":["later"]})"),
            "h.json: /stages: unknown stage 'later'");
  EXPECT_EQ(error_of(R"({"version":"1.0.0","hook":{"path":"/h"},"when":{}})"),
            "h.json: /stages: missing");
  EXPECT_EQ(
      error_of(
          R"({"version":"1.0.0","hook":{"path":"/h","timeout":0},"when":{},"stages":["poststop"]})"),
      "h.json: /hook/timeout: must be greater than 0");
}

TEST(HookConditions, EveryOneThatIsSetHasToHold) {
  const ContainerFacts facts = {{{"team", "a"}, {"tier", "web"}}, "/usr/bin/nginx", true};
  const ContainerFacts bare;
  EXPECT_FALSE(file_of("{}").when.hold(facts));
  EXPECT_TRUE(file_of(R"({"always":true})").when.hold(bare));
  EXPECT_FALSE(file_of(R"({"always":false,"hasBindMounts":true})").when.hold(facts));
  EXPECT_TRUE(file_of(R"({"hasBindMounts":true})").when.hold(facts));
  EXPECT_FALSE(file_of(R"({"hasBindMounts":true})").when.hold(bare));
  EXPECT_TRUE(file_of(R"({"annotations":{"^team$":"^a$","tier":"w"}})").when.hold(facts));
  EXPECT_FALSE(file_of(R"({"annotations":{"^team$":"^a$","tier":"db"}})").when.hold(facts));
  EXPECT_TRUE(file_of(R"({"commands":["sh$","/nginx$"]})").when.hold(facts));
  EXPECT_FALSE(file_of(R"({"commands":["sh$"],"always":true})").when.hold(facts));
  EXPECT_FALSE(file_of(R"({"commands":["sh$"]})").when.hold(bare));
}

std::string injected(const std::string& config, const std::vector<HookFile>& files) {
  const auto document = JsonDocument::parse("config.json", config);
  const auto text = inject_hooks(document->root(), files);
  return text ? *text : text.error().text();
}

TEST(InjectHooks, BehindThoseThatAreThere) {
  std::vector<HookFile> files;
  files.push_back(file_of(R"({"always":true})", R"(["poststop","createRuntime"])"));
  EXPECT_EQ(injected(R"({"a":1,"hooks":{"poststop":[{"path":"/x"}]}})", files),
            R"({"a":1,"hooks":{"poststop":[{"path":"/x"},{"path":"/bin/h"}],)"
            R"("createRuntime":[{"path":"/bin/h"}]}})");
  EXPECT_EQ(injected(R"({"a":1})", {}), R"({"a":1})");
}

TEST(InjectHooks, ConfigurationsThatAreWrongSayWhere) {
  std::vector<HookFile> files;
  files.push_back(file_of(R"({"always":true})"));
  EXPECT_EQ(injected(R"({"hooks":{"poststop":7}})", files),
            "config.json: /hooks/poststop: expected an array, found a number");
  EXPECT_EQ(injected(R"({"annotations":{"a":1}})", files),
            "config.json: /annotations/a: expected a string, found a number");
}

}  // namespace
