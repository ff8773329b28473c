// SPDX-License-Identifier: Apache-2.0
#include "hooks.h"

#include "common/child_process.h"

namespace {

Result<void> run_hook(const HookSpec& hook, const std::string& state) {
  Command command;
  command.argv = hook.args.empty() ? std::vector<std::string>{hook.path} : hook.args;
  command.program = hook.path;
  if (!hook.env.empty()) command.env = hook.env;
  RunOptions options;
  options.input = state;
  if (hook.timeout != 0) options.timeout = std::chrono::seconds(hook.timeout);
  auto output = run(command, options);
  const std::string what = "run hook '" + hook.path + "'";
  if (!output) return std::move(output).error().in(what).at_field(hook.field);
  if (output->status == 0) return {};
  Error error{what + ": exit status " + std::to_string(output->status)};
  const std::string said = output->err.substr(0, 2048);
  if (!said.empty()) error.what += ", stderr: " + said.substr(0, said.find_last_not_of('\n') + 1);
  error.field = hook.field;
  return error;
}

}  // namespace

Result<void> run_hooks(const Spec& spec, HookKind kind, const OciState& state) {
  const auto list = spec.hooks.find(kind);
  if (list == spec.hooks.end()) return {};
  const std::string json = to_json(state);
  for (const HookSpec& hook : list->second) TRY(run_hook(hook, json));
  return {};
}
