// SPDX-License-Identifier: Apache-2.0
#include "cgroup_writes.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace {

// Go code sends 0 for numbers that nobody set, and 0 is no limit that a process
// could live under.
template <class T>
bool is_set(const std::optional<T>& value) {
  return value && *value != 0;
}

std::string text_or(std::int64_t value, std::string_view unlimited) {
  return value < 0 ? std::string(unlimited) : std::to_string(value);
}

// Collects writes of one set of resources; `at` completes the JSON pointer.
class Writes {
 public:
  explicit Writes(const Resources& resources) : base_(resources.pointer) {}

  CgroupWrite& add(std::string_view controller, std::string_view file, std::string value,
                   std::string_view pointer) {
    const bool whole = !pointer.empty() && pointer.starts_with(base_) && !base_.empty();
    list_.push_back({std::string(controller), std::string(file), std::move(value),
                     whole ? std::string(pointer) : base_ + std::string(pointer)});
    return list_.back();
  }
  std::vector<CgroupWrite> take() { return std::move(list_); }

 private:
  std::string base_;
  std::vector<CgroupWrite> list_;
};

Error not_in(const Resources& resources, std::string_view pointer, std::string_view version,
             std::string_view hint) {
  Error error{resources.pointer + std::string(pointer) + ": cgroup " + std::string(version) +
              " has no such limit"};
  error.field = resources.pointer + std::string(pointer);
  error.hint = hint;
  return error;
}

std::string device_name(std::int64_t major, std::int64_t minor) {
  return std::to_string(major) + ":" + std::to_string(minor);
}

// --- v2 ---------------------------------------------------------------------

Result<void> memory_v2(const Resources& r, Writes& out) {
  const MemoryLimits& m = r.memory;
  if (is_set(m.swappiness))
    return not_in(r, "/memory/swappiness", "v2", "leave it out: swap is limited by memory.swap");
  if (m.disable_oom_killer.value_or(false))
    return not_in(r, "/memory/disableOOMKiller", "v2", "use unified memory.oom.group instead");
  auto swap = swap_of_v2(m);
  if (!swap) return std::move(swap).error().at_field(r.pointer + "/memory/swap");
  // Swap first: lowering memory.max below the present use would push pages into
  // swap space that the new limit forbids.
  if (*swap)
    out.add("memory", "memory.swap.max", **swap, "/memory/swap").only_if_present = **swap == "max";
  if (is_set(m.limit)) out.add("memory", "memory.max", text_or(*m.limit, "max"), "/memory/limit");
  if (is_set(m.reservation))
    out.add("memory", "memory.low", text_or(*m.reservation, "max"), "/memory/reservation");
  return {};
}

Result<void> cpu_v2(const Resources& r, Writes& out) {
  const CpuLimits& c = r.cpu;
  if (is_set(c.realtime_runtime) || is_set(c.realtime_period))
    return not_in(r, is_set(c.realtime_runtime) ? "/cpu/realtimeRuntime" : "/cpu/realtimePeriod",
                  "v2", "leave it out: real-time bandwidth exists on cgroup v1 only");
  if (c.idle) out.add("cpu", "cpu.idle", std::to_string(*c.idle), "/cpu/idle");
  // An idle group has no weight: the kernel refuses one (EINVAL).
  if (is_set(c.shares) && c.idle.value_or(0) != 1)
    out.add("cpu", "cpu.weight", std::to_string(weight_of_shares(*c.shares)), "/cpu/shares");
  const bool bandwidth = is_set(c.quota) || is_set(c.period);
  if (c.burst)
    out.add("cpu", "cpu.max.burst", std::to_string(*c.burst), "/cpu/burst").tied_to_next =
        bandwidth;
  if (bandwidth) {
    std::string value = c.quota && *c.quota > 0 ? std::to_string(*c.quota) : "max";
    if (is_set(c.period)) value += " " + std::to_string(*c.period);
    out.add("cpu", "cpu.max", std::move(value), is_set(c.quota) ? "/cpu/quota" : "/cpu/period");
  }
  return {};
}

void block_io_v2(const Resources& r, Writes& out) {
  const BlockIoLimits& io = r.block_io;
  const auto weight = [&](std::string_view prefix, std::uint16_t value, std::string_view field) {
    CgroupWrite& w =
        out.add("io", "io.bfq.weight", std::string(prefix) + std::to_string(value), field);
    w.other_file = "io.weight";
    w.other_value = std::string(prefix) + std::to_string(io_weight_of_blkio(value));
  };
  if (io.weight) weight("default ", *io.weight, "/blockIO/weight");
  for (const BlockWeight& d : io.devices)
    if (d.weight) weight(device_name(d.major, d.minor) + " ", *d.weight, d.field);
  const auto throttle = [&](const std::vector<BlockThrottle>& list, std::string_view key) {
    for (const BlockThrottle& t : list)
      out.add("io", "io.max",
              device_name(t.major, t.minor) + " " + std::string(key) + "=" +
                  (t.rate == 0 ? "max" : std::to_string(t.rate)),
              t.field);
  };
  throttle(io.read_bps, "rbps");
  throttle(io.write_bps, "wbps");
  throttle(io.read_iops, "riops");
  throttle(io.write_iops, "wiops");
}

