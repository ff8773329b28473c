// SPDX-License-Identifier: Apache-2.0
// cgroup_text.cc - the texts of kernel files; pure.
#include <charconv>

#include "cgroup_sample.h"

namespace {

// The part of `text` before `separator`; `text` goes on behind it.
std::string_view take(std::string_view& text, char separator) {
  const std::size_t end = text.find(separator);
  const std::string_view out = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return out;
}

std::string_view take_word(std::string_view& line) {
  const std::size_t begin = line.find_first_not_of(" \t");
  line.remove_prefix(begin == std::string_view::npos ? line.size() : begin);
  return take(line, ' ');
}

template <class Use>
void for_each_line(std::string_view text, Use use) {
  while (!text.empty()) use(take(text, '\n'));
}

// "key value" lines.
template <class Use>
void for_each_count(std::string_view text, Use use) {
  for_each_line(text, [&](std::string_view line) {
    const std::string_view key = take(line, ' ');
    if (const Count count = parse_count(line)) use(key, *count);
  });
}

IoUse& device_of(std::string_view name, Sample& out) {
  for (IoUse& device : out.devices)
    if (device.device == name) return device;
  return out.devices.emplace_back(IoUse{std::string(name)});
}

}  // namespace

Count parse_count(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc()) return std::nullopt;
  return number;
}

void add_cpu_stat(std::string_view text, Sample& out) {
  for_each_count(text, [&](std::string_view key, std::uint64_t count) {
    if (key == "usage_usec") out.cpu_ns = count * 1000;
    if (key == "user_usec") out.user_ns = count * 1000;
    if (key == "system_usec") out.system_ns = count * 1000;
    if (key == "throttled_usec") out.throttled_ns = count * 1000;
    if (key == "throttled_time") out.throttled_ns = count;
    if (key == "nr_throttled") out.throttled_periods = count;
  });
}

void add_memory_events(std::string_view text, Sample& out) {
  for_each_count(text, [&](std::string_view key, std::uint64_t count) {
    if (key == "oom") out.oom_events = count;
    if (key == "oom_kill") out.oom_kills = count;
  });
}

void add_io_stat(std::string_view text, Sample& out) {
  for_each_line(text, [&](std::string_view line) {
    const std::string_view name = take(line, ' ');
    if (line.empty()) return;
    IoUse& device = device_of(name, out);
    while (!line.empty()) {
      std::string_view pair = take_word(line);
      const std::string_view key = take(pair, '=');
      const std::uint64_t count = parse_count(pair).value_or(0);
      if (key == "rbytes") device.read_bytes = count;
      if (key == "wbytes") device.write_bytes = count;
      if (key == "rios") device.reads = count;
      if (key == "wios") device.writes = count;
    }
  });
}

void add_blkio(std::string_view text, bool bytes, Sample& out) {
  for_each_line(text, [&](std::string_view line) {
    const std::string_view name = take(line, ' ');
    const std::string_view what = take(line, ' ');
    const Count count = parse_count(line);
    if (!count || (what != "Read" && what != "Write")) return;
    IoUse& device = device_of(name, out);
    if (what == "Read")
      (bytes ? device.read_bytes : device.reads) = *count;
    else
      (bytes ? device.write_bytes : device.writes) = *count;
  });
}

Pressure parse_pressure(std::string_view text) {
  Pressure out;
  for_each_line(text, [&](std::string_view line) {
    const std::size_t total = line.find("total=");
    if (total == std::string_view::npos) return;
    (line.starts_with("some") ? out.some : out.full) = parse_count(line.substr(total + 6));
  });
  return out;
}

void add_net_dev(std::string_view text, Sample& out) {
  for_each_line(text, [&](std::string_view line) {
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return;
    std::string_view name = line.substr(0, colon);
    name.remove_prefix(std::min(name.find_first_not_of(' '), name.size()));
    if (name == "lo") return;
    line.remove_prefix(colon + 1);
    InterfaceUse use = {std::string(name)};
    // Of the eight columns of each direction the first four.
    for (std::size_t column = 0; column < 16; ++column) {
      const std::uint64_t count = parse_count(take_word(line)).value_or(0);
      if (column % 8 < 4) use.counts[column / 8 * 4 + column % 8] = count;
    }
    out.interfaces.push_back(std::move(use));
  });
}

std::vector<std::pair<std::string, std::string>> parse_proc_cgroup(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> out;
  for_each_line(text, [&](std::string_view line) {
    (void)take(line, ':');
    std::string_view controllers = take(line, ':');
    do {
      out.emplace_back(take(controllers, ','), line);
    } while (!controllers.empty());
  });
  return out;
}
