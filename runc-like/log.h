// SPDX-License-Identifier: Apache-2.0
// log.h - what engines read: one line for each error and warning, in the form that
// they parse, in the file that they named.
#pragma once

#include <string>
#include <string_view>

#include "common/result.h"

enum class LogFormat { Text, Json };

// `target`: a path, opened for appending, "file:PATH", "journald:NAME", "syslog:NAME";
// empty: standard error. Called once, by main's setup.
Result<void> open_log(const std::string& target, LogFormat format, bool warnings);

void log_warning(std::string_view text);

// The failure of a verb: structured in the log, in words on standard error.
void log_error(std::string_view verb, const Error& error);
