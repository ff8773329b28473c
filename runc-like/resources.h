// SPDX-License-Identifier: Apache-2.0
// resources.h - linux.resources of config.json as plain values, and nothing else.
//
// Reading is pure: no file, no system call. What a value becomes in a cgroup
// file is decided in cgroup_writes.h. `update --resources` reads the same form.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/json.h"

struct MemoryLimits {
  std::optional<std::int64_t> limit = {};  // bytes; -1: no limit
  std::optional<std::int64_t> reservation = {};
  std::optional<std::int64_t> swap = {};  // memory and swap together, as the specification has it
  std::optional<std::int64_t> kernel = {};
  std::optional<std::int64_t> kernel_tcp = {};
  std::optional<std::uint64_t> swappiness = {};
  std::optional<bool> disable_oom_killer = {};
  std::optional<bool> use_hierarchy = {};
  bool check_before_update = false;  // refuse a limit below the present use
};

struct CpuLimits {
  std::optional<std::uint64_t> shares = {};
  std::optional<std::int64_t> quota = {};
  std::optional<std::uint64_t> period = {};
  std::optional<std::uint64_t> burst = {};
  std::optional<std::int64_t> idle = {};
  std::optional<std::int64_t> realtime_runtime = {};
  std::optional<std::uint64_t> realtime_period = {};
  std::string cpus = {};
  std::string mems = {};
};

struct BlockWeight {
  std::int64_t major = 0;
  std::int64_t minor = 0;
  std::optional<std::uint16_t> weight = {};
  std::optional<std::uint16_t> leaf_weight = {};
  std::string field = {};  // JSON pointer of the entry
};

struct BlockThrottle {
  std::int64_t major = 0;
  std::int64_t minor = 0;
  std::uint64_t rate = 0;
  std::string field = {};
};

struct BlockIoLimits {
  std::optional<std::uint16_t> weight = {};
  std::optional<std::uint16_t> leaf_weight = {};
  std::vector<BlockWeight> devices = {};
  std::vector<BlockThrottle> read_bps = {};
  std::vector<BlockThrottle> write_bps = {};
  std::vector<BlockThrottle> read_iops = {};
  std::vector<BlockThrottle> write_iops = {};
};

struct HugepageLimit {
  std::string page_size;  // "2MB", as the kernel names its files
  std::uint64_t limit = 0;
  std::string field = {};
};

struct NetworkLimits {
  std::optional<std::uint32_t> class_id = {};
  std::vector<std::pair<std::string, std::uint32_t>> priorities = {};  // interface, priority
};

struct RdmaLimit {
  std::string device;
  std::optional<std::uint32_t> hca_handles = {};
  std::optional<std::uint32_t> hca_objects = {};
  std::string field = {};
};

// One line of the device list. Later rules win over earlier ones, for each kind
// of access by itself.
struct DeviceRule {
  static constexpr unsigned kMknod = 1;  // as BPF_DEVCG_ACC_*
  static constexpr unsigned kRead = 2;
  static constexpr unsigned kWrite = 4;
  static constexpr unsigned kAll = kMknod | kRead | kWrite;

  bool allow = false;
  char type = 'a';                         // 'a' every device, 'b', 'c'
  std::optional<std::int64_t> major = {};  // absent: any
  std::optional<std::int64_t> minor = {};
  unsigned access = kAll;
  std::string field = {};  // JSON pointer; empty for a default of ours
};

struct Resources {
  MemoryLimits memory = {};
  CpuLimits cpu = {};
  BlockIoLimits block_io = {};
  NetworkLimits network = {};
  std::optional<std::int64_t> pids = {};  // -1: no limit
  std::vector<HugepageLimit> hugepages = {};
  std::vector<RdmaLimit> rdma = {};
  std::vector<DeviceRule> devices = {};             // as given, without our defaults
  std::map<std::string, std::string> unified = {};  // cgroup v2 file name -> text
  std::string pointer = "/linux/resources";         // where it was read, for errors
};

// `view` is the resources object. Unknown members are ignored, as the
// specification asks; a wrong type or an impossible value is an error that names
// its field.
Result<Resources> parse_resources(const JsonView& view);
