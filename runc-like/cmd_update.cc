// SPDX-License-Identifier: Apache-2.0
// update: new limits for a container that exists.
#include <cctype>
#include <charconv>

#include "common/json.h"

#include "verbs.h"

namespace {

// "512m", "1.5" is not one, "-1": bytes.
Result<std::int64_t> bytes_of(std::string_view option, const std::string& text) {
  std::int64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [at, failed] = std::from_chars(text.data(), end, number);
  std::string unit(at, end);
  for (char& c : unit) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (unit.ends_with('b')) unit.pop_back();
  if (unit.ends_with('i')) unit.pop_back();
  constexpr std::string_view kUnits = "kmgtp";
  const std::size_t power = unit.empty() ? 0 : kUnits.find(unit[0]) + 1;
  if (failed != std::errc() || unit.size() > 1 || (!unit.empty() && power == 0))
    return Error{"--" + std::string(option) + ": '" + text + "' is no size"};
  std::int64_t factor = 1;
  for (std::size_t i = 0; i < power; ++i) factor *= 1024;
  std::int64_t out = 0;
  if (__builtin_mul_overflow(number, factor, &out))
    return Error{"--" + std::string(option) + ": '" + text + "' is too large"};
  return out;
}

template <class T>
Result<void> take_number(const Options& given, std::string_view option, std::optional<T>& into) {
  const auto text = given.value(option);
  if (!text) return {};
  const auto number = parse_integer(*text);
  if (!number) return Error{"--" + std::string(option) + ": '" + *text + "' is no number"};
  into = static_cast<T>(*number);
  return {};
}

Result<void> take_bytes(const Options& given, std::string_view option,
                        std::optional<std::int64_t>& into) {
  if (const auto text = given.value(option)) into = TRY(bytes_of(option, *text));
  return {};
}

Result<Resources> from_file(const std::string& path) {
  const std::string text =
      path == "-" ? TRY(read_all(FdRef(0), "standard input")) : TRY(read_file(path));
  const JsonDocument document =
      TRY(JsonDocument::parse(path == "-" ? "standard input" : path, text));
  return parse_resources(document.root());
}

Result<void> from_options(const Options& given, Resources& out) {
  TRY(take_bytes(given, "memory", out.memory.limit));
  TRY(take_bytes(given, "memory-reservation", out.memory.reservation));
  TRY(take_bytes(given, "memory-swap", out.memory.swap));
  TRY(take_bytes(given, "kernel-memory", out.memory.kernel));
  TRY(take_bytes(given, "kernel-memory-tcp", out.memory.kernel_tcp));
  // Without a swap limit of its own, one must not stay behind.
  if (out.memory.limit == -1 && !out.memory.swap) out.memory.swap = -1;
  TRY(take_number(given, "cpu-period", out.cpu.period));
  TRY(take_number(given, "cpu-quota", out.cpu.quota));
  TRY(take_number(given, "cpu-burst", out.cpu.burst));
  TRY(take_number(given, "cpu-share", out.cpu.shares));
  TRY(take_number(given, "cpu-idle", out.cpu.idle));
  TRY(take_number(given, "cpu-rt-period", out.cpu.realtime_period));
  TRY(take_number(given, "cpu-rt-runtime", out.cpu.realtime_runtime));
  TRY(take_number(given, "blkio-weight", out.block_io.weight));
  TRY(take_number(given, "pids-limit", out.pids));
  out.cpu.cpus = given.value_or("cpuset-cpus", out.cpu.cpus);
  out.cpu.mems = given.value_or("cpuset-mems", out.cpu.mems);
  return {};
}

}  // namespace

Result<int> cmd_update(const Arguments& arguments) {
  Container container = TRY(Container::open(root_of(arguments), arguments.positionals[0], true));
  if (container.status_but_paused() == Status::Stopped) return Error{"container not running"};
  Resources resources;
  if (const auto file = arguments.options.value("resources")) resources = TRY(from_file(*file));
  TRY(from_options(arguments.options, resources));
  resources.devices.clear();  // devices are set once, at create
  Cgroup cgroup = TRY(container.cgroup());
  cgroup.keep();
  TRY(cgroup.apply(resources));
  // A v1 hierarchy may have been entered for a new kind of limit: delete must know.
  Record record = container.record();
  record.cgroup = cgroup.to_json();
  TRY(container.write(record));
  events_of(arguments).emit(container.record().id, "update", container.record().pid);
  return 0;
}
