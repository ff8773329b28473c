// SPDX-License-Identifier: Apache-2.0
#include "log_format.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "log_reader.h"

namespace {

constexpr timespec kAt = {1795364721, 725223214};  // 2026-11-22T16:25:21.725223214Z

template <class Format>
std::string format(std::string_view line, Stream stream = Stream::Out, timespec at = kAt) {
  Format format;
  format.begin({stream, line, at});
  std::vector<char> out(format.worst_case(line.size()));
  return {out.data(), format.write(out.data(), line)};
}

TEST(K8sFormat, WritesTimeStreamTagAndText) {
  ASSERT_EQ(::setenv("TZ", "UTC", 1), 0);
  ::tzset();
  EXPECT_EQ(format<K8sFormat>("hello\n"), "2026-11-22T16:25:21.725223214+00:00 stdout F hello\n");
  EXPECT_EQ(format<K8sFormat>("\n", Stream::Err),
            "2026-11-22T16:25:21.725223214+00:00 stderr F \n");
}

TEST(K8sFormat, MarksALineWithoutItsEndAsPartial) {
  EXPECT_TRUE(format<K8sFormat>("pro").ends_with(" stdout P pro\n"));
}

TEST(K8sFormat, KeepsBytesAsTheyAre) {
  const std::string bytes("\0\xff\r\x1b", 4);
  EXPECT_TRUE(format<K8sFormat>(bytes + "\n").ends_with(" F " + bytes + "\n"));
}

TEST(K8sFormat, HasTheOffsetOfTheLocalZone) {
  ASSERT_EQ(::setenv("TZ", "XYZ+3:30", 1), 0);
  ::tzset();
  EXPECT_TRUE(format<K8sFormat>("x\n").starts_with("2026-11-22T12:55:21.725223214-03:30 "));
  ASSERT_EQ(::setenv("TZ", "UTC", 1), 0);
  ::tzset();
}

TEST(JsonFormat, IsDockersLine) {
  EXPECT_EQ(format<JsonFormat>("hello\n"),
            R"({"log":"hello\n","stream":"stdout","time":"2026-11-22T16:25:21.725223214Z"})"
            "\n");
  EXPECT_EQ(format<JsonFormat>("part", Stream::Err),
            R"({"log":"part","stream":"stderr","time":"2026-11-22T16:25:21.725223214Z"})"
            "\n");
}

TEST(JsonFormat, LeavesTrailingZerosOfTheTimeOut) {
  const timespec half = {kAt.tv_sec, 500000000};
  const timespec whole = {kAt.tv_sec, 0};
  EXPECT_NE(format<JsonFormat>("", Stream::Out, half).find("16:25:21.5Z"), std::string::npos);
  EXPECT_NE(format<JsonFormat>("", Stream::Out, whole).find("16:25:21Z"), std::string::npos);
}

TEST(JsonFormat, EscapesAsDockerDoes) {
  const auto log = [](std::string_view text) {
    const std::string line = format<JsonFormat>(text);
    return line.substr(8, line.find("\",\"stream") - 8);
  };
  EXPECT_EQ(log("a\"b\\c"), R"(a\"b\\c)");
  EXPECT_EQ(log("\t\r\x01\x7f"), "\\u0009\\r\\u0001\x7f");
  EXPECT_EQ(log("<a&b>"), R"(\u003ca\u0026b\u003e)");
  EXPECT_EQ(log(std::string_view("\0", 1)), R"(\u0000)");
  EXPECT_EQ(log("gr\xc3\xbc\xc3\x9f\xe2\x82\xac\xf0\x9f\x98\x80"),
            "gr\xc3\xbc\xc3\x9f\xe2\x82\xac\xf0\x9f\x98\x80");
  EXPECT_EQ(log("\xe2\x80\xa8"), R"(\u2028)");
}

TEST(JsonFormat, ReplacesWhatIsNoUtf8) {
  const auto log = [](std::string_view text) {
    const std::string line = format<JsonFormat>(text);
    return line.substr(8, line.find("\",\"stream") - 8);
  };
  EXPECT_EQ(log("a\xff"
                "b"),
            R"(a\ufffdb)");
  EXPECT_EQ(log("\xc0\x80"), R"(\ufffd\ufffd)");            // overlong
  EXPECT_EQ(log("\xed\xa0\x80"), R"(\ufffd\ufffd\ufffd)");  // surrogate
  EXPECT_EQ(log("\xe2\x82"), R"(\ufffd\ufffd)");            // cut
}

TEST(JsonFormat, NeverNeedsMoreThanItsWorstCase) {
  const std::string worst(1000, '\x01');
  EXPECT_LE(format<JsonFormat>(worst).size(), JsonFormat().worst_case(worst.size()));
}

TEST(JsonFormat, HasLabelsAndTagAsDockerHasThem) {
  JsonFormat format({.id = "id", .tag = "web", .fields = {"env=a\"b", "app=x"}});
  format.begin({Stream::Out, "hi\n", kAt});
  std::vector<char> out(format.worst_case(3));
  const std::string line(out.data(), format.write(out.data(), "hi\n"));
  EXPECT_EQ(line, R"({"log":"hi\n","stream":"stdout","attrs":{"app":"x","env":"a\"b","tag":"web"},)"
                  "\"time\":\"2026-11-22T16:25:21.725223214Z\"}\n");
  const auto record = parse_record(LogDriver::Kind::Json, line);
  ASSERT_TRUE(record);
  EXPECT_EQ(record->text, "hi\n");
  EXPECT_EQ(record->time, "2026-11-22T16:25:21.725223214Z");
}

TEST(ParseRecord, ReadsBackWhatTheFormatsWrite) {
  const std::string text("q\"\\\t<\0\x1b gr\xc3\xbc\xc3\x9f", 14);
  for (const std::string end : {"\n", ""}) {
    std::string k8s = format<K8sFormat>(text + end, Stream::Err);
    std::string json = format<JsonFormat>(text + end, Stream::Err);
    k8s.pop_back();
    json.pop_back();
    const auto from_k8s = parse_record(LogDriver::Kind::K8sFile, k8s);
    const auto from_json = parse_record(LogDriver::Kind::Json, json);
    ASSERT_TRUE(from_k8s && from_json);
    EXPECT_EQ(from_k8s->text, text + end);
    EXPECT_EQ(from_json->text, text + end);
    EXPECT_EQ(from_k8s->stream, Stream::Err);
    EXPECT_EQ(from_json->time, "2026-11-22T16:25:21.725223214Z");
  }
  EXPECT_FALSE(parse_record(LogDriver::Kind::K8sFile, "no record"));
  EXPECT_FALSE(parse_record(LogDriver::Kind::Json, R"({"log":"cut)"));
}

}  // namespace