void unified_v2(const Resources& r, Writes& out) {
  for (const auto& [file, value] : r.unified) {
    const std::string controller = file.substr(0, file.find('.'));
    out.add(controller == "cgroup" ? "" : controller, file, value, "/unified/" + file);
  }
}

// --- v1 ---------------------------------------------------------------------

void memory_v1(const Resources& r, Writes& out) {
  const MemoryLimits& m = r.memory;
  std::int64_t swap = m.swap.value_or(0);
  if (swap == 0 && m.limit == -1) swap = -1;  // no limit of memory under one of both is no limit
  if (is_set(m.limit))
    out.add("memory", "memory.limit_in_bytes", text_or(*m.limit, "-1"), "/memory/limit")
        .tied_to_next = swap != 0;
  if (swap != 0)
    out.add("memory", "memory.memsw.limit_in_bytes", text_or(swap, "-1"), "/memory/swap")
        .only_if_present = swap == -1;
  if (is_set(m.reservation))
    out.add("memory", "memory.soft_limit_in_bytes", text_or(*m.reservation, "-1"),
            "/memory/reservation");
  if (is_set(m.kernel_tcp))
    out.add("memory", "memory.kmem.tcp.limit_in_bytes", text_or(*m.kernel_tcp, "-1"),
            "/memory/kernelTCP");
  if (m.swappiness)
    out.add("memory", "memory.swappiness", std::to_string(*m.swappiness), "/memory/swappiness");
  if (m.disable_oom_killer.value_or(false))
    out.add("memory", "memory.oom_control", "1", "/memory/disableOOMKiller");
}

void cpu_v1(const Resources& r, Writes& out) {
  const CpuLimits& c = r.cpu;
  if (is_set(c.realtime_period))
    out.add("cpu", "cpu.rt_period_us", std::to_string(*c.realtime_period), "/cpu/realtimePeriod")
        .tied_to_next = is_set(c.realtime_runtime);
  if (is_set(c.realtime_runtime))
    out.add("cpu", "cpu.rt_runtime_us", std::to_string(*c.realtime_runtime),
            "/cpu/realtimeRuntime");
  if (c.idle) out.add("cpu", "cpu.idle", std::to_string(*c.idle), "/cpu/idle");
  if (is_set(c.shares) && c.idle.value_or(0) != 1)
    out.add("cpu", "cpu.shares", std::to_string(*c.shares), "/cpu/shares");
  if (c.burst)
    out.add("cpu", "cpu.cfs_burst_us", std::to_string(*c.burst), "/cpu/burst").tied_to_next =
        is_set(c.quota) && !is_set(c.period);
  if (is_set(c.period))
    out.add("cpu", "cpu.cfs_period_us", std::to_string(*c.period), "/cpu/period").tied_to_next =
        is_set(c.quota);
  if (is_set(c.quota)) out.add("cpu", "cpu.cfs_quota_us", text_or(*c.quota, "-1"), "/cpu/quota");
}

void block_io_v1(const Resources& r, Writes& out) {
  const BlockIoLimits& io = r.block_io;
  const auto weight = [&](std::string_view suffix, std::string value, std::string_view field) {
    CgroupWrite& w = out.add("blkio", "blkio.bfq.weight" + std::string(suffix), value, field);
    w.other_file = "blkio.weight" + std::string(suffix);
    w.other_value = std::move(value);
  };
  if (io.weight) weight("", std::to_string(*io.weight), "/blockIO/weight");
  if (io.leaf_weight)
    out.add("blkio", "blkio.leaf_weight", std::to_string(*io.leaf_weight), "/blockIO/leafWeight");
  for (const BlockWeight& d : io.devices) {
    const std::string name = device_name(d.major, d.minor) + " ";
    if (d.weight) weight("_device", name + std::to_string(*d.weight), d.field);
    if (d.leaf_weight)
      out.add("blkio", "blkio.leaf_weight_device", name + std::to_string(*d.leaf_weight), d.field);
  }
  const auto throttle = [&](const std::vector<BlockThrottle>& list, std::string_view key) {
    for (const BlockThrottle& t : list)
      out.add("blkio", "blkio.throttle." + std::string(key) + "_device",
              device_name(t.major, t.minor) + " " + std::to_string(t.rate), t.field);
  };
  throttle(io.read_bps, "read_bps");
  throttle(io.write_bps, "write_bps");
  throttle(io.read_iops, "read_iops");
  throttle(io.write_iops, "write_iops");
}

void network_v1(const Resources& r, Writes& out) {
  if (is_set(r.network.class_id))
    out.add("net_cls", "net_cls.classid", std::to_string(*r.network.class_id), "/network/classID");
  std::size_t index = 0;
  for (const auto& [name, priority] : r.network.priorities)
    out.add("net_prio", "net_prio.ifpriomap", name + " " + std::to_string(priority),
            "/network/priorities/" + std::to_string(index++));
}

