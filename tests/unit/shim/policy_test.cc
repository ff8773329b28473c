// SPDX-License-Identifier: Apache-2.0
// policy_test.cc - restart policies, health, durations, times, keys, metrics.
#include <gtest/gtest.h>
#include <unistd.h>

#include "common/temp_dir.h"

#include "cgroup_stats.h"
#include "duration.h"
#include "health.h"
#include "log_filter.h"
#include "process_info.h"
#include "restart_policy.h"
#include "signal_name.h"
#include "verbs.h"

namespace {

using std::chrono::milliseconds;

TEST(RestartPolicy, WaitsTwiceAsLongEachTimeAndBeginsAnewAfterAGoodLife) {
  RestartPolicy policy = *RestartPolicy::parse("always");
  EXPECT_EQ(policy.next(0, milliseconds(5), false), milliseconds(100));
  EXPECT_EQ(policy.next(0, milliseconds(5), false), milliseconds(200));
  for (int i = 0; i < 20; ++i) (void)policy.next(1, milliseconds(5), false);
  EXPECT_EQ(policy.next(1, milliseconds(5), false), milliseconds(60'000));
  EXPECT_EQ(policy.next(1, milliseconds(10'000), false), milliseconds(100));
  EXPECT_EQ(policy.count(), 24U);
  EXPECT_FALSE(policy.next(1, milliseconds(5), true));
}

TEST(RestartPolicy, OnFailureCountsAndEndsWithSuccess) {
  RestartPolicy policy = *RestartPolicy::parse("on-failure:2");
  EXPECT_TRUE(policy.next(1, milliseconds(5), false));
  EXPECT_TRUE(policy.next(137, milliseconds(5), false));
  EXPECT_FALSE(policy.next(1, milliseconds(5), false));
  EXPECT_FALSE(RestartPolicy::parse("on-failure")->next(0, milliseconds(5), false));
  EXPECT_FALSE(RestartPolicy::parse("no")->next(1, milliseconds(5), false));
  for (const char* text : {"", "never", "always:3", "on-failure:", "on-failure:0", "on-failure:x"})
    EXPECT_FALSE(RestartPolicy::parse(text)) << text;
}

TEST(HealthRecord, IsUnhealthyAfterFailuresInARow) {
  HealthRecord record(2);
  EXPECT_EQ(record.text(), "starting");
  EXPECT_FALSE(record.take(1, true));
  EXPECT_EQ(record.failures(), 0U);
  EXPECT_TRUE(record.take(0, true));
  EXPECT_FALSE(record.take(1, true));  // it was well before, so this counts
  EXPECT_EQ(record.text(), "healthy");
  EXPECT_TRUE(record.take(1, false));
  EXPECT_EQ(record.text(), "unhealthy");
  EXPECT_TRUE(record.take(0, false));
  EXPECT_EQ(record.failures(), 0U);
}

TEST(Duration, IsANumberAndAUnit) {
  EXPECT_EQ(parse_duration("90"), milliseconds(90'000));
  EXPECT_EQ(parse_duration("1h30m"), milliseconds(5'400'000));
  EXPECT_EQ(parse_duration("250ms"), milliseconds(250));
  EXPECT_EQ(parse_duration("2d"), milliseconds(172'800'000));
  for (const char* text :
       {"", "s", "1x", "-1s", "1h30", "1.5s", "99999999999999999999", "99999999d"})
    EXPECT_FALSE(parse_duration(text)) << text;
}

TEST(Moment, IsAnInstantOrSoLongAgo) {
  const timespec now = {1000, 100'000'000};
  EXPECT_EQ(parse_moment("1970-01-01T00:00:07Z", now)->tv_sec, 7);
  EXPECT_EQ(parse_moment("123", now)->tv_sec, 123);
  EXPECT_EQ(parse_moment("10m", now)->tv_sec, 400);
  EXPECT_EQ(parse_moment("200ms", now)->tv_nsec, 900'000'000);
  EXPECT_FALSE(parse_moment("yesterday", now));
}

std::string chosen(std::vector<std::string> words) {
  constexpr auto kTable = std::to_array<Option>({{"since", 0, Option::Kind::Value},
                                                 {"until", 0, Option::Kind::Value},
                                                 {"stream", 0, Option::Kind::Value},
                                                 {"grep", 0, Option::Kind::Value}});
  const auto filter = LogFilter::create(parse_words(kTable, words)->options, {100, 0});
  if (!filter) return filter.error().what;
  std::string out;
  for (const LogRecord& record : {LogRecord{Stream::Out, "apple\n", "1970-01-01T00:00:10Z"},
                                  LogRecord{Stream::Err, "pear", "1970-01-01T00:00:20.5Z"},
                                  LogRecord{Stream::Out, "plum\n", "1970-01-01T00:00:30Z"}})
    if (filter->wants(record)) out += record.text.substr(0, 2);
  return out;
}

TEST(LogFilter, ChoosesByTimeStreamAndText) {
  EXPECT_EQ(chosen({}), "appepl");
  EXPECT_EQ(chosen({"--since", "80s"}), "pepl");
  EXPECT_EQ(chosen({"--until", "1970-01-01T00:00:20.5Z"}), "ap");
  EXPECT_EQ(chosen({"--stream", "stderr"}), "pe");
  EXPECT_EQ(chosen({"--grep", "^p.*(r|m)$"}), "pepl");
  EXPECT_EQ(chosen({"--grep", "("}).substr(0, 10), "--grep '('");
  EXPECT_EQ(chosen({"--stream", "both"}), "--stream 'both' is neither stdout nor stderr");
}

TEST(DetachKeys, AreWrittenAsDockerWritesThem) {
  EXPECT_EQ(parse_detach_keys("ctrl-p,ctrl-q"), "\x10\x11");
  EXPECT_EQ(parse_detach_keys("a,ctrl-[,ctrl-A"), "a\x1b\x01");
  EXPECT_EQ(parse_detach_keys(""), "");
  for (const char* text : {"ab", "ctrl-", "ctrl-1", "ctrl-ab"})
    EXPECT_FALSE(parse_detach_keys(text)) << text;
}

TEST(SignalNumber, TakesNamesAndNumbers) {
  EXPECT_EQ(signal_number("TERM"), 15);
  EXPECT_EQ(signal_number("SIGKILL"), 9);
  EXPECT_EQ(signal_number("2"), 2);
  for (const char* text : {"", "NOPE", "0", "9999"}) EXPECT_FALSE(signal_number(text)) << text;
}

TEST(ProcessInfo, AProcessIsKnownByItsStart) {
  EXPECT_TRUE(start_of_process(::getpid()));
  EXPECT_EQ(start_of_process(::getpid()), start_of_process(::getpid()));
  EXPECT_FALSE(start_of_process(0x7ffffff0));
}

TEST(CgroupStats, FindsThePlacesOfBothVersions) {
  const auto v1 = cgroup_places("4:memory:/a\n3:cpu,cpuacct:/b\n2:pids:/\n0::/u\n", "/m", false);
  EXPECT_EQ(v1.memory, "/m/memory/a");
  EXPECT_EQ(v1.cpu, "/m/cpuacct/b");
  EXPECT_EQ(v1.pids, "");  // the whole host's
  EXPECT_EQ(v1.pressure, "/m/unified/u");
  EXPECT_EQ(cgroup_places("0::/x.scope\n", "/m", true).io, "/m/x.scope");
}

TEST(CgroupStats, ReadsTheFilesOfVersion2) {
  const TempDir dir = *TempDir::create("/tmp", "cgroup-stats-test-");
  const auto put = [&](const char* name, const char* text) {
    ASSERT_TRUE(replace_file(dir.path() + "/" + name, text));
  };
  put("cpu.stat", "usage_usec 1500000\nuser_usec 1\nnr_throttled 3\n");
  put("memory.current", "4096\n");
  put("memory.max", "max\n");
  put("memory.events", "low 0\noom_kill 2\n");
  put("io.stat", "8:0 rbytes=10 wbytes=20 rios=1 wios=2 dbytes=0 dios=0\n");
  put("pids.current", "7\n");
  put("memory.pressure",
      "some avg10=0.00 avg60=0.00 avg300=0.00 total=2500000\nfull avg10=0 total=500000\n");
  CgroupStats stats = read_cgroup_stats(cgroup_places("0::/\n0::" + dir.path(), "", true));
  EXPECT_DOUBLE_EQ(stats["cpu_usage_seconds"][""], 1.5);
  EXPECT_EQ(stats["memory_usage_bytes"][""], 4096);
  EXPECT_FALSE(stats.contains("memory_limit_bytes"));
  EXPECT_EQ(stats["memory_oom_kills"][""], 2);
  EXPECT_EQ(stats["io_written_bytes"]["8:0"], 20);
  EXPECT_EQ(stats["pids"][""], 7);
  EXPECT_EQ(stats["pressure_some_seconds"]["memory"], 2.5);
  EXPECT_EQ(stats["pressure_full_seconds"]["memory"], 0.5);
}

}  // namespace
