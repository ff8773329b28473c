// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "event_target.h"
#include "phases.h"
#include "process_facts.h"

namespace {

TEST(EventTarget, ByItsPrefix) {
  using Kind = EventTarget::Kind;
  const auto kind = [](const std::string& text) { return parse_event_target(text)->kind; };
  EXPECT_EQ(kind("/run/events"), Kind::Path);
  EXPECT_EQ(kind("journald"), Kind::Journal);
  EXPECT_EQ(kind("syslog:/x"), Kind::Syslog);
  EXPECT_EQ(parse_event_target("exec:/bin/p")->path, "/bin/p");
  ::unsetenv("RUNC_LIKE_EVENTS");
  EXPECT_FALSE(parse_event_target(""));
}

TEST(JournalEntry, ValuesWithLineEndsGoWithTheirLength) {
  std::string entry;
  add_journal_field(entry, "A", "x");
  add_journal_field(entry, "B", "y\nz");
  EXPECT_EQ(entry, std::string("A=x\nB\n\3\0\0\0\0\0\0\0y\nz\n", 18));
}

TEST(JournalEntry, AnIdCannotAddFields) {
  const std::string entry = journal_entry({"hook", "a\nPRIORITY=0", "created"}, "{}");
  EXPECT_EQ(entry.find("CONTAINER_ID=a"), std::string::npos);
}

TEST(SyslogEntry, PriorityTimeAndTag) {
  ::setenv("TZ", "UTC", 1);
  EXPECT_EQ(syslog_entry("{}", 0, 7), "<30>Jan  1 00:00:00 hook-events[7]: {}");
}

TEST(Phases, SurviveAsText) {
  const Phases phases = {7, {{"created", 1'000'000}, {"two words", 1'003'400}}};
  const Phases again = parse_phases(to_text(phases));
  EXPECT_EQ(again.pid, 7);
  EXPECT_EQ(again.seen, phases.seen);
  EXPECT_TRUE(parse_phases("rubbish\n\n pid x\n").seen.empty());
}

TEST(Phases, EachFromTheOneBefore) {
  const Phases phases = {7, {{"created", 1'000'000}, {"started", 1'003'400}}};
  EXPECT_EQ(phase_durations(phases, 990'000), R"({"created":10.0,"started":3.4})");
  EXPECT_EQ(phase_durations(phases, std::nullopt), R"({"started":3.4})");
}

TEST(StartTicks, WhateverTheNameHolds) {
  std::string stat = "7 (a) b) (c) S";
  for (int field = 4; field <= 21; ++field) stat += " 0";
  EXPECT_EQ(start_ticks(stat + " 4242 1"), 4242U);
  EXPECT_FALSE(start_ticks("7 (sh) S 1"));
  EXPECT_FALSE(start_ticks(""));
  EXPECT_TRUE(process_born(::getpid()));
  EXPECT_FALSE(process_born(0));
  EXPECT_FALSE(has_ended("7 (a) b) S 1"));
  EXPECT_TRUE(has_ended("7 (a) S) Z 1"));
  EXPECT_TRUE(has_ended(""));
}

}  // namespace
