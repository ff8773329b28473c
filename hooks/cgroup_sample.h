// SPDX-License-Identifier: Apache-2.0
// cgroup_sample.h - what a container has used until now, from its cgroup (v2, v1 and
// both beside one another) and its network namespace.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/fd.h"

using Count = std::optional<std::uint64_t>;

struct IoUse {
  std::string device;  // "8:0"
  std::uint64_t read_bytes = 0, write_bytes = 0, reads = 0, writes = 0;
};

struct InterfaceUse {
  std::string name;
  // receive: bytes, packets, errors, drops; then the same for transmit
  std::array<std::uint64_t, 8> counts = {};
};

struct Pressure {
  Count some, full;  // µs in which some, or all, processes had to wait
};

struct Sample {
  Count cpu_ns, user_ns, system_ns, throttled_ns, throttled_periods;
  Count memory, memory_limit, swap, oom_events, oom_kills, pids;
  Pressure cpu, memory_pressure, io;
  std::vector<IoUse> devices = {};
  std::vector<InterfaceUse> interfaces = {};
};

// Each reads one kernel file's text into the sample. Pure.
void add_cpu_stat(std::string_view text, Sample& out);           // v2, and throttling of v1
void add_memory_events(std::string_view text, Sample& out);      // v2, and v1's oom_control
void add_io_stat(std::string_view text, Sample& out);            // v2
void add_blkio(std::string_view text, bool bytes, Sample& out);  // v1
Pressure parse_pressure(std::string_view text);
void add_net_dev(std::string_view text, Sample& out);
Count parse_count(std::string_view text);  // nothing for "max"

// The cgroup paths of /proc/PID/cgroup: controller (or "" for v2) and path. Pure.
std::vector<std::pair<std::string, std::string>> parse_proc_cgroup(std::string_view text);

// The kernel files of one container. Opening one costs ten times as much as reading
// it, so whoever samples again and again holds them open.
class CgroupReader {
 public:
  enum class Hold { No, Yes };
  // `own` are our own cgroups: a container that shares one has none of its own there.
  static CgroupReader open(UniqueFd proc, std::string_view own, Hold hold);
  // Nothing when the container has ended.
  std::optional<Sample> read() const;

  static constexpr std::size_t kDescriptors = 16;  // at most, of one that is held

 private:
  using Use = void (*)(std::string_view text, Sample& out);
  struct File {
    const char* name;
    Use use;
  };
  struct OpenFile {
    FdRef directory;
    File file;
    UniqueFd held;
  };
  void add(UniqueFd directory, std::span<const File> files, Hold hold);

  UniqueFd proc_;
  bool own_network_ = false;
  std::vector<UniqueFd> directories_ = {};
  std::vector<OpenFile> files_ = {};

  static const std::array<File, 4> kPressureAndCpu;
  static const std::array<File, 6> kUnified;
  static const std::array<File, 1> kCpu, kCpuacct, kPids;
  static const std::array<File, 3> kMemory;
  static const std::array<File, 2> kBlkio;
};
