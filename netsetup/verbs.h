// SPDX-License-Identifier: Apache-2.0
// verbs.h - one function per verb, in verb_NAME.cc, and the option tables they share.
#pragma once

#include <span>

#include "common/cli.h"
#include "common/events.h"

#include "attachment.h"

Result<int> verb_up(const Arguments& arguments);
Result<int> verb_down(const Arguments& arguments);
Result<int> verb_hook(const Arguments& arguments);
Result<int> verb_ls(const Arguments& arguments);
Result<int> verb_networks(const Arguments& arguments);
Result<int> verb_inspect(const Arguments& arguments);
Result<int> verb_check(const Arguments& arguments);
Result<int> verb_gc(const Arguments& arguments);
Result<int> verb_reload(const Arguments& arguments);

extern const std::span<const Option> kUpOptions;
extern const std::span<const Option> kHookOptions;

// --state-dir and --events.
Result<Store> open_store(const Arguments& arguments);
EventLog open_events(const Arguments& arguments);

// What the options of `up` and `hook` ask for; id and netns are the caller's.
// `directory` is what a relative --hosts counts from.
Result<NetworkRequest> network_request(const Options& options);
Result<AttachRequest> attach_request(const Options& options, const std::string& directory);

// Attaches, reports the event, prints the warnings.
Result<Attached> bring_up(const Arguments& arguments, const AttachRequest& request, int pid);
Result<std::size_t> take_away(const Arguments& arguments, const std::string& id,
                              const std::string& network);
