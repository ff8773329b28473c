// SPDX-License-Identifier: Apache-2.0
// options.h - options that several verbs understand alike.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/cli.h"
#include "common/events.h"

#include "store.h"
#include "unpack.h"

std::string store_path(const Arguments& arguments);
Result<Store> open_store(const Arguments& arguments);
EventLog open_events(const Arguments& arguments);
Result<Platform> platform_option(const Options& options);
Result<UnpackLimits> unpack_limits(const Options& options);

// "512m", "1.5g", "1048576": bytes, with binary units.
Result<std::uint64_t> parse_bytes(std::string_view text);
// "1.5 MB"
std::string human_size(std::uint64_t bytes);
