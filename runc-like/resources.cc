// SPDX-License-Identifier: Apache-2.0
#include "resources.h"

#include <algorithm>
#include <limits>
#include <type_traits>

namespace {

template <class T>
Result<T> number(const JsonView& view) {
  if constexpr (std::is_same_v<T, bool>) {
    return view.boolean();
  } else if constexpr (std::is_signed_v<T>) {
    return view.integer();
  } else {
    const std::uint64_t value = TRY(view.unsigned_integer());
    if (value > std::numeric_limits<T>::max())
      return view.error("is larger than " + std::to_string(std::numeric_limits<T>::max()));
    return static_cast<T>(value);
  }
}

template <class T>
Result<void> read(const JsonView& object, std::string_view key, std::optional<T>& out) {
  if (const auto view = object.find(key)) out = TRY(number<T>(*view));
  return {};
}

Result<std::optional<JsonView>> find_object(const JsonView& parent, std::string_view key) {
  auto found = parent.find(key);
  if (found && !found->is_object()) return found->error("expected an object");
  return found;
}

// Bytes: -1 says "no limit", nothing else below zero means anything.
Result<void> read_limit(const JsonView& object, std::string_view key,
                        std::optional<std::int64_t>& out) {
  TRY(read(object, key, out));
  if (out && *out < -1) return TRY(object.at(key)).error("must be -1 (no limit) or more");
  return {};
}

Result<void> read_memory(const JsonView& view, MemoryLimits& memory) {
  TRY(read_limit(view, "limit", memory.limit));
  TRY(read_limit(view, "reservation", memory.reservation));
  TRY(read_limit(view, "swap", memory.swap));
  TRY(read_limit(view, "kernel", memory.kernel));
  TRY(read_limit(view, "kernelTCP", memory.kernel_tcp));
  TRY(read(view, "swappiness", memory.swappiness));
  TRY(read(view, "disableOOMKiller", memory.disable_oom_killer));
  TRY(read(view, "useHierarchy", memory.use_hierarchy));
  std::optional<bool> check;
  TRY(read(view, "checkBeforeUpdate", check));
  memory.check_before_update = check.value_or(false);
  if (memory.swappiness && *memory.swappiness > 200)
    return TRY(view.at("swappiness")).error("must be at most 200");
  return {};
}

// A list of CPUs or memory nodes, "0-3,7": written into a file as it stands.
Result<std::string> read_list(const JsonView& object, std::string_view key) {
  const auto view = object.find(key);
  if (!view) return std::string();
  std::string text = TRY(view->string());
  if (text.find_first_not_of("0123456789,- ") != std::string::npos)
    return view->error("expected a list such as '0-3,7', found '" + text + "'");
  return text;
}

Result<void> read_cpu(const JsonView& view, CpuLimits& cpu) {
  TRY(read(view, "shares", cpu.shares));
  TRY(read(view, "quota", cpu.quota));
  TRY(read(view, "period", cpu.period));
  TRY(read(view, "burst", cpu.burst));
  TRY(read(view, "idle", cpu.idle));
  TRY(read(view, "realtimeRuntime", cpu.realtime_runtime));
  TRY(read(view, "realtimePeriod", cpu.realtime_period));
  cpu.cpus = TRY(read_list(view, "cpus"));
  cpu.mems = TRY(read_list(view, "mems"));
  return {};
}

// Engines written in Go send 0 for a weight that nobody asked for.
Result<void> read_weight(const JsonView& object, std::string_view key,
                         std::optional<std::uint16_t>& out) {
  TRY(read(object, key, out));
  if (out && *out == 0) out.reset();
  if (out && (*out < 10 || *out > 1000))
    return TRY(object.at(key)).error("must be between 10 and 1000");
  return {};
}

Result<std::int64_t> device_number(const JsonView& object, std::string_view key) {
  const JsonView view = TRY(object.at(key));
  const std::int64_t value = TRY(view.integer());
  if (value < 0) return view.error("must be 0 or more");
  return value;
}

Result<std::vector<JsonView>> find_items(const JsonView& object, std::string_view key) {
  const auto list = object.find(key);
  if (!list) return std::vector<JsonView>();
  return list->items();
}

Result<void> read_throttles(const JsonView& object, std::string_view key,
                            std::vector<BlockThrottle>& out) {
  for (const JsonView& item : TRY(find_items(object, key))) {
    BlockThrottle throttle;
    throttle.major = TRY(device_number(item, "major"));
    throttle.minor = TRY(device_number(item, "minor"));
    const JsonView rate = TRY(item.at("rate"));
    throttle.rate = TRY(rate.unsigned_integer());
    throttle.field = item.pointer();
    out.push_back(std::move(throttle));
  }
  return {};
}

Result<void> read_block_io(const JsonView& view, BlockIoLimits& io) {
  TRY(read_weight(view, "weight", io.weight));
  TRY(read_weight(view, "leafWeight", io.leaf_weight));
  for (const JsonView& item : TRY(find_items(view, "weightDevice"))) {
    BlockWeight device;
    device.major = TRY(device_number(item, "major"));
    device.minor = TRY(device_number(item, "minor"));
    TRY(read_weight(item, "weight", device.weight));
    TRY(read_weight(item, "leafWeight", device.leaf_weight));
    if (!device.weight && !device.leaf_weight)
      return item.error("needs weight, leafWeight or both");
    device.field = item.pointer();
    io.devices.push_back(std::move(device));
  }
  TRY(read_throttles(view, "throttleReadBpsDevice", io.read_bps));
  TRY(read_throttles(view, "throttleWriteBpsDevice", io.write_bps));
  TRY(read_throttles(view, "throttleReadIOPSDevice", io.read_iops));
  TRY(read_throttles(view, "throttleWriteIOPSDevice", io.write_iops));
  return {};
}

// "64KB", "2MB", "1GB": part of a file name, so nothing else may be in it.
bool is_page_size(std::string_view text) {
  const auto digits = text.find_first_not_of("0123456789");
  if (digits == 0 || digits == std::string_view::npos || text[0] == '0') return false;
  const std::string_view unit = text.substr(digits);
  return unit == "KB" || unit == "MB" || unit == "GB";
}

Result<void> read_hugepages(const JsonView& view, std::vector<HugepageLimit>& out) {
  for (const JsonView& item : TRY(find_items(view, "hugepageLimits"))) {
    const JsonView size = TRY(item.at("pageSize"));
    HugepageLimit limit{TRY(size.string())};
    if (!is_page_size(limit.page_size))
      return size.error("expected a size such as '2MB', found '" + limit.page_size + "'");
    const JsonView bytes = TRY(item.at("limit"));
    limit.limit = TRY(bytes.unsigned_integer());
    limit.field = item.pointer();
    out.push_back(std::move(limit));
  }
  return {};
}

Result<void> read_network(const JsonView& view, NetworkLimits& network) {
  TRY(read(view, "classID", network.class_id));
  for (const JsonView& item : TRY(find_items(view, "priorities"))) {
    const JsonView name = TRY(item.at("name"));
    const JsonView priority = TRY(item.at("priority"));
    std::string interface = TRY(name.string());
    if (interface.empty() || interface.find_first_of(" \n\t/") != std::string::npos)
      return name.error("is no name of a network interface");
    network.priorities.emplace_back(std::move(interface), TRY(number<std::uint32_t>(priority)));
  }
  return {};
}

Result<void> read_rdma(const JsonView& view, std::vector<RdmaLimit>& out) {
  for (const auto& [device, item] : TRY(view.members())) {
    RdmaLimit limit{device};
    if (device.empty() || device.find_first_of(" \n\t") != std::string::npos)
      return item.error("is no name of an RDMA device");
    TRY(read(item, "hcaHandles", limit.hca_handles));
    TRY(read(item, "hcaObjects", limit.hca_objects));
    if (!limit.hca_handles && !limit.hca_objects)
      return item.error("needs hcaHandles, hcaObjects or both");
    limit.field = item.pointer();
    out.push_back(std::move(limit));
  }
  return {};
}

Result<unsigned> access_bits(const JsonView& view) {
  unsigned bits = 0;
  for (const char c : TRY(view.string())) {
    if (c == 'r')
      bits |= DeviceRule::kRead;
    else if (c == 'w')
      bits |= DeviceRule::kWrite;
    else if (c == 'm')
      bits |= DeviceRule::kMknod;
    else
      return view.error("expected letters of 'rwm'");
  }
  if (bits == 0) return view.error("expected letters of 'rwm'");
  return bits;
}

// Go code writes -1 for "any".
Result<void> read_number_or_any(const JsonView& object, std::string_view key,
                                std::optional<std::int64_t>& out) {
  TRY(read(object, key, out));
  if (out && *out == -1) out.reset();
  if (out && (*out < 0 || *out > std::numeric_limits<std::uint32_t>::max()))
    return TRY(object.at(key)).error("is no device number");
  return {};
}

Result<DeviceRule> read_device_rule(const JsonView& item) {
  DeviceRule rule;
  const JsonView allow = TRY(item.at("allow"));
  rule.allow = TRY(allow.boolean());
  rule.field = item.pointer();
  if (const auto type = item.find("type")) {
    const std::string text = TRY(type->string());
    if (text.size() > 1 || std::string_view("abcu").find(text) == std::string_view::npos)
      return type->error("expected 'a', 'b' or 'c', found '" + text + "'");
    // 'u' is the old name of an unbuffered character device.
    if (!text.empty()) rule.type = text.front() == 'u' ? 'c' : text.front();
  }
  TRY(read_number_or_any(item, "major", rule.major));
  TRY(read_number_or_any(item, "minor", rule.minor));
  if (const auto access = item.find("access")) rule.access = TRY(access_bits(*access));
  if (rule.type == 'a' && (rule.major || rule.minor))
    return item.error("a rule for all devices takes no major or minor number");
  return rule;
}

Result<void> read_unified(const JsonView& view, std::map<std::string, std::string>& out) {
  for (const auto& [file, item] : TRY(view.members())) {
    if (file.empty() || file.find('/') != std::string::npos || file.find('.') == std::string::npos)
      return item.error("is no name of a cgroup file");
    out[file] = TRY(item.string());
  }
  return {};
}

Result<void> read_pids(const JsonView& view, std::optional<std::int64_t>& pids) {
  return read_limit(view, "limit", pids);
}

// One sub-object of resources: its reader, and where the result goes.
template <class T>
Result<void> read_part(const JsonView& view, std::string_view key,
                       Result<void> (*reader)(const JsonView&, T&), T& out) {
  const std::optional<JsonView> part = TRY(find_object(view, key));
  return part ? reader(*part, out) : Result<void>();
}

}  // namespace

Result<Resources> parse_resources(const JsonView& view) {
  if (!view.is_object()) return view.error("expected an object");
  Resources out;
  out.pointer = view.pointer();
  TRY(read_part(view, "memory", read_memory, out.memory));
  TRY(read_part(view, "cpu", read_cpu, out.cpu));
  TRY(read_part(view, "blockIO", read_block_io, out.block_io));
  TRY(read_part(view, "network", read_network, out.network));
  TRY(read_part(view, "pids", read_pids, out.pids));
  TRY(read_part(view, "rdma", read_rdma, out.rdma));
  TRY(read_part(view, "unified", read_unified, out.unified));
  TRY(read_hugepages(view, out.hugepages));
  for (const JsonView& item : TRY(find_items(view, "devices")))
    out.devices.push_back(TRY(read_device_rule(item)));
  return out;
}
