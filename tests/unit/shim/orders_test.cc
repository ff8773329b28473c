// SPDX-License-Identifier: Apache-2.0
// orders_test.cc - small parsers: control lines, runtimes' messages, log drivers, state.
#include <gtest/gtest.h>

#include "common/temp_dir.h"

#include "control.h"
#include "log_driver.h"
#include "runtime.h"
#include "state_dir.h"

namespace {

TEST(ParseOrder, TakesThreeNumbers) {
  const auto order = parse_order("1 24 080");
  ASSERT_TRUE(order);
  EXPECT_EQ(order->kind, Order::Kind::Resize);
  EXPECT_EQ(order->height, 24);
  EXPECT_EQ(order->width, 80);
  EXPECT_EQ(parse_order("2 0 0 9")->kind, Order::Kind::Reopen);
}

TEST(ParseOrder, RefusesTheRest) {
  for (const char* line : {"", "1", "1 2", "3 1 1", "1 -1 1", "1 1001 1", "1 0x10 1", "1 1.5 1",
                           "a b c", "1 99999999999 1"})
    EXPECT_FALSE(parse_order(line)) << line;
}

TEST(Control, AnOverlongOrInvalidLineHurtsOnlyItself) {
  auto dir = *TempDir::create("/tmp", "control-test-");
  Loop loop = *Loop::create();
  std::vector<unsigned short> widths;
  const auto control = *Control::create(loop, dir.fd(), "ctl", "",
                                        [&](const Order& order) { widths.push_back(order.width); });
  const UniqueFd fifo = *open_at(dir.fd(), "ctl", O_WRONLY);
  const std::string text = "1 1 11\nnonsense\n" + std::string(1000, '9') + "\n1 1 2";
  ASSERT_TRUE(write_all(fifo, text, "ctl"));
  ASSERT_TRUE(loop.turn());  // 512 bytes at a time
  ASSERT_TRUE(loop.turn());
  EXPECT_EQ(widths, (std::vector<unsigned short>{11}));
  ASSERT_TRUE(write_all(fifo, "2\n", "ctl"));
  ASSERT_TRUE(loop.turn());
  EXPECT_EQ(widths, (std::vector<unsigned short>{11, 22}));
}

TEST(RuntimeMessage, IsTheLastErrorOfAJsonLog) {
  EXPECT_EQ(runtime_message(R"({"level":"error","msg":"no \"x\"\n","time":"t"})"
                            "\n"
                            R"({"level":"warning","msg":"later"})"
                            "\n"),
            "no \"x\"");
}

TEST(RuntimeMessage, IsTheTextOfALogrusLine) {
  EXPECT_EQ(runtime_message("time=\"t\" level=error msg=\"exec: \\\"x\\\": not found\"\n"),
            "exec: \"x\": not found");
}

TEST(RuntimeMessage, IsElseTheLastLine) {
  EXPECT_EQ(runtime_message("one\ntwo\n\n"), "two");
  EXPECT_EQ(runtime_message(""), "");
}

TEST(StatusOfFailure, IsThatOfAShell) {
  const auto status = [](const std::string& text) {
    return status_of_failure(Error{"runtime 'r': create: " + text});
  };
  EXPECT_EQ(status("exec: \"x\": executable file not found in $PATH"), 127);
  EXPECT_EQ(status("executable file `x` not found in $PATH: No such file or directory"), 127);
  EXPECT_EQ(status("execute '/x': No such file or directory (ENOENT)"), 127);
  EXPECT_EQ(status("exec: \"/x\": permission denied"), 126);
  EXPECT_EQ(status("execute '/x': Exec format error (ENOEXEC)"), 126);
  EXPECT_EQ(status("open config.json: no such file or directory"), 1);
  EXPECT_EQ(status_of_failure(Error{"execute 'runc': No such file or directory"}), 1);
}

TEST(LogDriver, NamesWhatIsWrong) {
  EXPECT_EQ(parse_log_driver("json:/a:b")->path, "/a:b");
  EXPECT_EQ(parse_log_driver("none")->kind, LogDriver::Kind::None);
  EXPECT_EQ(parse_log_driver("fluent:x").error().what, "unknown log driver 'fluent'");
  EXPECT_EQ(parse_log_driver("json").error().what, "log driver 'json' needs a file");
  EXPECT_EQ(parse_log_driver("none:x").error().what, "log driver 'none' takes no path");
}

class StateDirTest : public ::testing::Test {
 protected:
  TempDir dir_ = *TempDir::create("/tmp", "state-dir-test-");
};

TEST_F(StateDirTest, AnIdInUseIsRefusedAndALeftoverIsReplaced) {
  {
    const StateDir first = *StateDir::create(dir_.path(), "web");
    const auto second = StateDir::create(dir_.path(), "web");
    ASSERT_FALSE(second);
    EXPECT_NE(second.error().what.find("already exists"), std::string::npos);
  }
  EXPECT_NE(::access((dir_.path() + "/web").c_str(), F_OK), 0);
  ASSERT_TRUE(make_directories(dir_.path() + "/web"));
  ASSERT_TRUE(write_file_at(kCwd, dir_.path() + "/web/status", ""));
  EXPECT_TRUE(StateDir::create(dir_.path(), "web"));
}

TEST_F(StateDirTest, AnIdIsOneName) {
  for (const char* id : {"", ".", "..", "a/b", "../x"})
    EXPECT_FALSE(StateDir::create(dir_.path(), id)) << id;
}

TEST_F(StateDirTest, TheStatusOutlivesTheDirectory) {
  std::optional<StateDir> state(*StateDir::create(dir_.path(), "web"));
  const SeenState seen = *SeenState::open(dir_.path(), "web");
  EXPECT_TRUE(seen.alive());
  ASSERT_TRUE(state->record_exit(42));
  EXPECT_EQ(*seen.read("exit"), "42");
  state.reset();
  EXPECT_FALSE(seen.alive());
  EXPECT_EQ(*seen.wait_exit(), 42);
}

TEST_F(StateDirTest, AKilledShimLeavesAnUnknownStatus) {
  std::optional<StateDir> state(*StateDir::create(dir_.path(), "web"));
  const SeenState seen = *SeenState::open(dir_.path(), "web");
  state.reset();
  EXPECT_EQ(seen.wait_exit().error().what, "exit status of 'web' is unknown: its shim was killed");
}

}  // namespace
