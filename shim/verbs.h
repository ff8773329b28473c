// SPDX-License-Identifier: Apache-2.0
// verbs.h - what other processes can do with a running shim; each finds it by
// its state directory.
#pragma once

#include <span>

#include "common/cli.h"

#include "state_dir.h"

Result<int> cmd_attach(const Arguments& arguments);
Result<int> cmd_logs(const Arguments& arguments);
Result<int> cmd_wait(const Arguments& arguments);
Result<int> cmd_resize(const Arguments& arguments);
Result<int> cmd_reopen(const Arguments& arguments);
Result<int> cmd_stop(const Arguments& arguments);
Result<int> cmd_exec(const Arguments& arguments);
Result<int> cmd_ps(const Arguments& arguments);
Result<int> cmd_stats(const Arguments& arguments);

extern const std::span<const Option> kStateOptions;  // --state-dir alone
extern const std::span<const Option> kAttachOptions;
extern const std::span<const Option> kLogsOptions;
extern const std::span<const Option> kWaitOptions;
extern const std::span<const Option> kStopOptions;
extern const std::span<const Option> kExecOptions;
extern const std::span<const Option> kPsOptions;
extern const std::span<const Option> kStatsOptions;

// A line for the shim's `ctl`, see control.h.
Result<void> send_order(const SeenState& state, const std::string& line);

std::optional<std::string> parse_detach_keys(std::string_view text);
