// SPDX-License-Identifier: Apache-2.0
// stats.cc - `shim stats`: what containers use, for people's jq and for Prometheus.
#include <array>
#include <charconv>
#include <cstdio>

#include "common/json.h"

#include "cgroup_stats.h"
#include "run.h"
#include "seen_container.h"
#include "verbs.h"

namespace {

using Kind = Option::Kind;

constexpr auto kTable = std::to_array<Option>({
    {"state-dir", 0, Kind::Value, "DIR", "where running shims show their state (/run/shim)"},
    {"format", 0, Kind::Value, "NAME", "json (one object a line) or openmetrics (json)"},
});

struct Measured {
  SeenContainer container;
  CgroupStats stats;
};

std::string text_of(double number) {
  std::array<char, 32> text = {};
  const auto [end, failed] = std::to_chars(text.data(), text.data() + text.size(), number);
  return failed == std::errc() ? std::string(text.data(), end) : "NaN";
}

std::string name_of(const MetricFamily& family) {
  return std::string(family.name) + (family.counter ? "_total" : "");
}

std::string json_of(const Measured& measured) {
  JsonWriter w;
  w.begin_object().member("id", measured.container.id);
  w.member("pid", static_cast<int>(measured.container.pid));
  w.member("restarts", measured.container.restarts);
  for (const MetricFamily& family : kMetricFamilies) {
    const auto found = measured.stats.find(family.name);
    if (found == measured.stats.end()) continue;
    w.key(name_of(family));
    if (family.label.empty()) {
      w.raw(text_of(found->second.begin()->second));
      continue;
    }
    w.begin_object();
    for (const auto& [label, value] : found->second) w.key(label).raw(text_of(value));
    w.end_object();
  }
  w.end_object();
  return w.take();
}

// OpenMetrics' rules for a label: backslash, quote and newline are escaped.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '\\' || c == '"') out.push_back('\\');
    out += c == '\n' ? std::string("\\n") : std::string(1, c);
  }
  return out + "\"";
}

void print_family(const MetricFamily& family, const std::vector<Measured>& all) {
  const std::string full = "container_" + std::string(family.name);
  std::printf("# TYPE %s %s\n", full.c_str(), family.counter ? "counter" : "gauge");
  if (!family.unit.empty())
    std::printf("# UNIT %s %s\n", full.c_str(), std::string(family.unit).c_str());
  for (const Measured& measured : all) {
    const auto found = measured.stats.find(family.name);
    if (found == measured.stats.end()) continue;
    for (const auto& [label, value] : found->second) {
      std::string labels = "{id=" + quoted(measured.container.id);
      if (!family.label.empty()) labels += "," + std::string(family.label) + "=" + quoted(label);
      std::printf("container_%s%s} %s\n", name_of(family).c_str(), labels.c_str(),
                  text_of(value).c_str());
    }
  }
}

void print_openmetrics(const std::vector<Measured>& all) {
  for (const MetricFamily& family : kMetricFamilies) print_family(family, all);
  std::puts("# TYPE container_restarts counter");
  for (const Measured& measured : all)
    std::printf("container_restarts_total{id=%s} %u\n", quoted(measured.container.id).c_str(),
                measured.container.restarts);
  std::puts("# EOF");
}

Result<std::vector<Measured>> measure(const Arguments& arguments) {
  const std::string root = state_root(arguments.options);
  std::vector<Measured> all;
  for (const std::string& id : arguments.positionals) {
    const SeenState state = TRY(SeenState::open(root, id));
    SeenContainer container = TRY(describe_container(state, id));
    all.push_back({container, read_cgroup_stats_of(container.pid)});
  }
  if (!arguments.positionals.empty()) return all;
  for (const std::string& id : container_ids(root)) {
    const auto state = SeenState::open(root, id);
    const auto container =
        state ? describe_container(*state, id) : Result<SeenContainer>(Error{"gone"});
    if (container && container->status == "running")
      all.push_back({*container, read_cgroup_stats_of(container->pid)});
  }
  return all;
}

}  // namespace

const std::span<const Option> kStatsOptions = kTable;

Result<int> cmd_stats(const Arguments& arguments) {
  const std::string format = arguments.options.value_or("format", "json");
  if (format != "json" && format != "openmetrics")
    return Error{"--format '" + format + "' is neither json nor openmetrics", EINVAL};
  const std::vector<Measured> all = TRY(measure(arguments));
  if (format == "openmetrics")
    print_openmetrics(all);
  else
    for (const Measured& measured : all) std::puts(json_of(measured).c_str());
  return 0;
}
