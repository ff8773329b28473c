// SPDX-License-Identifier: Apache-2.0
#include "cgroup_sample.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "process_facts.h"
#include "small_file.h"

namespace {

constexpr std::string_view kMount = "/sys/fs/cgroup";

UniqueFd open_cgroup(const std::string& hierarchy, const std::string& path) {
  return UniqueFd(
      ::open((std::string(kMount) + hierarchy + path).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
}

// With systemd inside, the first process lives in a cgroup of its own below.
std::string container_path(std::string path) {
  constexpr std::string_view kInit = "/init.scope";
  if (path.ends_with(kInit)) path.resize(path.size() - kInit.size());
  return path;
}

bool is_own_network(FdRef proc) {
  struct stat theirs = {};
  struct stat ours = {};
  return ::fstatat(proc.get(), "ns/net", &theirs, 0) == 0 &&
         ::stat("/proc/self/ns/net", &ours) == 0 && theirs.st_ino != ours.st_ino;
}

}  // namespace

const std::array<CgroupReader::File, 4> CgroupReader::kPressureAndCpu = {{
    {"cpu.stat", add_cpu_stat},
    {"cpu.pressure", [](std::string_view t, Sample& out) { out.cpu = parse_pressure(t); }},
    {"memory.pressure",
     [](std::string_view t, Sample& out) { out.memory_pressure = parse_pressure(t); }},
    {"io.pressure", [](std::string_view t, Sample& out) { out.io = parse_pressure(t); }},
}};
const std::array<CgroupReader::File, 6> CgroupReader::kUnified = {{
    {"memory.current", [](std::string_view t, Sample& out) { out.memory = parse_count(t); }},
    {"memory.max", [](std::string_view t, Sample& out) { out.memory_limit = parse_count(t); }},
    {"memory.swap.current", [](std::string_view t, Sample& out) { out.swap = parse_count(t); }},
    {"memory.events", add_memory_events},
    {"io.stat", add_io_stat},
    {"pids.current", [](std::string_view t, Sample& out) { out.pids = parse_count(t); }},
}};
const std::array<CgroupReader::File, 1> CgroupReader::kCpu = {{{"cpu.stat", add_cpu_stat}}};
const std::array<CgroupReader::File, 1> CgroupReader::kCpuacct = {{
    {"cpuacct.usage", [](std::string_view t, Sample& out) { out.cpu_ns = parse_count(t); }},
}};
const std::array<CgroupReader::File, 3> CgroupReader::kMemory = {{
    {"memory.usage_in_bytes", [](std::string_view t, Sample& out) { out.memory = parse_count(t); }},
    {"memory.limit_in_bytes",
     [](std::string_view t, Sample& out) {
       constexpr std::uint64_t kNone = std::uint64_t{1} << 60;  // v1 has no word for it
       const Count limit = parse_count(t);
       if (limit && *limit < kNone) out.memory_limit = limit;
     }},
    {"memory.oom_control", add_memory_events},
}};
const std::array<CgroupReader::File, 2> CgroupReader::kBlkio = {{
    {"blkio.throttle.io_service_bytes",
     [](std::string_view t, Sample& out) { add_blkio(t, true, out); }},
    {"blkio.throttle.io_serviced",
     [](std::string_view t, Sample& out) { add_blkio(t, false, out); }},
}};
const std::array<CgroupReader::File, 1> CgroupReader::kPids = {{
    {"pids.current", [](std::string_view t, Sample& out) { out.pids = parse_count(t); }},
}};

void CgroupReader::add(UniqueFd directory, std::span<const File> files, Hold hold) {
  if (!directory) return;
  for (const File& file : files) {
    UniqueFd held;
    if (hold == Hold::Yes) {
      held.reset(::openat(directory.get(), file.name, O_RDONLY | O_CLOEXEC));
      if (!held && errno == ENOENT) continue;  // a controller or a kernel that lacks it
    }
    files_.push_back({directory, file, std::move(held)});
  }
  directories_.push_back(std::move(directory));
}

CgroupReader CgroupReader::open(UniqueFd proc, std::string_view own, Hold hold) {
  CgroupReader out;
  std::array<char, 4096> buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init): read fills it
  const auto ours = parse_proc_cgroup(own);
  const auto theirs = parse_proc_cgroup(read_small(proc, "cgroup", buffer));
  for (const auto& [controller, whole] : theirs) {
    const std::string path = container_path(whole);
    if (path == "/" || std::ranges::find(ours, std::pair(controller, path)) != ours.end()) continue;
    if (controller.empty()) {
      // Beside v1 the controllers of v2 are there, and what is counted without one is here.
      const bool pure = theirs.size() == 1;
      out.add(open_cgroup(pure ? "" : "/unified", path), kPressureAndCpu, hold);
      if (pure) out.add(open_cgroup("", path), kUnified, hold);
    }
    if (controller == "cpu") out.add(open_cgroup("/cpu", path), kCpu, hold);
    if (controller == "cpuacct") out.add(open_cgroup("/cpuacct", path), kCpuacct, hold);
    if (controller == "memory") out.add(open_cgroup("/memory", path), kMemory, hold);
    if (controller == "blkio") out.add(open_cgroup("/blkio", path), kBlkio, hold);
    if (controller == "pids") out.add(open_cgroup("/pids", path), kPids, hold);
  }
  out.own_network_ = is_own_network(proc);
  out.proc_ = std::move(proc);
  return out;
}

std::optional<Sample> CgroupReader::read() const {
  std::array<char, 16384> buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init): as above
  Sample out;
  // Not held: its descriptor would keep the network alive after the container.
  const std::string_view network = own_network_ ? read_small(proc_, "net/dev", buffer) : "";
  if (network.empty() && has_ended(read_small(proc_, "stat", buffer))) return std::nullopt;
  add_net_dev(network, out);
  for (const OpenFile& open : files_) {
    if (!open.held) {
      open.file.use(read_small(open.directory, open.file.name, buffer), out);
      continue;
    }
    const ssize_t n = ::pread(open.held.get(), buffer.data(), buffer.size(), 0);
    if (n > 0) open.file.use({buffer.data(), static_cast<std::size_t>(n)}, out);
  }
  return out;
}
