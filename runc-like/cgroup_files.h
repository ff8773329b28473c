// SPDX-License-Identifier: Apache-2.0
// cgroup_files.h - the file operations that every cgroup driver needs: make,
// remove, list and wait. Knows the kernel's file names and nothing of containers.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "common/fd.h"

using Deadline = std::chrono::steady_clock::time_point;
Deadline after(std::chrono::milliseconds time);
int milliseconds_until(Deadline deadline);  // for poll(2): 0 when it has passed

// mkdir -p of `relative` ("/a/b") below `mount`. The directories that it made are
// appended to `made`, outermost first, also when it fails.
Result<void> make_cgroup(const std::string& mount, const std::string& relative,
                         std::vector<std::string>& made);

// Copies cpus and mems from the parent into each directory of `made`: on v1 a
// cpuset without them takes no process.
Result<void> fill_cpusets(const std::vector<std::string>& made);

// v2: passes every controller that `mount` has down to the parent of `relative`.
// What one level cannot pass on is left out; a limit that needs it fails later.
void enable_controllers(const std::string& mount, const std::string& relative);

// Removes the directory and all below it. Fine when it is not there. EBUSY while
// a process is in it.
Result<void> remove_cgroup(const std::string& path);

// Processes of the cgroup and of all below.
Result<std::vector<pid_t>> pids_below(const std::string& path);

// v2: waits until cgroup.events says "<key> <value>"; ETIMEDOUT at the deadline.
Result<void> wait_for_event(const std::string& path, std::string_view key, char value,
                            Deadline deadline);

// Whole text of a file of the cgroup, without the final newline.
Result<std::string> read_cgroup_file(const std::string& path, const std::string& file);
Result<void> write_cgroup_file(const std::string& path, const std::string& file,
                               std::string_view value);

// The value of one key of a flat keyed file ("populated 1"), or "".
std::string_view keyed_value(std::string_view text, std::string_view key);
