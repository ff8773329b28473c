// SPDX-License-Identifier: Apache-2.0
// ps, pause, resume: a container's processes by way of its cgroup.
#include <algorithm>
#include <cstdio>

#include "common/child_process.h"
#include "common/json.h"

#include "verbs.h"

namespace {

Result<std::vector<pid_t>> processes_of(const Container& container) {
  const Cgroup cgroup = TRY(container.cgroup());
  if (cgroup.exists()) return cgroup.pids();
  std::vector<pid_t> out;
  if (container.process()) out.push_back(container.record().pid);
  return out;
}

void print_json(const std::vector<pid_t>& pids) {
  if (pids.empty()) {
    std::puts("null");
    return;
  }
  JsonWriter json;
  json.begin_array();
  for (const pid_t pid : pids) json.value(pid);
  std::puts(json.end_array().take().c_str());
}

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> out;
  while (!line.empty()) {
    const std::size_t start = std::min(line.find_first_not_of(" \t"), line.size());
    line.remove_prefix(start);
    const std::size_t end = std::min(line.find_first_of(" \t"), line.size());
    if (end != 0) out.push_back(line.substr(0, end));
    line.remove_prefix(end);
  }
  return out;
}

// The lines of ps(1) that are about these processes.
Result<void> print_table(const std::vector<pid_t>& pids, std::vector<std::string> options) {
  Command command;
  command.argv = {"ps"};
  if (options.empty()) options = {"-ef"};
  command.argv.insert(command.argv.end(), options.begin(), options.end());
  const Output output = TRY(run(command));
  if (output.status != 0) return Error{"ps: " + output.err.substr(0, output.err.find('\n'))};
  std::string_view rest = output.out;
  std::size_t column = std::string_view::npos;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    const auto words = words_of(line);
    if (column == std::string_view::npos) {
      const auto title = std::ranges::find(words, "PID");
      if (title == words.end()) return Error{"ps prints no column PID"};
      column = static_cast<std::size_t>(title - words.begin());
    } else {
      const auto pid = column < words.size() ? parse_integer(words[column]) : std::nullopt;
      if (!pid || std::ranges::find(pids, static_cast<pid_t>(*pid)) == pids.end()) continue;
    }
    std::printf("%.*s\n", static_cast<int>(line.size()), line.data());
  }
  return {};
}

}  // namespace

Result<int> cmd_ps(const Arguments& arguments) {
  const Container container = TRY(Container::open(root_of(arguments), arguments.positionals[0]));
  const std::string format = arguments.options.value_or("format", "table");
  if (format != "table" && format != "json") return Error{"invalid format option '" + format + "'"};
  const std::vector<pid_t> pids = TRY(processes_of(container));
  if (format == "json") {
    print_json(pids);
    return 0;
  }
  TRY(print_table(pids, {arguments.positionals.begin() + 1, arguments.positionals.end()}));
  return 0;
}

Result<int> cmd_pause(const Arguments& arguments) {
  const Container container =
      TRY(Container::open(root_of(arguments), arguments.positionals[0], true));
  const Status status = container.status();
  if (status != Status::Running && status != Status::Created)
    return Error{"container not running", 0, "only a running or created container can be paused"};
  Cgroup cgroup = TRY(container.cgroup());
  if (!cgroup.exists()) return Error{"pause needs a cgroup, and this container has none"};
  TRY(cgroup.freeze());
  events_of(arguments).emit(container.record().id, "pause", container.record().pid);
  return 0;
}

Result<int> cmd_resume(const Arguments& arguments) {
  const Container container =
      TRY(Container::open(root_of(arguments), arguments.positionals[0], true));
  if (container.status() != Status::Paused) return Error{"container not paused"};
  Cgroup cgroup = TRY(container.cgroup());
  TRY(cgroup.thaw());
  events_of(arguments).emit(container.record().id, "resume", container.record().pid);
  return 0;
}
