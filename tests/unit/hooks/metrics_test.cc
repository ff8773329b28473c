// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "container_list.h"
#include "metrics_server.h"
#include "metrics_text.h"

namespace {

TEST(KernelTexts, OfVersionTwo) {
  Sample sample;
  add_cpu_stat("usage_usec 2500000\nuser_usec 1\nsystem_usec 2\nnr_throttled 3\nthrottled_usec 4\n",
               sample);
  EXPECT_EQ(sample.cpu_ns, 2'500'000'000U);
  EXPECT_EQ(sample.throttled_periods, 3U);
  add_memory_events("low 0\nhigh 0\nmax 9\noom 2\noom_kill 1\noom_group_kill 0\n", sample);
  EXPECT_EQ(sample.oom_events, 2U);
  EXPECT_EQ(sample.oom_kills, 1U);
  add_io_stat("8:0 rbytes=10 wbytes=20 rios=1 wios=2 dbytes=0 dios=0\n7:0 \n", sample);
  ASSERT_EQ(sample.devices.size(), 1U);
  EXPECT_EQ(sample.devices[0].write_bytes, 20U);
  const Pressure pressure = parse_pressure(
      "some avg10=0.00 avg60=0.00 avg300=0.00 total=123\nfull avg10=0.00 avg60=0.00 avg300=0.00 "
      "total=7\n");
  EXPECT_EQ(pressure.some, 123U);
  EXPECT_EQ(pressure.full, 7U);
  EXPECT_FALSE(parse_count("max\n"));
  EXPECT_FALSE(parse_count(""));
}

TEST(KernelTexts, OfVersionOne) {
  Sample sample;
  add_memory_events("oom_kill_disable 0\nunder_oom 0\noom_kill 5\n", sample);
  EXPECT_EQ(sample.oom_kills, 5U);
  EXPECT_FALSE(sample.oom_events);
  add_cpu_stat("nr_periods 1\nnr_throttled 1\nthrottled_time 777\n", sample);
  EXPECT_EQ(sample.throttled_ns, 777U);
  add_blkio("8:0 Read 10\n8:0 Write 20\n8:0 Total 30\nTotal 30\n", true, sample);
  add_blkio("8:0 Read 1\n8:0 Write 2\n", false, sample);
  ASSERT_EQ(sample.devices.size(), 1U);
  EXPECT_EQ(sample.devices[0].read_bytes, 10U);
  EXPECT_EQ(sample.devices[0].writes, 2U);
}

TEST(KernelTexts, NetworkDevices) {
  Sample sample;
  add_net_dev(
      "Inter-|   Receive |  Transmit\n face |bytes packets\n"
      "    lo:     1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n"
      "  eth0: 100 2 3 4 5 6 7 8 200 10 11 12 13 14 15 16\n",
      sample);
  ASSERT_EQ(sample.interfaces.size(), 1U);
  EXPECT_EQ(sample.interfaces[0].name, "eth0");
  EXPECT_EQ(sample.interfaces[0].counts,
            (std::array<std::uint64_t, 8>{100, 2, 3, 4, 200, 10, 11, 12}));
}

TEST(KernelTexts, ProcCgroup) {
  const auto paths = parse_proc_cgroup("4:cpu,cpuacct:/a\n1:name=systemd:/b\n0::/c\n");
  const std::vector<std::pair<std::string, std::string>> expected = {
      {"cpu", "/a"}, {"cpuacct", "/a"}, {"name=systemd", "/b"}, {"", "/c"}};
  EXPECT_EQ(paths, expected);
}

TEST(MainProcess, InTheStateOfEveryRuntime) {
  const auto ours = find_main_process(R"({"bundle":"/b\"pid\":1,","pid":42,"startTime":7,"x":1})");
  EXPECT_EQ(ours->pid, 42);
  EXPECT_EQ(ours->start_ticks, 7U);
  const auto runc =
      find_main_process(R"({"id":"a","init_process_pid":43,"init_process_start":8,"config":{)");
  EXPECT_EQ(runc->pid, 43);
  EXPECT_EQ(runc->start_ticks, 8U);
  const auto crun = find_main_process("{\n  \"pid\": 44,\n  \"process-start-time\": 9,\n");
  EXPECT_EQ(crun->pid, 44);
  EXPECT_EQ(crun->start_ticks, 9U);
  EXPECT_FALSE(find_main_process(R"({"pid":0})"));
  EXPECT_FALSE(find_main_process(""));
}

TEST(MetricsText, BothFormats) {
  Sample sample;
  sample.cpu_ns = 1'000'000'001;
  sample.pids = 3;
  sample.interfaces = {{"eth0", {1, 2, 3, 4, 5, 6, 7, 8}}};
  const auto text = [&](MetricsFormat format) {
    MetricsText out;
    out.add("we\"b", "/run/runc", sample);
    return out.finish(format, 7, 0.5);
  };
  const std::string open = text(MetricsFormat::OpenMetrics);
  EXPECT_NE(open.find("# TYPE container_cpu_usage_seconds counter\n"
                      "container_cpu_usage_seconds_total{id=\"we\\\"b\",runtime=\"/run/runc\"} "
                      "1.000000001\n"),
            std::string::npos)
      << open;
  EXPECT_NE(open.find("container_network_transmit_drops_total{id=\"we\\\"b\",runtime=\"/run/"
                      "runc\",interface=\"eth0\"} 8\n"),
            std::string::npos);
  EXPECT_NE(open.find("container_events_dropped_total 7\n"), std::string::npos);
  EXPECT_EQ(open.find("container_memory"), std::string::npos);
  EXPECT_TRUE(open.ends_with("# EOF\n"));
  const std::string older = text(MetricsFormat::Prometheus);
  EXPECT_NE(older.find("# TYPE container_cpu_usage_seconds_total counter\n"), std::string::npos);
  EXPECT_EQ(older.find("# EOF"), std::string::npos);
}

TEST(HttpRequest, OnlyWhatAScraperAsks) {
  EXPECT_EQ(parse_request("GET /metrics HTTP/1.1\r\n\r\n").status, 200);
  EXPECT_EQ(parse_request("GET /metrics?x=1 HTTP/1.0\r\n\r\n").status, 200);
  EXPECT_EQ(parse_request("GET /etc/passwd HTTP/1.1\r\n\r\n").status, 404);
  EXPECT_EQ(parse_request("POST /metrics HTTP/1.1\r\n\r\n").status, 405);
  EXPECT_EQ(parse_request("\r\n\r\n").status, 400);
  EXPECT_EQ(parse_request("GET /metrics HTTP/1.1\r\nAccept: "
                          "application/openmetrics-text;version=1.0.0\r\n\r\n")
                .format,
            MetricsFormat::OpenMetrics);
}

TEST(ListenOn, RefusesWhatOthersCouldReach) {
  for (const char* address : {"0.0.0.0:0", "192.0.2.1:80", "[::]:80", "80", "127.0.0.1:x", "unix:"})
    EXPECT_FALSE(listen_on(address)) << address;
  EXPECT_TRUE(listen_on("127.0.0.1:0"));
}

}  // namespace
