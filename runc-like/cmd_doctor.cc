// SPDX-License-Identifier: Apache-2.0
// doctor: what this host can do, what is missing, what that breaks, how to get it.
// Status 1 when something is missing without which no container starts.
#include <algorithm>
#include <cstdio>

#include "common/json.h"

#include "doctor.h"
#include "verbs.h"

namespace {

std::string_view word_for(const Check& check) {
  if (check.answer == Check::Answer::Yes) return "yes";
  if (check.answer == Check::Answer::Partly) return "optional";
  return check.required ? "REQUIRED" : "missing";
}

void print_text(const std::vector<Check>& checks) {
  for (const Check& check : checks) {
    std::printf("%-10s %-34s %-9s %s\n", check.area.c_str(), check.what.c_str(),
                std::string(word_for(check)).c_str(), check.found.c_str());
    if (check.answer == Check::Answer::Yes) continue;
    std::printf("%-10s   without it: %s\n%-10s   to get it:  %s\n", "", check.breaks.c_str(), "",
                check.fix.c_str());
  }
}

void print_json(const std::vector<Check>& checks) {
  JsonWriter json(JsonWriter::Style::TwoSpaces);
  json.begin_array();
  for (const Check& check : checks) {
    json.begin_object().member("area", check.area).member("what", check.what);
    json.member("there", check.answer == Check::Answer::Yes).member("required", check.required);
    if (!check.found.empty()) json.member("found", check.found);
    json.member("breaks", check.breaks).member("fix", check.fix).end_object();
  }
  std::puts(json.end_array().take().c_str());
}

}  // namespace

Result<int> cmd_doctor(const Arguments& arguments) {
  const std::string format = arguments.options.value_or("format", "text");
  if (format != "text" && format != "json") return Error{"invalid format option '" + format + "'"};
  std::vector<Check> checks;
  check_kernel(checks);
  check_cgroups(checks);
  check_security(checks);
  check_rootless(checks);
  check_programs(checks);
  if (format == "json")
    print_json(checks);
  else
    print_text(checks);
  const bool fails = std::ranges::any_of(
      checks, [](const Check& c) { return c.required && c.answer != Check::Answer::Yes; });
  return fails ? 1 : 0;
}
