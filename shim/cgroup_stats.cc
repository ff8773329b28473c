// SPDX-License-Identifier: Apache-2.0
#include "cgroup_stats.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "common/fd.h"

namespace {

constexpr auto kFamilies = std::to_array<MetricFamily>({
    {"cpu_usage_seconds", true, "seconds", ""},
    {"cpu_user_seconds", true, "seconds", ""},
    {"cpu_system_seconds", true, "seconds", ""},
    {"cpu_periods", true, "", ""},
    {"cpu_throttled_periods", true, "", ""},
    {"cpu_throttled_seconds", true, "seconds", ""},
    {"memory_usage_bytes", false, "bytes", ""},
    {"memory_peak_bytes", false, "bytes", ""},
    {"memory_limit_bytes", false, "bytes", ""},
    {"memory_anon_bytes", false, "bytes", ""},
    {"memory_file_bytes", false, "bytes", ""},
    {"memory_oom_kills", true, "", ""},
    {"io_read_bytes", true, "bytes", "device"},
    {"io_written_bytes", true, "bytes", "device"},
    {"io_reads", true, "", "device"},
    {"io_writes", true, "", "device"},
    {"pids", false, "", ""},
    {"pids_limit", false, "", ""},
    {"pressure_some_seconds", true, "seconds", "resource"},
    {"pressure_full_seconds", true, "seconds", "resource"},
});

std::string_view take_until(std::string_view& text, char end) {
  const auto at = std::min(text.find(end), text.size());
  const std::string_view head = text.substr(0, at);
  text.remove_prefix(std::min(at + 1, text.size()));
  return head;
}

std::optional<double> number_in(std::string_view text) {
  double number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc()) return std::nullopt;
  return number;
}

class Reader {
 public:
  explicit Reader(CgroupStats& stats) : stats_(stats) {}

  // A file with one number; "max" and v1's "no limit" are left out.
  void single(const std::string& path, std::string_view family, double scale = 1) {
    constexpr double kNoLimit = 9e18;
    const auto text = read_file(path, 64);
    const auto number = text ? number_in(*text) : std::nullopt;
    if (number && *number < kNoLimit) stats_[family][""] = *number * scale;
  }

  struct Key {
    std::string_view name;
    std::string_view family;
    double scale = 1;
  };
  // A file with lines of a name and a number.
  void keyed(const std::string& path, std::initializer_list<Key> keys) {
    each_line(path, [&](std::string_view line) {
      const std::string_view name = take_until(line, ' ');
      for (const Key& key : keys)
        if (const auto number = key.name == name ? number_in(line) : std::nullopt)
          stats_[key.family][""] = *number * key.scale;
    });
  }

  // 8:0 rbytes=1 wbytes=2 rios=3 wios=4 …
  void io_v2(const std::string& path) {
    each_line(path, [&](std::string_view line) {
      const std::string device(take_until(line, ' '));
      while (!line.empty()) {
        std::string_view value = take_until(line, ' ');
        const std::string_view name = take_until(value, '=');
        const auto number = number_in(value);
        const std::string_view family = name == "rbytes"   ? "io_read_bytes"
                                        : name == "wbytes" ? "io_written_bytes"
                                        : name == "rios"   ? "io_reads"
                                        : name == "wios"   ? "io_writes"
                                                           : "";
        if (number && !family.empty()) stats_[family][device] = *number;
      }
    });
  }

  // 8:0 Read 1
  void io_v1(const std::string& path, std::string_view read, std::string_view write) {
    each_line(path, [&](std::string_view line) {
      const std::string device(take_until(line, ' '));
      const std::string_view what = take_until(line, ' ');
      const auto number = number_in(line);
      if (number && what == "Read") stats_[read][device] = *number;
      if (number && what == "Write") stats_[write][device] = *number;
    });
  }

  // some avg10=0.00 avg60=0.00 avg300=0.00 total=12345
  void pressure(const std::string& path, const std::string& resource) {
    each_line(path, [&](std::string_view line) {
      const bool some = line.starts_with("some ");
      const auto total = line.find("total=");
      const auto number = total == std::string_view::npos
                              ? std::nullopt
                              : number_in(line.substr(total + std::string_view("total=").size()));
      if (number)
        stats_[some ? "pressure_some_seconds" : "pressure_full_seconds"][resource] = *number / 1e6;
    });
  }

 private:
  template <class Line>
  static void each_line(const std::string& path, Line line) {
    const auto text = read_file(path);
    std::string_view rest = text ? std::string_view(*text) : std::string_view();
    while (!rest.empty()) line(take_until(rest, '\n'));
  }

  CgroupStats& stats_;
};

