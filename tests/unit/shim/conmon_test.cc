// SPDX-License-Identifier: Apache-2.0
// conmon_test.cc - what engines pass to a monitor and what they read from it.
#include <gtest/gtest.h>

#include <algorithm>

#include "conmon_options.h"
#include "conmon_sync.h"
#include "notify_relay.h"
#include "oom_watch.h"

namespace {

using Words = std::vector<std::string>;

std::string why(const Words& words) {
  const auto parsed = parse_conmon(words);
  return parsed ? "" : parsed.error().what;
}

TEST(ConmonOptions, TakesPodmansRun) {
  const auto command = parse_conmon(Words{"--api-version",
                                          "1",
                                          "-c",
                                          "cid",
                                          "-u",
                                          "cid",
                                          "-r",
                                          "/bin/true",
                                          "-b",
                                          "/b",
                                          "-p",
                                          "/p/pidfile",
                                          "-n",
                                          "t1",
                                          "--exit-dir",
                                          "/exits",
                                          "--full-attach",
                                          "-l",
                                          "k8s-file:/l/ctr.log",
                                          "--log-level",
                                          "warning",
                                          "--runtime-arg",
                                          "--log-format=json",
                                          "--runtime-arg",
                                          "--log",
                                          "--runtime-arg=/r/oci-log",
                                          "-t",
                                          "--conmon-pidfile",
                                          "/p/conmon.pid",
                                          "--exit-command",
                                          "/usr/bin/podman",
                                          "--exit-command-arg",
                                          "--network-config-dir",
                                          "--exit-command-arg",
                                          "",
                                          "--exit-command-arg",
                                          "--syslog",
                                          "--exit-command-arg",
                                          "cleanup"});
  ASSERT_TRUE(command) << command.error().text();
  EXPECT_EQ(command->api, 1);
  EXPECT_TRUE(command->terminal && command->full_attach && !command->syslog);
  EXPECT_EQ(command->exit_command,
            (Words{"/usr/bin/podman", "--network-config-dir", "", "--syslog", "cleanup"}));
  EXPECT_EQ(runtime_words(*command, "/s"),
            (Words{"/bin/true", "--log-format=json", "--log", "/r/oci-log", "create", "--bundle",
                   "/b", "--pid-file", "/p/pidfile", "--console-socket", "/s", "cid"}));
}

TEST(ConmonOptions, TakesCrioExecSync) {
  const auto command = parse_conmon(Words{"-c",
                                          "cid",
                                          "-n",
                                          "name",
                                          "-r",
                                          "/bin/true",
                                          "-p",
                                          "/tmp/pidfile1",
                                          "-e",
                                          "-l",
                                          "/tmp/crio-log1",
                                          "--socket-dir-path",
                                          "/var/run/crio",
                                          "--log-level",
                                          "info",
                                          "--sync",
                                          "--log-global-size-max",
                                          "16777216",
                                          "-T",
                                          "5",
                                          "-s",
                                          "--exec-process-spec",
                                          "/f"});
  ASSERT_TRUE(command) << command.error().text();
  EXPECT_TRUE(command->exec && command->sync && command->bundle.empty());
  EXPECT_EQ(command->timeout, 5);
  EXPECT_EQ(command->log_global_limit, 16777216U);
  EXPECT_EQ(command->logs.at(0).path, "/tmp/crio-log1");
  // --systemd-cgroup is for create and restore only.
  EXPECT_EQ(runtime_words(*command, ""), (Words{"/bin/true", "exec", "--pid-file", "/tmp/pidfile1",
                                                "--process", "/f", "--detach", "cid"}));
}

TEST(ConmonOptions, FailInConmonsWords) {
  const Words base = {"-c", "id", "-u", "id", "-r", "/bin/true"};
  const auto with = [&](Words more) {
    more.insert(more.begin(), base.begin(), base.end());
    return why(more);
  };
  EXPECT_EQ(why({"--foo"}), "option parsing failed: Unknown option --foo");
  EXPECT_EQ(why({}), "Container ID not provided. Use --cid");
  EXPECT_EQ(why({"-c", "id"}), "Container UUID not provided. Use --cuuid");
  EXPECT_EQ(why({"-c", "id", "-u", "id"}), "Runtime path not provided. Use --runtime");
  EXPECT_EQ(why({"-c", "id", "-r", "/bin/true"}), "Container UUID not provided. Use --cuuid");
  EXPECT_EQ(with({}), "Log driver not provided. Use --log-path");
  EXPECT_EQ(with({"-l", ""}), "log-path must not be empty");
  EXPECT_EQ(with({"-l", "k8s-file:"}), "k8s-file requires a filename");
  EXPECT_EQ(with({"-l", "fluentd:x"}), "No such log driver fluentd");
  EXPECT_EQ(with({"-l", "off", "--exec"}),
            "Exec process spec path not provided. Use --exec-process-spec");
}

TEST(ConmonOptions, LogPathsAreThoseOfConmon) {
  using Kind = LogDriver::Kind;
  EXPECT_EQ(parse_conmon_log(":/a")->path, "/a");
  EXPECT_EQ(parse_conmon_log("/a")->kind, Kind::K8sFile);
  EXPECT_EQ(parse_conmon_log("k8s-file:/a:b")->path, "/a:b");  // conmon would cut it at the colon
  EXPECT_EQ(parse_conmon_log(":journald")->path, "journald");
  EXPECT_EQ(parse_conmon_log("journald:x")->kind, Kind::Journald);
  EXPECT_EQ(parse_conmon_log("null:")->kind, Kind::None);
  EXPECT_EQ(parse_conmon_log("passthrough")->kind, Kind::Passthrough);
}

TEST(SyncMessage, HasConmonsForm) {
  EXPECT_EQ(sync_message("data", 12, ""), "{\"data\": 12}\n");
  EXPECT_EQ(sync_message("pid", -1, "a\"b\\c/\n\x01\x7f\xff"),
            "{\"pid\": -1, \"message\": \"a\\\"b\\\\c\\/\\n\\u0001\\u007f\xff\"}\n");
}

TEST(SyncMessage, FitsIntoWhatEnginesReadAtOnce) {
  const std::string message = sync_message("data", -1, std::string(8191, '\n'));
  EXPECT_LE(message.size(), 4095U);
  EXPECT_TRUE(message.ends_with("\\n\"}\n"));
}

TEST(Notifications, OnlyWhatAContainerMaySayPasses) {
  EXPECT_EQ(allowed_notifications("READY=1\nMAINPID=1\nSTATUS=up\nFDSTORE=1\nBARRIER=1\n"),
            "READY=1\nSTATUS=up");
  EXPECT_EQ(allowed_notifications("READY=12\nWATCHDOG=trigger"), "WATCHDOG=trigger");
}

TEST(OomWatch, FindsTheMemoryCgroup) {
  const auto v2 = find_memory_cgroup("0::/a/b\n");
  ASSERT_TRUE(v2);
  EXPECT_TRUE(v2->v2);
  EXPECT_EQ(v2->path, "/sys/fs/cgroup/a/b");
  const auto hybrid = find_memory_cgroup("9:name=systemd:/s\n4:cpu,memory:/m:x\n0::/u\n");
  ASSERT_TRUE(hybrid);
  EXPECT_FALSE(hybrid->v2);
  EXPECT_EQ(hybrid->path, "/sys/fs/cgroup/memory/m:x");
  EXPECT_FALSE(find_memory_cgroup("nonsense\n"));
}

TEST(OomWatch, ReadsTheCounter) {
  EXPECT_EQ(oom_kills("low 0\noom 7\noom_kill 3\noom_group_kill 0\n"), 3);
  EXPECT_EQ(oom_kills("oom_kill_disable 0\nunder_oom 0\noom_kill 1\n"), 1);
  EXPECT_FALSE(oom_kills("oom_kill_disable 0\n"));
}

}  // namespace
