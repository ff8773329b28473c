// SPDX-License-Identifier: Apache-2.0
#include "config_document.h"

#include <gtest/gtest.h>

namespace {

constexpr std::string_view kText =
    R"({"architecture":"amd64","x-own":{"a":[1,2.5]},"os":"linux","config":{"Env":["A=1","B=2"],)"
    R"("Healthcheck":{"Test":["NONE"]},"Labels":{"k":"v"}},"rootfs":{"type":"layers",)"
    R"("diff_ids":[]},"history":[{"created_by":"x","unknown":true}]})";

TEST(ConfigDocument, KeepsWhatItDoesNotKnow) {
  auto document = ConfigDocument::parse("c", kText);
  ASSERT_TRUE(document);
  const std::string out = document->json();
  EXPECT_NE(out.find(R"("x-own":{"a":[1,2.5]})"), std::string::npos) << out;
  EXPECT_NE(out.find(R"("Healthcheck":{"Test":["NONE"]})"), std::string::npos);
  EXPECT_NE(out.find(R"({"created_by":"x","unknown":true})"), std::string::npos);
}

TEST(ConfigDocument, SetsInPlaceAndErases) {
  auto document = ConfigDocument::parse("c", kText);
  ASSERT_TRUE(document);
  ASSERT_TRUE(document->set_variable("A=3"));
  ASSERT_TRUE(document->set_variable("C=4"));
  EXPECT_EQ(*document->strings("Env"), (std::vector<std::string>{"A=3", "B=2", "C=4"}));
  document->set_map("Labels", {});
  EXPECT_FALSE(document->config.get("Labels"));
  document->set_keys("Volumes", {"/b", "/a", "/b"});
  EXPECT_EQ(*document->config.get("Volumes"), R"({"/a":{},"/b":{}})");
}

TEST(ConfigDocument, RefusesWhatIsNoConfiguration) {
  EXPECT_FALSE(ConfigDocument::parse("c", "{}"));
  EXPECT_FALSE(ConfigDocument::parse("c", "[]"));
}

}  // namespace
