// SPDX-License-Identifier: Apache-2.0
// cmd_tags.cc - what a registry has: tags of a repository, and search among repositories.
#include <algorithm>
#include <cstdio>

#include "common/json.h"

#include "http.h"
#include "registry_commands.h"
#include "registry_options.h"

namespace {

// Names come from a stranger: nothing in them may steer the terminal.
void print(const Arguments& arguments, std::vector<std::string> names) {
  std::ranges::sort(names);
  if (arguments.options.flag("json")) {
    JsonWriter out(JsonWriter::Style::TwoSpaces);
    std::printf("%s\n", out.value(names).take().c_str());
    return;
  }
  for (const std::string& name : names) std::printf("%s\n", printable(name).c_str());
}

}  // namespace

Result<int> cmd_tags(const Arguments& arguments) {
  const RegistryReference repository = TRY(parse_registry_reference(arguments.positionals[0]));
  const RegistryOptions options = TRY(registry_options(arguments.options));
  auto registry = TRY(Registry::connect(repository, options));
  print(arguments, TRY(registry->tags()));
  return 0;
}

Result<int> cmd_search(const Arguments& arguments) {
  const RegistryReference host = TRY(parse_registry_host(arguments.positionals[0]));
  const std::string text = arguments.positionals.size() > 1 ? arguments.positionals[1] : "";
  const RegistryOptions options = TRY(registry_options(arguments.options));
  auto registry = TRY(Registry::connect(host, options));
  std::vector<std::string> found;
  for (const std::string& name : TRY(registry->catalog()))
    if (name.find(text) != std::string::npos) found.push_back(host.host + "/" + name);
  print(arguments, std::move(found));
  return 0;
}
