// SPDX-License-Identifier: Apache-2.0
#include "resources.h"

#include <gtest/gtest.h>

#include "cgroup_writes.h"

namespace {

Result<Resources> parse(std::string_view json) {
  static std::optional<JsonDocument> document;  // views point into it
  auto parsed = JsonDocument::parse("config.json", json);
  if (!parsed) return std::move(parsed).error();
  document = *std::move(parsed);
  return parse_resources(document->root());
}

std::string complaint(std::string_view json) {
  const auto result = parse(json);
  return result ? "" : result.error().text();
}

// "file=value file=value…", or the error.
std::string written(std::string_view json, CgroupVersion version) {
  const auto resources = parse(json);
  if (!resources) return resources.error().text();
  const auto writes = cgroup_writes(*resources, version);
  if (!writes) return writes.error().text();
  std::string out;
  for (const CgroupWrite& w : *writes) out += (out.empty() ? "" : " ; ") + w.file + "=" + w.value;
  return out;
}

std::string v1(std::string_view json) {
  return written(json, CgroupVersion::V1);
}

std::string v2(std::string_view json) {
  return written(json, CgroupVersion::V2);
}

TEST(Resources, NamesTheFieldThatIsWrong) {
  EXPECT_EQ(complaint(R"({"memory":{"limit":"1m"}})"),
            "config.json: /memory/limit: expected an integer, found a string");
  EXPECT_EQ(complaint(R"({"memory":{"limit":-2}})"),
            "config.json: /memory/limit: must be -1 (no limit) or more");
  EXPECT_EQ(complaint(R"({"cpu":{"cpus":"0-1;reboot"}})"),
            "config.json: /cpu/cpus: expected a list such as '0-3,7', found '0-1;reboot'");
  EXPECT_EQ(complaint(R"({"blockIO":{"weight":5}})"),
            "config.json: /blockIO/weight: must be between 10 and 1000");
  EXPECT_EQ(complaint(R"({"hugepageLimits":[{"pageSize":"../x","limit":1}]})"),
            "config.json: /hugepageLimits/0/pageSize: expected a size such as '2MB', found '../x'");
  EXPECT_EQ(complaint(R"({"unified":{"../cgroup.procs":"1"}})"),
            "config.json: /unified/..~1cgroup.procs: is no name of a cgroup file");
  EXPECT_EQ(complaint(R"({"devices":[{"allow":true,"access":"rx"}]})"),
            "config.json: /devices/0/access: expected letters of 'rwm'");
  EXPECT_EQ(complaint(R"({"devices":[{"access":"r"}]})"), "config.json: /devices/0/allow: missing");
  EXPECT_EQ(complaint(R"({"memory":[]})"), "config.json: /memory: expected an object");
}

TEST(Resources, ReadsDeviceRulesWithTheirDefaults) {
  const auto r = parse(R"({"devices":[{"allow":false,"access":"rwm"},
      {"allow":true,"type":"c","major":1,"minor":-1,"access":"rm"}]})");
  ASSERT_TRUE(r);
  EXPECT_EQ(r->devices[0].type, 'a');
  EXPECT_EQ(r->devices[1].major, 1);
  EXPECT_FALSE(r->devices[1].minor) << "-1 is any";
  EXPECT_EQ(r->devices[1].access, DeviceRule::kRead | DeviceRule::kMknod);
}

TEST(CgroupWrites, TurnNothingIntoNothing) {
  const std::string_view zeros = R"({"memory":{"limit":0,"swap":0,"reservation":0},
      "cpu":{"shares":0,"quota":0,"period":0},"blockIO":{"weight":0}})";
  EXPECT_EQ(v1("{}"), "");
  EXPECT_EQ(v2("{}"), "");
  EXPECT_EQ(v1(zeros), "");
  EXPECT_EQ(v2(zeros), "");
}

TEST(CgroupWrites, CountSwapAsEachVersionDoes) {
  const std::string_view both = R"({"memory":{"limit":1000,"swap":3000,"reservation":500}})";
  EXPECT_EQ(v2(both), "memory.swap.max=2000 ; memory.max=1000 ; memory.low=500");
  EXPECT_EQ(v1(both),
            "memory.limit_in_bytes=1000 ; memory.memsw.limit_in_bytes=3000 ; "
            "memory.soft_limit_in_bytes=500");
  EXPECT_EQ(v2(R"({"memory":{"limit":1000,"swap":1000}})"), "memory.swap.max=0 ; memory.max=1000");
  EXPECT_EQ(v2(R"({"memory":{"limit":1000,"swap":-1}})"), "memory.swap.max=max ; memory.max=1000");
  EXPECT_EQ(v2(R"({"memory":{"limit":-1}})"), "memory.swap.max=max ; memory.max=max");
  EXPECT_EQ(v1(R"({"memory":{"limit":-1}})"),
            "memory.limit_in_bytes=-1 ; memory.memsw.limit_in_bytes=-1");
  EXPECT_NE(v2(R"({"memory":{"swap":5}})").find("needs a memory.limit"), std::string::npos);
  EXPECT_NE(v2(R"({"memory":{"limit":9,"swap":5}})").find("is less than"), std::string::npos);
}

