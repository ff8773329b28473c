// SPDX-License-Identifier: Apache-2.0
#include "stats.h"

#include <dirent.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>
#include <ranges>

#include "cgroup_files.h"

namespace {

std::string read_or_empty(const std::string& path, const std::string& file) {
  if (path.empty()) return {};
  auto text = read_cgroup_file(path, file);
  return text ? *std::move(text) : std::string();
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> out;
  for (const auto part : std::views::split(text, separator))
    if (part.begin() != part.end()) out.emplace_back(part.begin(), part.end());
  return out;
}

// Where each controller's files are; the same directory for all on v2.
struct Places {
  explicit Places(const Cgroup& cgroup) : group(cgroup) {
    const auto paths = cgroup.paths();
    if (const auto it = paths.find(""); it != paths.end()) v2 = it->second;
    unified = paths.size() == 1 && !v2.empty();
  }
  std::string of(std::string_view controller) const {
    return unified ? v2 : group.path_of(controller);
  }
  std::string text(std::string_view controller, const std::string& file) const {
    return read_or_empty(of(controller), file);
  }
  const Cgroup& group;
  std::string v2;
  bool unified = false;
};

constexpr std::uint64_t kNanoseconds = 1000;  // in a microsecond
constexpr std::uint64_t kTick = 10'000'000;   // of v1's cpuacct.stat, in nanoseconds

void write_numbers(JsonWriter& json, std::string_view text) {
  json.begin_array();
  for (const std::string_view word : split(text, ' ')) json.value(number_in(word));
  json.end_array();
}

void write_psi(JsonWriter& json, const Places& places, const std::string& file) {
  const std::string text = places.unified ? read_or_empty(places.v2, file) : std::string();
  if (text.empty()) return;
  json.key("psi");
  (void)write_pressure(json, text);
}

void write_cpu(JsonWriter& json, const Places& places) {
  const std::string stat = places.text("cpu", "cpu.stat");
  json.key("cpu").begin_object().key("usage").begin_object();
  if (places.unified) {
    json.member("total", counter(stat, "usage_usec") * kNanoseconds);
    json.member("kernel", counter(stat, "system_usec") * kNanoseconds);
    json.member("user", counter(stat, "user_usec") * kNanoseconds);
  } else {
    const std::string usage = places.text("cpuacct", "cpuacct.stat");
    json.member("total", number_in(places.text("cpuacct", "cpuacct.usage")));
    json.key("percpu");
    write_numbers(json, places.text("cpuacct", "cpuacct.usage_percpu"));
    json.member("kernel", counter(usage, "system") * kTick);
    json.member("user", counter(usage, "user") * kTick);
  }
  json.end_object().key("throttling").begin_object();
  json.member("periods", counter(stat, "nr_periods"));
  json.member("throttledPeriods", counter(stat, "nr_throttled"));
  json.member("throttledTime", places.unified ? counter(stat, "throttled_usec") * kNanoseconds
                                              : counter(stat, "throttled_time"));
  json.end_object();
  write_psi(json, places, "cpu.pressure");
  json.end_object();
}

// "0-2,7" as the single numbers.
void write_list(JsonWriter& json, std::string_view name, std::string_view text) {
  json.key(name).begin_array();
  for (const std::string_view part : split(text, ',')) {
    const std::uint64_t first = number_in(part.substr(0, part.find('-')));
    const std::size_t dash = part.find('-');
    const std::uint64_t last =
        dash == std::string_view::npos ? first : number_in(part.substr(dash + 1));
    for (std::uint64_t n = first; n <= last && n - first < 8192; ++n) json.value(n);
  }
  json.end_array();
}

void write_cpuset(JsonWriter& json, const Places& places) {
  const bool v2 = places.unified;
  json.key("cpuset").begin_object();
  write_list(json, "cpus", places.text("cpuset", v2 ? "cpuset.cpus.effective" : "cpuset.cpus"));
  write_list(json, "mems", places.text("cpuset", v2 ? "cpuset.mems.effective" : "cpuset.mems"));
  json.end_object();
}

struct MemoryFiles {
  const char* usage;
  const char* limit;
  const char* max;
};
constexpr MemoryFiles kMemoryV2 = {"memory.current", "memory.max", "memory.peak"};
constexpr MemoryFiles kSwapV2 = {"memory.swap.current", "memory.swap.max", "memory.swap.peak"};
constexpr MemoryFiles kMemoryV1 = {"memory.usage_in_bytes", "memory.limit_in_bytes",
                                   "memory.max_usage_in_bytes"};
constexpr MemoryFiles kSwapV1 = {"memory.memsw.usage_in_bytes", "memory.memsw.limit_in_bytes",
                                 "memory.memsw.max_usage_in_bytes"};
constexpr MemoryFiles kKernelV1 = {"memory.kmem.usage_in_bytes", "memory.kmem.limit_in_bytes",
                                   "memory.kmem.max_usage_in_bytes"};
constexpr MemoryFiles kTcpV1 = {"memory.kmem.tcp.usage_in_bytes", "memory.kmem.tcp.limit_in_bytes",
                                "memory.kmem.tcp.max_usage_in_bytes"};

// On v2 runc adds the memory to the swap, for its readers know v1's memsw.
void write_use(JsonWriter& json, std::string_view name, const Places& places,
               const MemoryFiles& files, const MemoryFiles* plus, std::uint64_t failures) {
  const auto sum = [&](const char* MemoryFiles::*file) {
    const std::uint64_t own = number_in(places.text("memory", files.*file));
    const std::uint64_t more = plus == nullptr ? 0 : number_in(places.text("memory", plus->*file));
    return own > UINT64_MAX - more ? UINT64_MAX : own + more;
  };
  json.key(name).begin_object();
  json.member("limit", sum(&MemoryFiles::limit)).member("usage", sum(&MemoryFiles::usage));
  json.member("max", sum(&MemoryFiles::max)).member("failcnt", failures).end_object();
}

void write_memory(JsonWriter& json, const Places& places) {
  const std::string stat = places.text("memory", "memory.stat");
  json.key("memory").begin_object();
  json.member("cache", counter(stat, places.unified ? "file" : "total_cache"));
  if (places.unified) {
    const std::string events = places.text("memory", "memory.events");
    write_use(json, "usage", places, kMemoryV2, nullptr, counter(events, "max"));
    write_use(json, "swap", places, kSwapV2, &kMemoryV2,
              counter(places.text("memory", "memory.swap.events"), "max"));
  } else {
    const auto failures = [&](const std::string& file) {
      return number_in(places.text("memory", file));
    };
    write_use(json, "usage", places, kMemoryV1, nullptr, failures("memory.failcnt"));
    write_use(json, "swap", places, kSwapV1, nullptr, failures("memory.memsw.failcnt"));
    write_use(json, "kernel", places, kKernelV1, nullptr, failures("memory.kmem.failcnt"));
    write_use(json, "kernelTCP", places, kTcpV1, nullptr, failures("memory.kmem.tcp.failcnt"));
  }
  json.key("raw").begin_object();
  for (const std::string_view line : split(stat, '\n'))
    if (const std::size_t space = line.find(' '); space != std::string_view::npos)
      json.member(line.substr(0, space), number_in(line.substr(space + 1)));
  json.end_object();
  write_psi(json, places, "memory.pressure");
  json.end_object();
}

void write_pids(JsonWriter& json, const Places& places) {
  json.key("pids").begin_object();
  json.member("current", number_in(places.text("pids", "pids.current")));
  const std::uint64_t limit = number_in(places.text("pids", "pids.max"));
  if (limit != UINT64_MAX) json.member("limit", limit);
  json.end_object();
}

void write_io_entry(JsonWriter& json, std::string_view device, std::string_view op,
                    std::uint64_t value) {
  const std::size_t colon = device.find(':');
  json.begin_object();
  json.member("major", number_in(device.substr(0, colon)));
  json.member("minor", colon == std::string_view::npos ? 0 : number_in(device.substr(colon + 1)));
  json.member("op", op).member("value", value).end_object();
}

struct IoKey {
  std::string_view key;
  std::string_view op;
};
constexpr std::array<IoKey, 3> kIoBytes = {
    {{"rbytes", "Read"}, {"wbytes", "Write"}, {"dbytes", "Discard"}}};
constexpr std::array<IoKey, 3> kIoCounts = {
    {{"rios", "Read"}, {"wios", "Write"}, {"dios", "Discard"}}};

// io.stat of v2: "8:0 rbytes=1 wbytes=2 …".
void write_io_v2(JsonWriter& json, std::string_view name, std::string_view text,
                 const std::array<IoKey, 3>& keys) {
  json.key(name).begin_array();
  for (const std::string_view line : split(text, '\n')) {
    const auto words = split(line, ' ');
    for (const std::string_view word : words)
      for (const IoKey& row : keys)
        if (word.size() > row.key.size() && word[row.key.size()] == '=' &&
            word.starts_with(row.key))
          write_io_entry(json, words[0], row.op, number_in(word.substr(row.key.size() + 1)));
  }
  json.end_array();
}

// v1: "8:0 Read 1"; the line "Total 1" is about no device.
void write_io_v1(JsonWriter& json, std::string_view name, std::string_view text) {
  json.key(name).begin_array();
  for (const std::string_view line : split(text, '\n')) {
    const auto words = split(line, ' ');
    if (words.size() == 3) write_io_entry(json, words[0], words[1], number_in(words[2]));
  }
  json.end_array();
}

void write_blkio(JsonWriter& json, const Places& places) {
  json.key("blkio").begin_object();
  if (places.unified) {
    const std::string stat = places.text("io", "io.stat");
    write_io_v2(json, "ioServiceBytesRecursive", stat, kIoBytes);
    write_io_v2(json, "ioServicedRecursive", stat, kIoCounts);
    write_psi(json, places, "io.pressure");
  } else {
    write_io_v1(json, "ioServiceBytesRecursive",
                places.text("blkio", "blkio.throttle.io_service_bytes_recursive"));
    write_io_v1(json, "ioServicedRecursive",
                places.text("blkio", "blkio.throttle.io_serviced_recursive"));
  }
  json.end_object();
}

// One entry for each page size that the kernel has files for.
void write_hugetlb(JsonWriter& json, const Places& places) {
  json.key("hugetlb").begin_object();
  const std::string path = places.of("hugetlb");
  const std::unique_ptr<DIR, int (*)(DIR*)> dir(::opendir(path.c_str()), ::closedir);
  const std::string end = places.unified ? ".current" : ".usage_in_bytes";
  for (const dirent* entry = nullptr; dir && (entry = ::readdir(dir.get())) != nullptr;) {
    const std::string_view name = entry->d_name;
    if (!name.starts_with("hugetlb.") || !name.ends_with(end) ||
        name.find(".rsvd.") != std::string_view::npos)
      continue;
    const std::string size(name.substr(8, name.size() - 8 - end.size()));
    const std::string stem = "hugetlb." + size;
    json.key(size).begin_object();
    json.member("usage", number_in(read_or_empty(path, std::string(name))));
    if (!places.unified)
      json.member("max", number_in(read_or_empty(path, stem + ".max_usage_in_bytes")));
    json.member("failcnt", places.unified ? counter(read_or_empty(path, stem + ".events"), "max")
                                          : number_in(read_or_empty(path, stem + ".failcnt")));
    json.end_object();
  }
  json.end_object();
}

}  // namespace

