// SPDX-License-Identifier: Apache-2.0
// explain: what a bundle's configuration will do, in order, and which field asks
// for each step. Runs nothing, changes nothing, needs no power.
#include <linux/sched.h>

#include <cstdio>

#include "common/json.h"

#include "log.h"
#include "table_names.h"
#include "verbs.h"

namespace {

struct Line {
  std::string who;
  std::string step;
  std::string text;
  std::string field;
};

std::string namespace_list(std::uint64_t flags) {
  std::string out;
  for (const NamespaceName& row : kNamespaces)
    if ((flags & row.flag) != 0) out.append(out.empty() ? "" : ", ").append(row.name);
  return out.empty() ? "none" : out;
}

void add_hooks(const Spec& spec, HookKind kind, std::vector<Line>& lines) {
  const auto list = spec.hooks.find(kind);
  if (list == spec.hooks.end()) return;
  for (const HookSpec& hook : list->second)
    lines.push_back({"parent", "hook", "run hook '" + hook.path + "'", hook.field});
}

// What the parent does before init takes its first step.
void add_beginning(const Spec& spec, const Plan& plan, CgroupManager manager,
                   std::vector<Line>& lines) {
  if (manager != CgroupManager::Disabled)
    lines.push_back({"parent", "cgroup",
                     "make the cgroup '" + spec.cgroups_path + "' and set its limits",
                     "/linux/resources"});
  for (const Handed& handed : plan.handed)
    if (handed.what == Handed::What::Tree || handed.what == Handed::What::Namespace)
      lines.push_back({"parent", "open", "open '" + handed.path + "'", handed.field});
  if (spec.has_new(CLONE_NEWTIME))
    lines.push_back({"parent", "time", "make a time namespace", "/linux/timeOffsets"});
  lines.push_back({"parent", "clone",
                   "clone init; new namespaces: " + namespace_list(plan.clone_flags),
                   "/linux/namespaces"});
  if (plan.new_user)
    lines.push_back({"parent", "id-maps", "write uid_map and gid_map", "/linux/uidMappings"});
  if (spec.process && spec.process->oom_score_adj)
    lines.push_back({"parent", "oom-score",
                     "set oom_score_adj " + std::to_string(*spec.process->oom_score_adj),
                     "/process/oomScoreAdj"});
}

std::vector<Line> lines_of(const Spec& spec, const Plan& plan, CgroupManager manager) {
  std::vector<Line> lines;
  add_beginning(spec, plan, manager, lines);
  for (const PlannedStep& step : plan.steps) {
    lines.push_back(
        {"init", std::string(step_name(step.step.op)), describe_step(plan, step), step.field});
    if (step.step.op != wire::Op::AskHooks) continue;
    add_hooks(spec, HookKind::Prestart, lines);
    add_hooks(spec, HookKind::CreateRuntime, lines);
  }
  add_hooks(spec, HookKind::Poststart, lines);
  return lines;
}

void print_text(const std::vector<Line>& lines) {
  int number = 0;
  for (const Line& line : lines)
    std::printf("%3d  %-6s  %-60s  %s\n", ++number, line.who.c_str(), line.text.c_str(),
                line.field.c_str());
}

void print_json(const std::vector<Line>& lines) {
  JsonWriter json(JsonWriter::Style::TwoSpaces);
  json.begin_array();
  for (const Line& line : lines) {
    json.begin_object().member("by", line.who).member("step", line.step);
    json.member("does", line.text);
    if (!line.field.empty()) json.member("field", line.field);
    json.end_object();
  }
  std::puts(json.end_array().take().c_str());
}

}  // namespace

Result<int> cmd_explain(const Arguments& arguments) {
  LaunchOptions options;
  options.id = "explain";
  options.bundle = arguments.positionals.empty() ? arguments.options.value_or("bundle", ".")
                                                 : arguments.positionals[0];
  options.bundle = TRY(real_path(options.bundle));
  options.manager = TRY(manager_of(arguments));
  const std::string format = arguments.options.value_or("format", "text");
  if (format != "text" && format != "json") return Error{"invalid format option '" + format + "'"};
  std::string text;
  const Spec spec = TRY(
      load_spec(options.bundle + "/" + arguments.options.value_or("config", "config.json"), text));
  std::optional<SeccompProgram> program;
  if (spec.seccomp) program = TRY(compile_seccomp(*spec.seccomp, ""));
  const CgroupLayout layout = TRY(read_cgroup_layout());
  const HostFacts facts = TRY(host_facts(layout, nullptr));
  const Plan plan =
      TRY(plan_start(spec, plan_options(options, spec), facts, program ? &*program : nullptr));
  for (const std::string& warning : plan.warnings) log_warning(warning);
  const std::vector<Line> lines = lines_of(spec, plan, options.manager);
  if (format == "json")
    print_json(lines);
  else
    print_text(lines);
  return 0;
}