TEST(CgroupWrites, KeepTheUsualShareTheUsualWeight) {
  EXPECT_EQ(weight_of_shares(0), 1U);
  EXPECT_EQ(weight_of_shares(2), 1U);
  EXPECT_EQ(weight_of_shares(1024), 100U);
  EXPECT_EQ(weight_of_shares(262144), 10000U);
  EXPECT_EQ(weight_of_shares(~0ULL), 10000U);
  std::uint64_t last = 0;
  for (std::uint64_t shares = 2; shares <= 262144; shares += 101) {
    EXPECT_GE(weight_of_shares(shares), last);
    last = weight_of_shares(shares);
  }
}

TEST(CgroupWrites, SetBandwidthAsAPair) {
  EXPECT_EQ(v2(R"({"cpu":{"quota":50000,"period":100000}})"), "cpu.max=50000 100000");
  EXPECT_EQ(v2(R"({"cpu":{"quota":50000}})"), "cpu.max=50000");
  EXPECT_EQ(v2(R"({"cpu":{"quota":-1}})"), "cpu.max=max");
  EXPECT_EQ(v2(R"({"cpu":{"period":20000}})"), "cpu.max=max 20000");
  EXPECT_EQ(v1(R"({"cpu":{"quota":50000,"period":100000,"shares":512}})"),
            "cpu.shares=512 ; cpu.cfs_period_us=100000 ; cpu.cfs_quota_us=50000");
}

TEST(CgroupWrites, GiveAnIdleGroupNoWeight) {
  EXPECT_EQ(v2(R"({"cpu":{"idle":1,"shares":512}})"), "cpu.idle=1");
  EXPECT_EQ(v1(R"({"cpu":{"idle":1,"shares":512}})"), "cpu.idle=1");
  EXPECT_EQ(v2(R"({"cpu":{"idle":0,"shares":1024}})"), "cpu.idle=0 ; cpu.weight=100");
}

TEST(CgroupWrites, ConvertBlockIo) {
  EXPECT_EQ(io_weight_of_blkio(10), 1U);
  EXPECT_EQ(io_weight_of_blkio(1000), 10000U);
  const std::string_view json = R"({"blockIO":{"weight":500,
      "weightDevice":[{"major":8,"minor":0,"weight":20}],
      "throttleReadBpsDevice":[{"major":8,"minor":0,"rate":1000}],
      "throttleWriteIOPSDevice":[{"major":8,"minor":0,"rate":7}]}})";
  EXPECT_EQ(v2(json),
            "io.bfq.weight=default 500 ; io.bfq.weight=8:0 20 ; io.max=8:0 rbps=1000 ; "
            "io.max=8:0 wiops=7");
  EXPECT_EQ(v1(json),
            "blkio.bfq.weight=500 ; blkio.bfq.weight_device=8:0 20 ; "
            "blkio.throttle.read_bps_device=8:0 1000 ; blkio.throttle.write_iops_device=8:0 7");
}

TEST(CgroupWrites, LimitProcessesSoThatInitStillFits) {
  EXPECT_EQ(v2(R"({"pids":{"limit":20}})"), "pids.max=20");
  EXPECT_EQ(v2(R"({"pids":{"limit":-1}})"), "pids.max=max");
  EXPECT_EQ(v1(R"({"pids":{"limit":0}})"), "pids.max=1");
}

TEST(CgroupWrites, CoverTheRareControllers) {
  EXPECT_EQ(v2(R"({"hugepageLimits":[{"pageSize":"2MB","limit":4194304}]})"),
            "hugetlb.2MB.max=4194304 ; hugetlb.2MB.rsvd.max=4194304");
  EXPECT_EQ(v1(R"({"hugepageLimits":[{"pageSize":"1GB","limit":0}]})"),
            "hugetlb.1GB.limit_in_bytes=0 ; hugetlb.1GB.rsvd.limit_in_bytes=0");
  EXPECT_EQ(v2(R"({"rdma":{"mlx5_1":{"hcaHandles":3,"hcaObjects":10000}}})"),
            "rdma.max=mlx5_1 hca_handle=3 hca_object=10000");
  EXPECT_EQ(v1(R"({"network":{"classID":1048577,"priorities":[{"name":"eth0","priority":5}]}})"),
            "net_cls.classid=1048577 ; net_prio.ifpriomap=eth0 5");
  EXPECT_EQ(v2(R"({"unified":{"memory.high":"100","cgroup.max.depth":"2"}})"),
            "cgroup.max.depth=2 ; memory.high=100");
}

