// SPDX-License-Identifier: Apache-2.0
// hook_main.h - what every hook does alike: its command line, --strict, and how it fails.
//
// A hook must never cost the container that it serves: a failure is one line on
// standard error and the exit status 0, unless --strict asks for 1.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "common/cli.h"
#include "common/json.h"

struct Hook {
  std::string_view name;            // "hook-events"
  std::string_view synopsis;        // after the options: "<STATE"
  std::string_view summary;         // one line
  std::span<const Option> options;  // its own; --strict and --help are added
  Result<int> (*run)(const ParsedWords&);
};

// The whole of main.
int run_hook(const Hook& hook, int argc, char** argv);

// For hooks that change a configuration: config.json from standard input through
// `change` (the root of the document to the new text) to standard output. When
// that fails and `strict` is off, the configuration goes on as it came.
using ConfigChange = std::function<Result<std::string>(const JsonView&)>;
Result<int> filter_config(bool strict, const ConfigChange& change);

// `object` as JSON with one member set: replaced where it stands, else appended.
std::string with_member(const JsonView& object, std::string_view key, std::string_view json);
// The same where there may be no object yet.
std::string with_member(const std::optional<JsonView>& object, std::string_view key,
                        std::string_view json);
