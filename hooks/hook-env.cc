// SPDX-License-Identifier: Apache-2.0
// hook-env.cc - binds a container to a set of variables and files that outlives it.
//
// Given config.json on standard input it writes the changed one (a pipeline, or
// podman's stage precreate). Given a state (createRuntime, under any engine) it
// copies the files into the container: the environment is settled by then.
#include <unistd.h>

#include <cstdio>

#include "common/beneath.h"

#include "bundle_config.h"
#include "data_set.h"
#include "hook_main.h"

namespace {

using Kind = Option::Kind;

constexpr Option kOptions[] = {
    {"data", 0, Kind::Value, "DIR", "where the sets are (default: /etc/containers/data)"},
    {"set", 0, Kind::Value, "NAME", "the set (default: what the annotation says)"},
    {"annotation", 0, Kind::Value, "KEY", "names the set (default: container.data)"},
    {"keep", 0, Kind::Flag, "", "variables that are set already stay as they are"},
    {"writable", 0, Kind::Flag, "", "the container may write to the files"},
};

// The directory of the set; empty when the container names none.
Result<std::string> chosen_set(const Options& options, const JsonView& document) {
  std::string name = options.value_or("set", "");
  if (name.empty())
    if (const auto annotations = document.find("annotations"))
      if (const auto value = annotations->find(options.value_or("annotation", "container.data")))
        name = TRY(value->string());
  if (name.empty()) return name;
  if (!is_plain_name(name)) return Error{"'" + name + "' is no name of a data set"};
  return options.value_or("data", "/etc/containers/data") + "/" + name;
}

Result<void> copy_files(const DataSet& set, const OciState& state) {
  const JsonDocument config = TRY(read_bundle_config(state));
  const ContainerFiles files = TRY(ContainerFiles::open(state, config.root()));
  for (const DataFile& file : set.files) {
    const std::string text = TRY(read_file(file.source));
    TRY(files.write(file.destination, text));
  }
  if (set.env.empty()) return {};
  return Error{"the variables of the set were not set: the environment is settled by now"}
      .with_hint("run hook-env on config.json, or in podman's stage precreate");
}

// The text for standard output: nothing when a state came in.
Result<std::string> bind(const Options& options, const JsonView& input) {
  const std::string directory = TRY(chosen_set(options, input));
  const bool is_state = input.find("id").has_value();
  if (directory.empty()) return is_state ? std::string() : input.json();
  const DataSet set = TRY(read_data_set(directory));
  if (!is_state) return bind_data(input, set, {options.flag("keep"), options.flag("writable")});
  const OciState state = TRY(parse_oci_state("state on standard input", input.json()));
  TRY(copy_files(set, state));
  return std::string();
}

Result<int> run_env(const ParsedWords& words) {
  return filter_config(words.options.flag("strict"),
                       [&](const JsonView& input) { return bind(words.options, input); });
}

constexpr Hook kHook = {"hook-env", "<CONFIG >CONFIG, or <STATE",
                        "bind a container to variables and files that outlive it", kOptions,
                        run_env};

}  // namespace

int main(int argc, char** argv) {
  return run_hook(kHook, argc, argv);
}