TEST(CgroupWrites, ThrottleEachDirectionInBothUnits) {
  const std::string_view json = R"({"blockIO":{
      "throttleReadIOPSDevice":[{"major":8,"minor":1,"rate":11}],
      "throttleWriteBpsDevice":[{"major":8,"minor":2,"rate":12}]}})";
  EXPECT_EQ(v2(json), "io.max=8:2 wbps=12 ; io.max=8:1 riops=11");
  EXPECT_EQ(v1(json),
            "blkio.throttle.write_bps_device=8:2 12 ; blkio.throttle.read_iops_device=8:1 11");
}

TEST(CgroupWrites, KnowWhatOnlyTheFirstVersionHas) {
  EXPECT_EQ(v1(R"({"blockIO":{"leafWeight":30,
                    "weightDevice":[{"major":8,"minor":0,"leafWeight":40}]}})"),
            "blkio.leaf_weight=30 ; blkio.leaf_weight_device=8:0 40");
  EXPECT_EQ(v1(R"({"memory":{"kernelTCP":4096}})"), "memory.kmem.tcp.limit_in_bytes=4096");
  EXPECT_EQ(v1(R"({"cpu":{"realtimePeriod":1000,"realtimeRuntime":9}})"),
            "cpu.rt_period_us=1000 ; cpu.rt_runtime_us=9");
  EXPECT_NE(v2(R"({"cpu":{"realtimePeriod":9}})").find("/cpu/realtimePeriod"), std::string::npos);
}

TEST(CgroupWrites, SaveUpTimeAndBindToNodes) {
  EXPECT_EQ(v1(R"({"cpu":{"burst":700,"mems":"0-1"}})"), "cpu.cfs_burst_us=700 ; cpuset.mems=0-1");
  EXPECT_EQ(v2(R"({"cpu":{"burst":700,"mems":"0-1"}})"), "cpu.max.burst=700 ; cpuset.mems=0-1");
}

TEST(Resources, ReadsWhatDecidesHowMemoryIsSet) {
  EXPECT_TRUE(
      parse(R"({"memory":{"limit":1,"checkBeforeUpdate":true}})")->memory.check_before_update);
  EXPECT_FALSE(parse(R"({"memory":{"limit":1}})")->memory.check_before_update);
  const auto flat = parse(R"({"memory":{"useHierarchy":false}})");
  EXPECT_EQ(resource_warnings(*flat, CgroupVersion::V1).size(), 1U);
}

TEST(CgroupWrites, RefuseWhatTheVersionCannotDo) {
  for (const char* json :
       {R"({"memory":{"swappiness":10}})", R"({"memory":{"disableOOMKiller":true}})",
        R"({"cpu":{"realtimeRuntime":9}})", R"({"network":{"classID":1}})"})
    EXPECT_NE(v2(json).find("cgroup v2 has no such limit"), std::string::npos) << json;
  EXPECT_NE(v1(R"({"unified":{"memory.high":"1"}})").find("cgroup v1"), std::string::npos);
  EXPECT_EQ(v2(R"({"memory":{"disableOOMKiller":false}})"), "") << "what docker always sends";
}

TEST(CgroupWrites, PointAtTheFieldOfTheConfiguration) {
  Resources r;
  r.memory.limit = 5;
  r.block_io.read_bps = {{8, 0, 1, "/linux/resources/blockIO/throttleReadBpsDevice/0"}};
  const auto writes = cgroup_writes(r, CgroupVersion::V2);
  ASSERT_TRUE(writes);
  EXPECT_EQ((*writes)[0].field, "/linux/resources/memory/limit");
  EXPECT_EQ((*writes)[1].field, "/linux/resources/blockIO/throttleReadBpsDevice/0");
}

TEST(ResourceWarnings, SayWhatHasNoEffect) {
  Resources r;
  r.memory.kernel = 4096;
  ASSERT_EQ(resource_warnings(r, CgroupVersion::V2).size(), 1U);
  EXPECT_TRUE(resource_warnings(Resources{}, CgroupVersion::V1).empty());
}

}  // namespace
