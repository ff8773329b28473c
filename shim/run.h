// SPDX-License-Identifier: Apache-2.0
// run.h - `shim run`: one container from create to delete.
#pragma once

#include <string>
#include <vector>

#include "common/cli.h"

#include "health.h"
#include "log_driver.h"
#include "restart_policy.h"
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
  LogLabels labels;
  RestartPolicy restart;
  HealthOptions health;
  int stop_signal = 0;  // 0: the one that comes
  std::optional<std::chrono::milliseconds> stop_timeout;
  std::string directory;           // where relative names begin
  std::vector<std::string> words;  // the options again, for who adopts the container
  bool terminal = false;
  bool input = false;
  bool detach = false;
  bool keep = false;
};

extern const std::span<const Option> kRunOptions;

Result<RunCommand> parse_run(const Arguments& arguments);
Result<int> cmd_run(const Arguments& arguments);

// A container whose shim was killed has a shim again.
Result<int> cmd_adopt(const Arguments& arguments);

// The state directory's root: --state-dir, else /run/shim, or the user's own.
std::string state_root(const Options& options);
