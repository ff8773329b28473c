// SPDX-License-Identifier: Apache-2.0
// hook-inject.cc - config.json from standard input to standard output, with the
// hooks of hook directories in it: what podman and CRI-O do by themselves.
#include "hook_files.h"
#include "hook_main.h"

namespace {

using Kind = Option::Kind;

constexpr Option kOptions[] = {
    {"hooks-dir", 0, Kind::List, "DIR", "read hooks from here; of two files the later counts"},
};

Result<int> inject(const ParsedWords& words) {
  std::vector<std::string> directories = words.options.values("hooks-dir");
  if (directories.empty())
    directories = {"/usr/share/containers/oci/hooks.d", "/etc/containers/oci/hooks.d"};
  return filter_config(words.options.flag("strict"),
                       [&](const JsonView& config) -> Result<std::string> {
                         const auto files = TRY(read_hook_files(directories));
                         return inject_hooks(config, files);
                       });
}

constexpr Hook kHook = {"hook-inject", "<CONFIG >CONFIG",
                        "put the hooks of hook directories into a configuration", kOptions, inject};

}  // namespace

int main(int argc, char** argv) {
  return run_hook(kHook, argc, argv);
}
