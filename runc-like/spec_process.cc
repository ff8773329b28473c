// SPDX-License-Identifier: Apache-2.0
// The process object of config.json, which exec --process reads too.
#include <sched.h>
#include <sys/types.h>

#include <charconv>

#include "capability.h"
#include "spec_read.h"
#include "table_names.h"

Result<std::uint32_t> read_uint32(const JsonView& view) {
  const std::uint64_t value = TRY(view.unsigned_integer());
  if (value > UINT32_MAX) return view.error("is out of range");
  return static_cast<std::uint32_t>(value);
}

Result<std::uint32_t> read_uint32(Result<JsonView> required) {
  const JsonView view = TRY(std::move(required));
  return read_uint32(view);
}

Result<std::uint64_t> read_uint64(Result<JsonView> required) {
  const JsonView view = TRY(std::move(required));
  return view.unsigned_integer();
}

Result<std::string> read_string(Result<JsonView> required) {
  const JsonView view = TRY(std::move(required));
  return view.string();
}

Result<void> read_optional(const JsonView& object, std::string_view key, std::string& into) {
  if (const auto view = object.find(key)) into = TRY(view->string());
  return {};
}

Result<void> read_optional(const JsonView& object, std::string_view key, bool& into) {
  if (const auto view = object.find(key)) into = TRY(view->boolean());
  return {};
}

Result<void> read_optional(const JsonView& object, std::string_view key, std::uint32_t& into) {
  if (const auto view = object.find(key)) into = TRY(read_uint32(*view));
  return {};
}

Result<void> read_optional(const JsonView& object, std::string_view key, std::uint64_t& into) {
  if (const auto view = object.find(key)) into = TRY(view->unsigned_integer());
  return {};
}

Result<void> read_optional(const JsonView& object, std::string_view key,
                           std::vector<std::string>& into) {
  if (const auto view = object.find(key)) into = TRY(view->strings());
  return {};
}