// --- both -------------------------------------------------------------------

void cpuset(const Resources& r, Writes& out) {
  if (!r.cpu.cpus.empty()) out.add("cpuset", "cpuset.cpus", r.cpu.cpus, "/cpu/cpus");
  if (!r.cpu.mems.empty()) out.add("cpuset", "cpuset.mems", r.cpu.mems, "/cpu/mems");
}

void pids(const Resources& r, Writes& out) {
  // 0 forbids every fork. Init counts as one, and where it is born inside the
  // cgroup 0 would forbid init: 1 means the same and works.
  if (r.pids)
    out.add("pids", "pids.max", *r.pids < 0 ? "max" : std::to_string(std::max(*r.pids, INT64_C(1))),
            "/pids/limit");
}

void hugepages(const Resources& r, std::string_view ending, Writes& out) {
  for (const HugepageLimit& h : r.hugepages) {
    const std::string base = "hugetlb." + h.page_size + ".";
    out.add("hugetlb", base + std::string(ending), std::to_string(h.limit), h.field);
    // Without it a container reserves what it may not use and dies by SIGBUS later.
    out.add("hugetlb", base + "rsvd." + std::string(ending), std::to_string(h.limit), h.field)
        .only_if_present = true;
  }
}

void rdma(const Resources& r, Writes& out) {
  for (const RdmaLimit& limit : r.rdma) {
    std::string value = limit.device;
    if (limit.hca_handles) value += " hca_handle=" + std::to_string(*limit.hca_handles);
    if (limit.hca_objects) value += " hca_object=" + std::to_string(*limit.hca_objects);
    out.add("rdma", "rdma.max", std::move(value), limit.field);
  }
}

}  // namespace

std::uint64_t weight_of_shares(std::uint64_t shares) {
  // The curve through (2, 1), (1024, 100) and (262144, 10000) on logarithmic
  // axes: the usual value stays the usual value, unlike with a straight line.
  if (shares <= 2) return 1;
  if (shares >= 262144) return 10000;
  const double l = std::log2(static_cast<double>(shares));
  return static_cast<std::uint64_t>(std::ceil(std::pow(10, (l * l + 125 * l) / 612 - 7.0 / 34)));
}

std::uint64_t io_weight_of_blkio(std::uint64_t weight) {
  return 1 + (std::clamp<std::uint64_t>(weight, 10, 1000) - 10) * 9999 / 990;
}

Result<std::optional<std::string>> swap_of_v2(const MemoryLimits& memory) {
  using Swap = std::optional<std::string>;
  if (!is_set(memory.swap)) return memory.limit == -1 ? Swap("max") : Swap();
  if (*memory.swap < 0) return Swap("max");
  if (!is_set(memory.limit) || *memory.limit < 0)
    return Error{"memory.swap counts memory and swap together: it needs a memory.limit"};
  if (*memory.swap < *memory.limit)
    return Error{"memory.swap counts memory and swap together: " + std::to_string(*memory.swap) +
                 " is less than memory.limit " + std::to_string(*memory.limit)};
  return Swap(std::to_string(*memory.swap - *memory.limit));
}

Result<std::vector<CgroupWrite>> cgroup_writes(const Resources& r, CgroupVersion version) {
  Writes out(r);
  if (version == CgroupVersion::V2) {
    if (is_set(r.network.class_id) || !r.network.priorities.empty())
      return not_in(r, "/network", "v2", "mark packets with nftables and socket cgroupv2 instead");
    TRY(memory_v2(r, out));
    TRY(cpu_v2(r, out));
    block_io_v2(r, out);
  } else {
    if (!r.unified.empty())
      return not_in(r, "/unified", "v1", "use the other members of resources on this host");
    memory_v1(r, out);
    cpu_v1(r, out);
    block_io_v1(r, out);
    network_v1(r, out);
  }
  cpuset(r, out);
  pids(r, out);
  hugepages(r, version == CgroupVersion::V2 ? "max" : "limit_in_bytes", out);
  rdma(r, out);
  if (version == CgroupVersion::V2) unified_v2(r, out);  // last: what is said in full wins
  return out.take();
}

std::vector<std::string> resource_warnings(const Resources& r, CgroupVersion version) {
  std::vector<std::string> out;
  const auto warn = [&](bool condition, std::string_view pointer, std::string_view why) {
    if (condition) out.push_back(r.pointer + std::string(pointer) + ": " + std::string(why));
  };
  warn(is_set(r.memory.kernel), "/memory/kernel",
       "kernels since 5.16 have no separate limit for kernel memory; it counts in memory.limit");
  warn(version == CgroupVersion::V2 && is_set(r.memory.kernel_tcp), "/memory/kernelTCP",
       "cgroup v2 has no separate limit for TCP buffers; they count in memory.limit");
  warn(version == CgroupVersion::V2 && r.block_io.leaf_weight, "/blockIO/leafWeight",
       "cgroup v2 has no leaf weight");
  warn(r.memory.use_hierarchy == false, "/memory/useHierarchy",
       "kernels since 5.11 always account hierarchically");
  return out;
}
