// SPDX-License-Identifier: Apache-2.0
// run.h - `shim run`: one container from create to delete.
#pragma once

#include <string>
#include <vector>

#include "common/cli.h"

#include "log_driver.h"
#include "runtime.h"

struct RunCommand {
  std::string id;
  std::string bundle;
  RuntimeOptions runtime;
  std::string state_root;
  std::vector<LogDriver> logs;
  LogLimits log_limits;
  std::string exit_file;
  std::string pid_file;
  std::string events;
  bool terminal = false;
  bool input = false;
  bool detach = false;
  bool keep = false;
};

extern const std::span<const Option> kRunOptions;

Result<RunCommand> parse_run(const Arguments& arguments);
Result<int> cmd_run(const Arguments& arguments);

// The state directory's root: --state-dir, else /run/shim, or the user's own.
std::string state_root(const Options& options);
