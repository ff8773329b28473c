// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "credentials.h"
#include "http.h"
#include "registry_auth.h"
#include "registry_reference.h"

namespace {

constexpr const char* kHex = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";

std::string name_of(const std::string& text) {
  const auto reference = parse_registry_reference(text);
  return reference ? reference->name() : reference.error().what;
}

TEST(RegistryReference, CompletesWhatIsLeftOut) {
  EXPECT_EQ(name_of("busybox"), "docker.io/library/busybox:latest");
  EXPECT_EQ(name_of("index.docker.io/team/web:2"), "docker.io/team/web:2");
  EXPECT_EQ(name_of("docker://localhost:5000/web"), "localhost:5000/web:latest");
  EXPECT_EQ(name_of("[::1]:5000/a/b__c/d--e:1"), "[::1]:5000/a/b__c/d--e:1");
  const std::string digest = std::string("@sha256:") + kHex;
  EXPECT_EQ(name_of("quay.io/a/b" + digest), "quay.io/a/b" + digest);
  EXPECT_EQ(parse_registry_reference("quay.io/a/b:1" + digest)->version(), digest.substr(1));
  EXPECT_EQ(parse_registry_reference("busybox")->endpoint(), "registry-1.docker.io");
}

TEST(RegistryReference, RefusesWhatCouldSteerAUrl) {
  for (const char* text : {"",
                           "a/../b",
                           "h.io/a/..",
                           "h.io//a",
                           "h.io/a?b",
                           "h.io/a%2e",
                           "h.io/a b",
                           "h.io/A",
                           "h.io/a:",
                           "h.io/a:-b",
                           "h.io/a:b/c:d e",
                           "user@h.io/a",
                           "h.io:port/a",
                           "h.io:123456/a",
                           "h.io/a@sha256:12",
                           "h.io/a@md5:00",
                           "-h.io/a",
                           "[::1/a",
                           "h.io/a_-b",
                           "h.io/.a"})
    EXPECT_FALSE(parse_registry_reference(text)) << text;
  EXPECT_FALSE(parse_registry_reference("h.io/" + std::string(300, 'a')));
  EXPECT_FALSE(parse_registry_reference("h.io/a:" + std::string(129, 'a')));
}

TEST(RegistryReference, KnowsTheLocalHost) {
  for (const char* host : {"localhost", "localhost:5000", "127.0.0.1", "127.9.9.9:1", "[::1]:5000"})
    EXPECT_TRUE(is_loopback(host)) << host;
  for (const char* host : {"localhost.example.org", "127.example.org", "10.0.0.1", "[::2]"})
    EXPECT_FALSE(is_loopback(host)) << host;
}

TEST(Challenge, ReadsQuotedValuesAndSeveralInOneHeader) {
  const auto found = parse_challenges(
      R"(Bearer realm="https://a/t?x=1,2",service="a \"b\"", scope="repository:x:pull,push", Basic realm=plain)");
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].scheme, "bearer");
  EXPECT_EQ(found[0].values.at("realm"), "https://a/t?x=1,2");
  EXPECT_EQ(found[0].values.at("service"), "a \"b\"");
  EXPECT_EQ(found[0].values.at("scope"), "repository:x:pull,push");
  EXPECT_EQ(found[1].scheme, "basic");
  EXPECT_EQ(found[1].values.at("realm"), "plain");
}

TEST(Challenge, SurvivesNonsense) {
  for (const char* text : {"", ",", "=", "Bearer realm=\"", "a==b", "Bearer realm=\"\\", "\"\"\""})
    (void)parse_challenges(text);
  EXPECT_TRUE(parse_challenges("= x").empty());
}

TEST(Base64, ThereAndBack) {
  for (const std::string text : {"", "a", "ab", "abc", "user:pass\xff"})
    EXPECT_EQ(base64_decode(base64_encode(text)), text);
  EXPECT_FALSE(base64_decode("a"));
  EXPECT_FALSE(base64_decode("===="));
  EXPECT_FALSE(base64_decode("!!!!"));
}

TEST(Url, RedirectsStayWithinHttpAndNeverLeaveHttps) {
  EXPECT_EQ(*resolve_url("https://a/v2/x", "/y?z=1"), "https://a/y?z=1");
  EXPECT_EQ(*resolve_url("http://a/v2/x", "https://b/y"), "https://b/y");
  EXPECT_FALSE(resolve_url("https://a/v2/x", "http://a/y"));
  EXPECT_FALSE(resolve_url("http://a/v2/x", "file:///etc/passwd"));
  EXPECT_FALSE(resolve_url("http://a/v2/x", "gopher://a/"));
}

TEST(Url, OriginIsSchemeHostAndPort) {
  EXPECT_TRUE(same_origin("https://a/x", "https://a:443/y"));
  EXPECT_FALSE(same_origin("https://a/x", "http://a/x"));
  EXPECT_FALSE(same_origin("https://a/x", "https://a:444/x"));
  EXPECT_FALSE(same_origin("https://a/x", "https://a.evil/x"));
  EXPECT_FALSE(same_origin("https://a/x", "https://a@evil/x"));
  EXPECT_FALSE(same_origin("nonsense", "nonsense"));
}

TEST(Text, OfStrangersCannotSteerATerminal) {
  EXPECT_EQ(printable("a\033[2Jb\n"), "a?[2Jb?");
  EXPECT_EQ(printable("abcdef", 3), "abc…");
}

}  // namespace
