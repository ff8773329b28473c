// SPDX-License-Identifier: Apache-2.0
// validate: config.json against the specification and this host, all findings at
// once. Runs nothing, changes nothing. Status 1 when a start would fail.
#include <algorithm>
#include <cstdio>

#include "common/json.h"

#include "findings.h"
#include "verbs.h"

namespace {

std::string_view level_name(Finding::Level level) {
  return level == Finding::Level::Error ? "error" : "warning";
}

void print_text(const std::vector<Finding>& findings) {
  for (const Finding& finding : findings)
    std::printf("%s: %s%s%s%s%s\n", std::string(level_name(finding.level)).c_str(),
                finding.field.c_str(), finding.field.empty() ? "" : ": ", finding.text.c_str(),
                finding.hint.empty() ? "" : "; hint: ", finding.hint.c_str());
}

void print_json(const std::vector<Finding>& findings) {
  JsonWriter json(JsonWriter::Style::TwoSpaces);
  json.begin_array();
  for (const Finding& finding : findings) {
    json.begin_object().member("level", level_name(finding.level));
    json.member("field", finding.field).member("text", finding.text);
    if (!finding.hint.empty()) json.member("hint", finding.hint);
    json.end_object();
  }
  std::puts(json.end_array().take().c_str());
}

// The plan finds what only shows when everything is put together.
void examine_plan(const Spec& spec, LaunchOptions options, std::vector<Finding>& findings) {
  const auto add = [&](const Error& error) {
    std::string text = error.text();
    const std::string prefix = "config.json: " + error.field + ": ";
    if (text.starts_with(prefix)) text.erase(0, prefix.size());
    findings.push_back({Finding::Level::Error, error.field, text, ""});
  };
  std::optional<SeccompProgram> program;
  if (spec.seccomp) {
    auto compiled = compile_seccomp(*spec.seccomp, "");
    if (!compiled) return add(compiled.error());
    for (const std::string& warning : compiled->warnings)
      findings.push_back({Finding::Level::Warning, "", warning, ""});
    program = *std::move(compiled);
  }
  const auto layout = read_cgroup_layout();
  if (!layout) return add(layout.error());
  const auto facts = host_facts(*layout, nullptr);
  if (!facts) return add(facts.error());
  const auto plan =
      plan_start(spec, plan_options(options, spec), *facts, program ? &*program : nullptr);
  if (!plan) return add(plan.error());
  for (const std::string& warning : plan->warnings)
    findings.push_back({Finding::Level::Warning, "", warning, ""});
}

}  // namespace

Result<int> cmd_validate(const Arguments& arguments) {
  const Options& given = arguments.options;
  LaunchOptions options;
  options.id = "validate";
  options.bundle =
      arguments.positionals.empty() ? given.value_or("bundle", ".") : arguments.positionals[0];
  options.bundle = TRY(real_path(options.bundle));
  const std::string format = given.value_or("format", "text");
  if (format != "text" && format != "json") return Error{"invalid format option '" + format + "'"};
  const std::string text =
      TRY(read_file(options.bundle + "/" + given.value_or("config", "config.json")));
  Examined examined = examine(text);
  if (examined.spec) {
    if (!given.flag("no-host")) examine_on_host(*examined.spec, options.bundle, examined.findings);
    if (examined.spec->process) examine_plan(*examined.spec, options, examined.findings);
  }
  if (format == "json")
    print_json(examined.findings);
  else
    print_text(examined.findings);
  const bool fails = std::ranges::any_of(
      examined.findings, [](const Finding& f) { return f.level == Finding::Level::Error; });
  return fails ? 1 : 0;
}
