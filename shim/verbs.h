// SPDX-License-Identifier: Apache-2.0
// verbs.h - what other processes can do with a running shim; each finds it by
// its state directory.
#pragma once

#include <span>

#include "common/cli.h"

Result<int> cmd_attach(const Arguments& arguments);
Result<int> cmd_logs(const Arguments& arguments);
Result<int> cmd_wait(const Arguments& arguments);
Result<int> cmd_resize(const Arguments& arguments);
Result<int> cmd_reopen(const Arguments& arguments);

extern const std::span<const Option> kStateOptions;  // --state-dir alone
extern const std::span<const Option> kAttachOptions;
extern const std::span<const Option> kLogsOptions;