void read_v2(const CgroupPlaces& at, Reader& reader) {
  reader.keyed(at.cpu + "/cpu.stat", {{"usage_usec", "cpu_usage_seconds", 1e-6},
                                      {"user_usec", "cpu_user_seconds", 1e-6},
                                      {"system_usec", "cpu_system_seconds", 1e-6},
                                      {"nr_periods", "cpu_periods"},
                                      {"nr_throttled", "cpu_throttled_periods"},
                                      {"throttled_usec", "cpu_throttled_seconds", 1e-6}});
  reader.single(at.memory + "/memory.current", "memory_usage_bytes");
  reader.single(at.memory + "/memory.peak", "memory_peak_bytes");
  reader.single(at.memory + "/memory.max", "memory_limit_bytes");
  reader.keyed(at.memory + "/memory.stat",
               {{"anon", "memory_anon_bytes"}, {"file", "memory_file_bytes"}});
  reader.keyed(at.memory + "/memory.events", {{"oom_kill", "memory_oom_kills"}});
  reader.io_v2(at.io + "/io.stat");
}

void read_v1(const CgroupPlaces& at, Reader& reader) {
  const double tick = 1.0 / static_cast<double>(::sysconf(_SC_CLK_TCK));
  if (!at.cpu.empty()) {
    reader.single(at.cpu + "/cpuacct.usage", "cpu_usage_seconds", 1e-9);
    reader.keyed(at.cpu + "/cpuacct.stat",
                 {{"user", "cpu_user_seconds", tick}, {"system", "cpu_system_seconds", tick}});
  }
  if (!at.memory.empty()) {
    reader.single(at.memory + "/memory.usage_in_bytes", "memory_usage_bytes");
    reader.single(at.memory + "/memory.max_usage_in_bytes", "memory_peak_bytes");
    reader.single(at.memory + "/memory.limit_in_bytes", "memory_limit_bytes");
    reader.keyed(at.memory + "/memory.stat",
                 {{"rss", "memory_anon_bytes"}, {"cache", "memory_file_bytes"}});
    reader.keyed(at.memory + "/memory.oom_control", {{"oom_kill", "memory_oom_kills"}});
  }
  if (at.io.empty()) return;
  reader.io_v1(at.io + "/blkio.throttle.io_service_bytes", "io_read_bytes", "io_written_bytes");
  reader.io_v1(at.io + "/blkio.throttle.io_serviced", "io_reads", "io_writes");
}

}  // namespace

const std::span<const MetricFamily> kMetricFamilies = kFamilies;

// The root's figures are the whole host's and nobody's in particular.
CgroupPlaces cgroup_places(std::string_view text, const std::string& mount, bool unified) {
  CgroupPlaces at;
  at.v2 = unified;
  while (!text.empty()) {
    std::string_view line = take_until(text, '\n');
    const std::string_view number = take_until(line, ':');
    std::string_view controllers = take_until(line, ':');
    if (line == "/") continue;
    const std::string path(line);
    if (number == "0") at.pressure = (unified ? mount : mount + "/unified") + path;
    while (!controllers.empty()) {
      const std::string_view name = take_until(controllers, ',');
      std::string* const place = name == "cpuacct"  ? &at.cpu
                                 : name == "memory" ? &at.memory
                                 : name == "blkio"  ? &at.io
                                 : name == "pids"   ? &at.pids
                                                    : nullptr;
      if (place != nullptr) *place = mount + "/" + std::string(name) + path;
    }
  }
  if (unified) at.cpu = at.memory = at.io = at.pids = at.pressure;
  return at;
}

CgroupStats read_cgroup_stats(const CgroupPlaces& at) {
  CgroupStats stats;
  Reader reader(stats);
  if (at.v2 && !at.cpu.empty()) read_v2(at, reader);
  if (!at.v2) read_v1(at, reader);
  if (!at.pids.empty()) {
    reader.single(at.pids + "/pids.current", "pids");
    reader.single(at.pids + "/pids.max", "pids_limit");
  }
  if (!at.pressure.empty())
    for (const char* const resource : {"cpu", "memory", "io"})
      reader.pressure(at.pressure + "/" + resource + ".pressure", resource);
  return stats;
}

CgroupStats read_cgroup_stats_of(pid_t pid) {
  const std::string mount = "/sys/fs/cgroup";
  const auto text = read_file("/proc/" + std::to_string(pid) + "/cgroup");
  if (!text) return {};
  const bool unified = ::access((mount + "/cgroup.controllers").c_str(), F_OK) == 0;
  return read_cgroup_stats(cgroup_places(*text, mount, unified));
}
