// SPDX-License-Identifier: Apache-2.0
#include "cgroup_systemd.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace {

std::string name_of(const std::string& path, bool user = false) {
  const auto name = scope_name(path, "web", user);
  return name ? name->slice + " " + name->unit : name.error().text();
}

TEST(ScopeNames, HaveTheThreePartsOfThePath) {
  EXPECT_EQ(name_of("machine.slice:libpod:1234"), "machine.slice libpod-1234.scope");
  EXPECT_EQ(name_of(":cri:1"), "system.slice cri-1.scope");
  EXPECT_EQ(name_of("a-b.slice::x"), "a-b.slice x.scope");
  EXPECT_EQ(name_of(""), "system.slice runc-like-web.scope");
  EXPECT_EQ(name_of("", true), "user.slice runc-like-web.scope");
}

TEST(ScopeNames, RefuseWhatIsNoUnit) {
  for (const char* path :
       {"/machine/web", "a.slice:b", "machine:p:n", "../x.slice:p:n",
        "a.slice:p:", "a.slice:p:n/../x", "--.slice:p:n", "a--b.slice:p:n", "a-.slice:p:n"})
    EXPECT_NE(name_of(path).find("cgroup path"), std::string::npos) << path;
}

TEST(ScopeNames, KnowWhereASliceLies) {
  EXPECT_EQ(slice_path("system.slice"), "/system.slice");
  EXPECT_EQ(slice_path("a-b-c.slice"), "/a.slice/a-b.slice/a-b-c.slice");
  EXPECT_EQ(slice_path("-.slice"), "");
}

template <class T>
T value_of(const DbusProperties& list, const std::string& name) {
  const auto found = std::ranges::find(list, name, &DbusProperties::value_type::first);
  return found == list.end() ? T{} : std::get<T>(found->second);
}

TEST(ScopeLimits, SayWhatSystemdCanKnow) {
  Resources r;
  r.memory.limit = 1000;
  r.memory.swap = 1500;
  r.cpu.quota = 50500;
  r.cpu.shares = 1024;
  r.cpu.cpus = "0-2,9";
  r.pids = 0;
  const auto limits = scope_limits(r);
  ASSERT_TRUE(limits);
  EXPECT_EQ(value_of<std::uint64_t>(*limits, "MemoryMax"), 1000U);
  EXPECT_EQ(value_of<std::uint64_t>(*limits, "MemorySwapMax"), 500U);
  EXPECT_EQ(value_of<std::uint64_t>(*limits, "CPUQuotaPerSecUSec"), 510000U) << "whole percents";
  EXPECT_EQ(value_of<std::uint64_t>(*limits, "CPUWeight"), 100U);
  EXPECT_EQ(value_of<std::uint64_t>(*limits, "TasksMax"), 1U);
  EXPECT_EQ(value_of<std::vector<std::uint8_t>>(*limits, "AllowedCPUs"),
            (std::vector<std::uint8_t>{7, 2}));
  r = {};
  r.memory.limit = -1;
  r.pids = -1;
  EXPECT_EQ(value_of<std::uint64_t>(*scope_limits(r), "MemoryMax"), ~0ULL);
  EXPECT_EQ(value_of<std::uint64_t>(*scope_limits(r), "TasksMax"), ~0ULL);
  EXPECT_TRUE(scope_limits({})->empty());
}

TEST(ScopeAnnotations, ReadTheTextFormOfValues) {
  const auto list = scope_annotations({{"CollectMode", "'inactive-or-failed'"},
                                       {"TimeoutStopUSec", "uint64 123456789"},
                                       {"SendSIGHUP", "true"},
                                       {"OOMScoreAdjust", "-5"},
                                       {"After", "['a.service', 'b.service']"}});
  ASSERT_TRUE(list);
  EXPECT_EQ(value_of<std::string>(*list, "CollectMode"), "inactive-or-failed");
  EXPECT_EQ(value_of<std::uint64_t>(*list, "TimeoutStopUSec"), 123456789U);
  EXPECT_TRUE(value_of<bool>(*list, "SendSIGHUP"));
  EXPECT_EQ(value_of<std::int32_t>(*list, "OOMScoreAdjust"), -5);
  EXPECT_EQ(value_of<std::vector<std::string>>(*list, "After").size(), 2U);
  for (const char* text : {"", "'open", "uint64 x", "(1, 2)", "['a', b]"})
    EXPECT_FALSE(scope_annotations({{"X", text}})) << text;
}

TEST(DbusFormat, SurvivesTheWayThere) {
  const DbusCall call = {"",
                         "/org/freedesktop/systemd1",
                         "org.freedesktop.systemd1.Manager",
                         "StopUnit",
                         "ss",
                         DbusWriter().text("a.scope").text("replace").bytes()};
  const std::string bytes = encode_call(call, 7);
  DbusMessage message;
  std::size_t size = 0;
  for (std::size_t n = 0; n < bytes.size(); ++n) {
    const auto complete = decode_message(std::string_view(bytes).substr(0, n), message, size);
    ASSERT_TRUE(complete);
    EXPECT_FALSE(*complete) << n;
  }
  ASSERT_TRUE(*decode_message(bytes, message, size));
  EXPECT_EQ(size, bytes.size());
  EXPECT_EQ(message.type, DbusMessage::Call);
  EXPECT_EQ(message.member, "StopUnit");
  EXPECT_EQ(message.path, "/org/freedesktop/systemd1");
  DbusReader body(message.body);
  EXPECT_EQ(body.text(), "a.scope");
  EXPECT_EQ(body.text(), "replace");
  EXPECT_TRUE(body.good());
  EXPECT_EQ(body.text(), "");
  EXPECT_FALSE(body.good()) << "nothing after the end";
}

TEST(DbusFormat, AlignsArraysOfStructs) {
  // a(sv) {("A", <uint64 5>)}: size, padding to 8, then the struct.
  const std::string bytes = DbusWriter().properties({{"A", std::uint64_t{5}}}).bytes();
  DbusReader in(bytes);
  EXPECT_EQ(in.u32(), bytes.size() - 8);
  in.align(8);
  EXPECT_EQ(in.text(), "A");
  EXPECT_EQ(in.signature(), "t");
  in.align(8);
  EXPECT_EQ(in.u32(), 5U);
}

TEST(DbusFormat, RefusesNonsense) {
  DbusMessage message;
  std::size_t size = 0;
  EXPECT_FALSE(decode_message("B234567890123456", message, size));
  std::string huge = encode_call({"", "/", "i.i", "M", "", ""}, 1);
  huge[7] = '\x7f';  // a body of 2 GB
  EXPECT_FALSE(decode_message(huge, message, size));
}

}  // namespace
