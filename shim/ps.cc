// SPDX-License-Identifier: Apache-2.0
// ps.cc - `shim ps`: the containers that have a state directory.
#include <algorithm>
#include <array>
#include <cstdio>

#include "common/json.h"

#include "run.h"
#include "seen_container.h"
#include "verbs.h"

namespace {

using Kind = Option::Kind;

constexpr auto kTable = std::to_array<Option>({
    {"state-dir", 0, Kind::Value, "DIR", "where running shims show their state (/run/shim)"},
    {"json", 0, Kind::Flag, "", "one JSON object a line"},
});

std::string json_of(const SeenContainer& c) {
  JsonWriter w;
  w.begin_object().member("id", c.id).member("pid", static_cast<int>(c.pid));
  w.member("shimPid", static_cast<int>(c.shim)).member("status", c.status);
  w.member("health", c.health).member("restarts", c.restarts);
  w.member("started", c.started).member("bundle", c.bundle).end_object();
  return w.take();
}

using Row = std::array<std::string, 7>;

Row row_of(const SeenContainer& c) {
  return {c.id,
          std::to_string(c.pid),
          c.status,
          c.health.empty() ? "-" : c.health,
          std::to_string(c.restarts),
          c.started.substr(0, std::min<std::size_t>(c.started.size(), 19)),
          c.bundle};
}

void print_table(const std::vector<Row>& rows) {
  std::array<std::size_t, std::tuple_size_v<Row>> widths = {};
  for (const Row& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  for (const Row& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      if (i + 1 < row.size()) line.append(widths[i] + 2 - row[i].size(), ' ');
    }
    std::puts(line.c_str());
  }
}

}  // namespace

const std::span<const Option> kPsOptions = kTable;

// One that goes away while we look is not listed.
Result<int> cmd_ps(const Arguments& arguments) {
  const std::string root = state_root(arguments.options);
  std::vector<Row> rows = {{"ID", "PID", "STATUS", "HEALTH", "RESTARTS", "STARTED", "BUNDLE"}};
  for (const std::string& id : container_ids(root)) {
    const auto state = SeenState::open(root, id);
    const auto container =
        state ? describe_container(*state, id) : Result<SeenContainer>(Error{"gone"});
    if (!container) continue;
    if (arguments.options.flag("json"))
      std::puts(json_of(*container).c_str());
    else
      rows.push_back(row_of(*container));
  }
  if (!arguments.options.flag("json")) print_table(rows);
  return 0;
}
