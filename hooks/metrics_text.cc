// SPDX-License-Identifier: Apache-2.0
#include "metrics_text.h"

#include <charconv>

namespace {

struct Family {
  std::string_view name;  // of a counter: without _total
  bool counter;
  std::string_view help;
};

// The order is that of the numbers below.
constexpr std::array<Family, MetricsText::kFamilies> kTable = {{
    {"container_cpu_usage_seconds", true, "CPU time used"},
    {"container_cpu_user_seconds", true, "CPU time used in user mode"},
    {"container_cpu_system_seconds", true, "CPU time used in the kernel"},
    {"container_cpu_throttled_seconds", true, "time held back by the CPU limit"},
    {"container_cpu_throttled_periods", true, "periods in which the CPU limit was reached"},
    {"container_memory_usage_bytes", false, "memory in use, page cache included"},
    {"container_memory_limit_bytes", false, "memory limit, where there is one"},
    {"container_memory_swap_bytes", false, "swap in use"},
    {"container_oom_events", true, "times that the memory limit could not be kept"},
    {"container_oom_kills", true, "processes killed for want of memory"},
    {"container_pids", false, "processes and threads"},
    {"container_pressure_cpu_waiting_seconds", true, "time in which some process waited for a CPU"},
    {"container_pressure_cpu_stalled_seconds", true,
     "time in which all processes waited for a CPU"},
    {"container_pressure_memory_waiting_seconds", true,
     "time in which some process waited for memory"},
    {"container_pressure_memory_stalled_seconds", true,
     "time in which all processes waited for memory"},
    {"container_pressure_io_waiting_seconds", true, "time in which some process waited for I/O"},
    {"container_pressure_io_stalled_seconds", true, "time in which all processes waited for I/O"},
    {"container_io_read_bytes", true, "bytes read from devices"},
    {"container_io_write_bytes", true, "bytes written to devices"},
    {"container_io_reads", true, "read operations"},
    {"container_io_writes", true, "write operations"},
    {"container_network_receive_bytes", true, "bytes received"},
    {"container_network_receive_packets", true, "packets received"},
    {"container_network_receive_errors", true, "packets received with errors"},
    {"container_network_receive_drops", true, "received packets dropped"},
    {"container_network_transmit_bytes", true, "bytes sent"},
    {"container_network_transmit_packets", true, "packets sent"},
    {"container_network_transmit_errors", true, "packets that could not be sent"},
    {"container_network_transmit_drops", true, "packets dropped before they were sent"},
}};

enum Number : std::size_t {
  kCpu,
  kUser,
  kSystem,
  kThrottled,
  kThrottledPeriods,
  kMemory,
  kMemoryLimit,
  kSwap,
  kOomEvents,
  kOomKills,
  kPids,
  kCpuSome,
  kCpuFull,
  kMemorySome,
  kMemoryFull,
  kIoSome,
  kIoFull,
  kReadBytes,
  kWriteBytes,
  kReads,
  kWrites,
  kReceiveBytes,
};
static_assert(kTable[kPids].name == "container_pids");
static_assert(kTable[kReceiveBytes].name == "container_network_receive_bytes");

void append_number(std::string& out, std::uint64_t value) {
  std::array<char, 24> text;  // NOLINT(cppcoreguidelines-pro-type-member-init): to_chars fills it
  out.append(text.data(), std::to_chars(text.data(), text.data() + text.size(), value).ptr);
}

// Nine decimals without the arithmetic of doubles, which would lose some.
void append_seconds(std::string& out, std::uint64_t nanoseconds) {
  append_number(out, nanoseconds / 1'000'000'000);
  std::string digits = std::to_string(nanoseconds % 1'000'000'000);
  out += '.';
  out.append(9 - digits.size(), '0');
  out += digits;
}

void append_label(std::string& out, std::string_view value) {
  for (const char c : value) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n')
      out += "\\n";
    else
      out += c;
  }
}

void declare(std::string& out, const Family& family, MetricsFormat format) {
  const std::string_view suffix =
      family.counter && format == MetricsFormat::Prometheus ? "_total" : "";
  out.append("# HELP ").append(family.name).append(suffix).append(" ").append(family.help);
  out.append("\n# TYPE ").append(family.name).append(suffix);
  out += family.counter ? " counter\n" : " gauge\n";
}

}  // namespace

std::string_view content_type(MetricsFormat format) {
  return format == MetricsFormat::OpenMetrics
             ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
             : "text/plain; version=0.0.4; charset=utf-8";
}

void MetricsText::count(std::size_t family, const Count& value) {
  if (!value) return;
  std::string& out = lines_[family];
  out.append(kTable[family].name).append(kTable[family].counter ? "_total{" : "{");
  out.append(labels_).append("} ");
  append_number(out, *value);
  out += '\n';
}

void MetricsText::nanoseconds(std::size_t family, const Count& value) {
  if (!value) return;
  std::string& out = lines_[family];
  out.append(kTable[family].name).append("_total{").append(labels_).append("} ");
  append_seconds(out, *value);
  out += '\n';
}

void MetricsText::labelled(std::size_t family, std::string_view label, std::string_view name,
                           std::uint64_t value) {
  const std::size_t size = labels_.size();
  labels_.append(",").append(label).append("=\"");
  append_label(labels_, name);
  labels_ += '"';
  count(family, value);
  labels_.resize(size);
}

void MetricsText::add(std::string_view id, std::string_view runtime, const Sample& sample) {
  ++containers_;
  labels_ = "id=\"";
  append_label(labels_, id);
  labels_ += "\",runtime=\"";
  append_label(labels_, runtime);
  labels_ += '"';
  nanoseconds(kCpu, sample.cpu_ns);
  nanoseconds(kUser, sample.user_ns);
  nanoseconds(kSystem, sample.system_ns);
  nanoseconds(kThrottled, sample.throttled_ns);
  count(kThrottledPeriods, sample.throttled_periods);
  count(kMemory, sample.memory);
  count(kMemoryLimit, sample.memory_limit);
  count(kSwap, sample.swap);
  count(kOomEvents, sample.oom_events);
  count(kOomKills, sample.oom_kills);
  count(kPids, sample.pids);
  const auto waiting = [&](std::size_t family, const Count& microseconds) {
    if (microseconds) nanoseconds(family, *microseconds * 1000);
  };
  waiting(kCpuSome, sample.cpu.some);
  waiting(kCpuFull, sample.cpu.full);
  waiting(kMemorySome, sample.memory_pressure.some);
  waiting(kMemoryFull, sample.memory_pressure.full);
  waiting(kIoSome, sample.io.some);
  waiting(kIoFull, sample.io.full);
  for (const IoUse& device : sample.devices) {
    labelled(kReadBytes, "device", device.device, device.read_bytes);
    labelled(kWriteBytes, "device", device.device, device.write_bytes);
    labelled(kReads, "device", device.device, device.reads);
    labelled(kWrites, "device", device.device, device.writes);
  }
  for (const InterfaceUse& use : sample.interfaces)
    for (std::size_t i = 0; i < use.counts.size(); ++i)
      labelled(kReceiveBytes + i, "interface", use.name, use.counts[i]);
}

std::string MetricsText::finish(MetricsFormat format, std::size_t dropped, double seconds) {
  std::string out;
  std::size_t size = 4096;
  for (const std::string& lines : lines_) size += lines.size() + 256;
  out.reserve(size);
  for (std::size_t i = 0; i < kTable.size(); ++i) {
    if (lines_[i].empty()) continue;
    declare(out, kTable[i], format);
    out += lines_[i];
  }
  declare(out, {"containers_running", false, "containers that were sampled"}, format);
  out += "containers_running " + std::to_string(containers_) + "\n";
  declare(out, {"containers_sampling_seconds", false, "how long sampling them took"}, format);
  out += "containers_sampling_seconds " + std::to_string(seconds) + "\n";
  declare(out, {"container_events_dropped", true, "events that reached nobody"}, format);
  out += "container_events_dropped_total " + std::to_string(dropped) + "\n";
  if (format == MetricsFormat::OpenMetrics) out += "# EOF\n";
  return out;
}