namespace {

// 2^32 - 1 is "leave as it is" to the kernel: a container meant for nobody
// would keep root.
Result<std::uint32_t> read_id(const JsonView& view) {
  const std::uint32_t id = TRY(read_uint32(view));
  if (id == UINT32_MAX) return view.error("is out of range");
  return id;
}

Result<User> read_user(const JsonView& view) {
  User user;
  if (const auto uid = view.find("uid")) user.uid = TRY(read_id(*uid));
  if (const auto gid = view.find("gid")) user.gid = TRY(read_id(*gid));
  if (const auto umask = view.find("umask")) {
    user.umask = TRY(read_uint32(*umask));
    if (*user.umask > 0777) return umask->error("is out of range");
  }
  if (const auto groups = view.find("additionalGids"))
    for (const JsonView& group : TRY(groups->items())) user.groups.push_back(TRY(read_id(group)));
  return user;
}

Result<std::uint64_t> read_capability_set(const JsonView& object, std::string_view key,
                                          std::vector<std::string>& warnings) {
  std::uint64_t set = 0;
  const auto list = object.find(key);
  if (!list) return set;
  for (const JsonView& item : TRY(list->items())) {
    const std::string name = TRY(item.string());
    const auto number = capability_number(name);
    // The specification: warn, and go on without it.
    if (!number)
      warnings.push_back(item.error("unknown capability '" + name + "'" + nearest_capability(name) +
                                    "; it is ignored")
                             .what);
    else
      set |= std::uint64_t{1} << *number;
  }
  return set;
}

Result<Capabilities> read_capabilities(const JsonView& view, std::vector<std::string>& warnings) {
  if (!view.is_object()) return view.error("expected an object");
  Capabilities sets;
  sets.bounding = TRY(read_capability_set(view, "bounding", warnings));
  sets.effective = TRY(read_capability_set(view, "effective", warnings));
  sets.inheritable = TRY(read_capability_set(view, "inheritable", warnings));
  sets.permitted = TRY(read_capability_set(view, "permitted", warnings));
  sets.ambient = TRY(read_capability_set(view, "ambient", warnings));
  return sets;
}

Result<RlimitSpec> read_rlimit(const JsonView& view) {
  RlimitSpec limit;
  const JsonView type = TRY(view.at("type"));
  const std::string name = TRY(type.string());
  const RlimitName* row = find_row(kRlimits, name);
  if (row == nullptr)
    return type.error("unknown rlimit '" + name + "'" + did_you_mean(kRlimits, name));
  limit.resource = row->resource;
  const JsonView soft = TRY(view.at("soft"));
  limit.soft = TRY(soft.unsigned_integer());
  limit.hard = TRY(read_uint64(view.at("hard")));
  if (limit.soft > limit.hard) return soft.error("is above the hard limit");
  limit.field = view.pointer();
  return limit;
}

Result<void> read_rlimits(const JsonView& view, ProcessSpec& process) {
  for (const JsonView& item : TRY(view.items())) {
    RlimitSpec limit = TRY(read_rlimit(item));
    for (const RlimitSpec& other : process.rlimits)
      if (other.resource == limit.resource) return item.error("the same rlimit twice");
    process.rlimits.push_back(std::move(limit));
  }
  return {};
}

struct NamedNumber {
  std::string_view name;
  std::uint64_t value;
};

constexpr auto kPolicies = std::to_array<NamedNumber>({
    {"SCHED_BATCH", SCHED_BATCH},
    {"SCHED_DEADLINE", 6},
    {"SCHED_FIFO", SCHED_FIFO},
    {"SCHED_IDLE", SCHED_IDLE},
    {"SCHED_ISO", 4},
    {"SCHED_OTHER", SCHED_OTHER},
    {"SCHED_RR", SCHED_RR},
});
static_assert(sorted_by_name(kPolicies));

constexpr auto kSchedulerFlags = std::to_array<NamedNumber>({
    {"SCHED_FLAG_DL_OVERRUN", 4},
    {"SCHED_FLAG_KEEP_PARAMS", 16},
    {"SCHED_FLAG_KEEP_POLICY", 8},
    {"SCHED_FLAG_RECLAIM", 2},
    {"SCHED_FLAG_RESET_ON_FORK", 1},
    {"SCHED_FLAG_UTIL_CLAMP_MAX", 64},
    {"SCHED_FLAG_UTIL_CLAMP_MIN", 32},
});
static_assert(sorted_by_name(kSchedulerFlags));

constexpr auto kIoClasses = std::to_array<NamedNumber>({
    {"IOPRIO_CLASS_BE", 2},
    {"IOPRIO_CLASS_IDLE", 3},
    {"IOPRIO_CLASS_RT", 1},
});
static_assert(sorted_by_name(kIoClasses));

template <std::size_t N>
Result<std::uint64_t> look_up(Result<JsonView> given, const std::array<NamedNumber, N>& table) {
  const JsonView view = TRY(std::move(given));
  const std::string name = TRY(view.string());
  const NamedNumber* row = find_row(table, name);
  if (row == nullptr) return view.error("unknown value '" + name + "'" + did_you_mean(table, name));
  return row->value;
}

Result<SchedulerSpec> read_scheduler(const JsonView& view) {
  SchedulerSpec scheduler;
  scheduler.policy = static_cast<std::uint32_t>(TRY(look_up(view.at("policy"), kPolicies)));
  if (const auto nice = view.find("nice")) {
    const std::int64_t value = TRY(nice->integer());
    if (value < -20 || value > 19) return nice->error("must lie between -20 and 19");
    scheduler.nice = static_cast<std::int32_t>(value);
  }
  TRY(read_optional(view, "priority", scheduler.priority));
  if (const auto flags = view.find("flags"))
    for (const JsonView& flag : TRY(flags->items()))
      scheduler.flags |= TRY(look_up(flag, kSchedulerFlags));
  TRY(read_optional(view, "runtime", scheduler.runtime));
  TRY(read_optional(view, "deadline", scheduler.deadline));
  TRY(read_optional(view, "period", scheduler.period));
  return scheduler;
}

Result<int> read_io_priority(const JsonView& view) {
  const std::uint64_t kind = TRY(look_up(view.at("class"), kIoClasses));
  std::int64_t level = 0;
  if (const auto priority = view.find("priority")) {
    level = TRY(priority->integer());
    if (level < 0 || level > 7) return priority->error("must lie between 0 and 7");
  }
  return static_cast<int>(kind << 13U) | static_cast<int>(level);
}

Result<std::uint16_t> read_cells(Result<JsonView> given) {
  const JsonView view = TRY(std::move(given));
  const std::uint64_t cells = TRY(view.unsigned_integer());
  if (cells > UINT16_MAX) return view.error("is out of range");
  return static_cast<std::uint16_t>(cells);
}

Result<void> read_behaviour(const JsonView& view, ProcessSpec& process) {
  TRY(read_optional(view, "noNewPrivileges", process.no_new_privileges));
  TRY(read_optional(view, "apparmorProfile", process.apparmor_profile));
  TRY(read_optional(view, "selinuxLabel", process.selinux_label));
  if (const auto adjust = view.find("oomScoreAdj")) {
    const std::int64_t value = TRY(adjust->integer());
    if (value < -1000 || value > 1000) return adjust->error("must lie between -1000 and 1000");
    process.oom_score_adj = static_cast<int>(value);
  }
  if (const auto scheduler = view.find("scheduler"))
    process.scheduler = TRY(read_scheduler(*scheduler));
  if (const auto priority = view.find("ioPriority"))
    process.io_priority = TRY(read_io_priority(*priority));
  if (const auto affinity = view.find("execCPUAffinity")) {
    TRY(read_optional(*affinity, "initial", process.initial_affinity));
    TRY(read_optional(*affinity, "final", process.final_affinity));
  }
  return {};
}

}  // namespace

Result<ProcessSpec> read_process(const JsonView& view, std::vector<std::string>& warnings) {
  if (!view.is_object()) return view.error("expected an object");
  ProcessSpec process;
  process.field = view.pointer();
  TRY(read_optional(view, "terminal", process.terminal));
  if (const auto size = view.find("consoleSize")) {
    process.rows = TRY(read_cells(size->at("height")));
    process.columns = TRY(read_cells(size->at("width")));
  }
  if (const auto user = view.find("user")) process.user = TRY(read_user(*user));
  TRY(read_optional(view, "args", process.args));
  TRY(read_optional(view, "env", process.env));
  const JsonView cwd = TRY(view.at("cwd"));
  process.cwd = TRY(cwd.string());
  if (!process.cwd.starts_with('/')) return cwd.error("Cwd must be an absolute path");
  if (const auto capabilities = view.find("capabilities"))
    process.capabilities = TRY(read_capabilities(*capabilities, warnings));
  if (const auto rlimits = view.find("rlimits")) TRY(read_rlimits(*rlimits, process));
  TRY(read_behaviour(view, process));
  return process;
}

Result<ProcessSpec> parse_process(const std::string& name, std::string_view text,
                                  std::vector<std::string>& warnings) {
  const JsonDocument document = TRY(JsonDocument::parse(name, text));
  ProcessSpec process = TRY(read_process(document.root(), warnings));
  const JsonView args = TRY(document.root().at("args"));
  if (process.args.empty() || process.args[0].empty()) return args.error("must not be empty");
  return process;
}
