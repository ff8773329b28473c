// SPDX-License-Identifier: Apache-2.0
// verbs.h - one function for each verb, each in a file of its name.
#pragma once

#include <span>

#include "common/cli.h"
#include "common/events.h"

#include "cgroup.h"
#include "launch.h"

Result<int> cmd_create(const Arguments& arguments);
Result<int> cmd_run(const Arguments& arguments);
Result<int> cmd_start(const Arguments& arguments);
Result<int> cmd_state(const Arguments& arguments);
Result<int> cmd_list(const Arguments& arguments);
Result<int> cmd_kill(const Arguments& arguments);
Result<int> cmd_delete(const Arguments& arguments);
Result<int> cmd_exec(const Arguments& arguments);
Result<int> cmd_spec(const Arguments& arguments);
Result<int> cmd_explain(const Arguments& arguments);
Result<int> cmd_ps(const Arguments& arguments);
Result<int> cmd_pause(const Arguments& arguments);
Result<int> cmd_resume(const Arguments& arguments);
Result<int> cmd_update(const Arguments& arguments);
Result<int> cmd_features(const Arguments& arguments);
Result<int> cmd_events(const Arguments& arguments);
Result<int> cmd_validate(const Arguments& arguments);
Result<int> cmd_doctor(const Arguments& arguments);

// What the global options mean to every verb.
std::string root_of(const Arguments& arguments);
Result<CgroupManager> manager_of(const Arguments& arguments);
EventLog events_of(const Arguments& arguments);
Result<LaunchOptions> launch_options(const Arguments& arguments);

// Opens the log that the global options name.
Result<void> set_up_log(const Arguments& arguments);

// Stops a container that is still there, and takes away what belongs to it.
Result<void> delete_container(Container& container, bool force, const EventLog& events);