std::uint64_t number_in(std::string_view text) {
  if (text.starts_with("max")) return UINT64_MAX;
  std::uint64_t value = 0;
  (void)std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

std::uint64_t counter(std::string_view text, std::string_view key) {
  for (const std::string_view line : split(text, '\n'))
    if (line.size() > key.size() && line[key.size()] == ' ' && line.starts_with(key))
      return number_in(line.substr(key.size() + 1));
  return 0;
}

bool write_pressure(JsonWriter& json, std::string_view text) {
  bool any = false;
  json.begin_object();
  for (const std::string_view line : split(text, '\n')) {
    const auto words = split(line, ' ');
    if (words.size() < 5 || (words[0] != "some" && words[0] != "full")) continue;
    any = true;
    json.key(words[0]).begin_object();
    // Numbers as the kernel wrote them: they are JSON.
    for (const std::string_view word : words | std::views::drop(1))
      if (const std::size_t equals = word.find('='); equals != std::string_view::npos)
        json.key(word.substr(0, equals)).raw(word.substr(equals + 1));
    json.end_object();
  }
  json.end_object();
  return any;
}

void write_stats(JsonWriter& json, const Cgroup& cgroup) {
  const Places places(cgroup);
  json.begin_object();
  write_cpu(json, places);
  write_cpuset(json, places);
  write_memory(json, places);
  write_pids(json, places);
  write_blkio(json, places);
  write_hugetlb(json, places);
  json.end_object();
}
