// SPDX-License-Identifier: Apache-2.0
#include "common/json.h"

#include <gtest/gtest.h>

namespace {

Error error_of(std::string_view text) {
  auto doc = JsonDocument::parse("config.json", text);
  return doc ? Error{"parsed"} : std::move(doc).error();
}

TEST(Json, NamesTheFieldWhoseTypeIsWrong) {
  auto doc = JsonDocument::parse("config.json", R"({"process":{"rlimits":[{"soft":"x"}]}})");
  ASSERT_TRUE(doc);
  auto limits = (*doc->root().at("process")).at("rlimits");
  auto soft = (*limits->items())[0].at("soft");
  EXPECT_EQ(soft->integer().error().text(),
            "config.json: /process/rlimits/0/soft: expected an integer, found a string");
  EXPECT_EQ(soft->integer().error().field, "/process/rlimits/0/soft");
}

TEST(Json, EscapesKeysInPointers) {
  auto doc = JsonDocument::parse("config.json", R"({"annotations":{"a/b~c":1}})");
  ASSERT_TRUE(doc);
  auto annotations = doc->root().at("annotations");
  auto value = annotations->at("a/b~c");
  EXPECT_EQ(value->string().error().field, "/annotations/a~1b~0c");
}

TEST(Json, RefusesWhatOtherReadersUnderstandDifferently) {
  EXPECT_EQ(error_of(R"({"a":1,"a":2})").text(), "config.json: /a: duplicate key");
  EXPECT_EQ(error_of(R"([{"x":{"a":1,"b":2,"a":3}}])").text(),
            "config.json: /0/x/a: duplicate key");
  EXPECT_NE(error_of("{\"a\":\"\xff\"}").text(), "parsed");
  EXPECT_NE(error_of(R"({} {})").text(), "parsed");
  EXPECT_NE(error_of(std::string(200'000, '[')).text(), "parsed");
  EXPECT_NE(error_of(std::string(200'000, '[') + std::string(200'000, ']')).text(), "parsed");
}

TEST(Json, RefusesNulInsideAString) {
  auto doc = JsonDocument::parse("config.json", R"({"path":"/etc\u0000/x"})");
  EXPECT_EQ(doc->root().at("path")->string().error().text(),
            "config.json: /path: contains a NUL byte");
}

TEST(Json, AMissingMemberIsAnErrorOnlyWhenRequired) {
  auto doc = JsonDocument::parse("config.json", R"({"hostname":null})");
  EXPECT_EQ(doc->root().at("root").error().text(), "config.json: /root: missing");
  EXPECT_FALSE(doc->root().find("hostname"));
}

TEST(Json, KeepsNumbersThatNeedSixtyFourBits) {
  auto doc = JsonDocument::parse("x", R"([18446744073709551615,-9223372036854775808,1.5])");
  ASSERT_TRUE(doc);
  auto items = *doc->root().items();
  EXPECT_EQ(*items[0].unsigned_integer(), 18446744073709551615U);
  EXPECT_FALSE(items[0].integer());
  EXPECT_EQ(*items[1].integer(), INT64_MIN);
  EXPECT_FALSE(items[2].integer());
  EXPECT_EQ(*items[2].number(), 1.5);
}

TEST(JsonWriter, WritesWhatAReaderReadsBack) {
  JsonWriter w;
  w.begin_object().member("id", "a\"b\n").member("pid", 7).member("on", true);
  w.key("list").begin_array().value(1).null().raw(R"({"x":[]})").end_array().end_object();
  EXPECT_EQ(w.take(), R"({"id":"a\"b\n","pid":7,"on":true,"list":[1,null,{"x":[]}]})");
}

TEST(JsonWriter, ReplacesBytesThatAreNoUtf8) {
  JsonWriter w;
  w.value(std::string_view("a\xff\xc3\xa4\xed\xa0\x80", 7));
  EXPECT_EQ(w.take(), "\"a\xef\xbf\xbd\xc3\xa4\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
}

TEST(JsonWriter, IndentsAsRuncDoes) {
  JsonWriter w(JsonWriter::Style::TwoSpaces);
  w.begin_object().member("id", "x").key("none").begin_array().end_array().end_object();
  EXPECT_EQ(w.take(), "{\n  \"id\": \"x\",\n  \"none\": []\n}");
}

}  // namespace
