// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <signal.h>

#include <cerrno>

#include "common/child_process.h"
#include "common/events.h"
#include "common/json.h"
#include "common/oci_state.h"
#include "common/temp_dir.h"
#include "common/timestamp.h"

namespace {

TEST(Run, GivesOutputErrorsAndStatusBack) {
  auto output = run({{"sh", "-c", "cat; echo bad >&2; exit 3"}}, {.input = "hello"});
  ASSERT_TRUE(output) << output.error().text();
  EXPECT_EQ(output->out, "hello");
  EXPECT_EQ(output->err, "bad\n");
  EXPECT_EQ(output->status, 3);
}

TEST(Run, SurvivesAProgramThatDoesNotReadItsInput) {
  auto output = run({{"true"}}, {.input = std::string(1 << 20, 'x')});
  ASSERT_TRUE(output) << output.error().text();
  EXPECT_EQ(output->status, 0);
}

TEST(Run, EndsWhatTakesTooLong) {
  using namespace std::chrono_literals;
  EXPECT_EQ(run({{"cat", "/dev/zero"}}, {.timeout = 10000ms}).error().code, EFBIG);
  EXPECT_EQ(run({{"sleep", "1000"}}, {.timeout = 50ms}).error().code, ETIMEDOUT);
}

TEST(Run, SaysWhatCouldNotBeExecuted) {
  EXPECT_EQ(run({{"/nonexistent"}}).error().text(),
            "execute '/nonexistent': No such file or directory (ENOENT)");
}

TEST(ChildProcess, IsKilledUnlessReleased) {
  pid_t pid = -1;
  {
    auto child = start({{"sleep", "1000"}});
    ASSERT_TRUE(child);
    pid = child->pid();
    EXPECT_EQ(::kill(pid, 0), 0);
  }
  EXPECT_NE(::kill(pid, 0), 0);
  EXPECT_EQ(errno, ESRCH);
}

TEST(Timestamp, IsReadBackAsWritten) {
  const timespec at = {1'795'364'721, 725223214};
  EXPECT_EQ(rfc3339_nano(at), "2026-11-22T16:25:21.725223214Z");
  const auto back = parse_rfc3339("2026-11-22T18:25:21.725223214+02:00");
  ASSERT_TRUE(back);
  EXPECT_EQ(back->tv_sec, at.tv_sec);
  EXPECT_EQ(back->tv_nsec, at.tv_nsec);
  for (const char* bad : {"", "2026-11-22", "2026-13-22T16:25:21Z", "2026-11-22T16:25:21",
                          "2026-11-22T16:25:21Zx", "2026-11-22T16:25:21+2:00"})
    EXPECT_FALSE(parse_rfc3339(bad)) << bad;
}

TEST(OciState, IsReadBackAsWritten) {
  const OciState state{"1.3.0", "web", "created", 42, "/b", {{"a", "b"}}};
  auto back = parse_oci_state("state", to_json(state));
  ASSERT_TRUE(back) << back.error().text();
  EXPECT_EQ(to_json(*back), to_json(state));
  EXPECT_EQ(parse_oci_state("state", R"({"id":"x","pid":-1})").error().text(),
            "state: /pid: not a process id");
  EXPECT_EQ(parse_oci_state("state", "{}").error().text(), "state: /id: missing");
}

TEST(Events, AreWholeLinesOfJson) {
  const auto dir = *TempDir::create(testing::TempDir(), "events");
  const std::string path = dir.path() + "/log";
  const EventLog log = EventLog::open("shim", path);
  EXPECT_TRUE(log.emit("web", "exit", 12, R"({"status":0})"));
  EXPECT_TRUE(log.emit("web", "big", 0, "\"" + std::string(8192, 'x') + "\""));
  const std::string text = *read_file(path);
  const auto end = text.find('\n');
  auto line = JsonDocument::parse("line", text.substr(0, end));
  ASSERT_TRUE(line) << text;
  EXPECT_EQ(*line->root().at("source")->string(), "shim");
  EXPECT_EQ(*line->root().at("pid")->integer(), 12);
  EXPECT_NE(text.find("\"truncated\":true}\n"), std::string::npos);
}

}  // namespace
