// SPDX-License-Identifier: Apache-2.0
// oom_watch.h - was a process of the container killed for want of memory?
//
// The kernel's counter is read when the watch begins, and compared later: a
// cgroup that had kills before does not accuse its next user. The file is held
// open, so that the last look works while the cgroup is being removed.
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "loop.h"

class OomWatch {
 public:
  // Absent when the process has no memory cgroup that can be read.
  static std::unique_ptr<OomWatch> create(Loop& loop, pid_t pid, std::function<void()> on_kill);
  void look();  // calls on_kill once, if there was a kill since the beginning

 private:
  OomWatch(UniqueFd counter, long before, std::function<void()> on_kill)
      : counter_(std::move(counter)), before_(before), on_kill_(std::move(on_kill)) {}

  UniqueFd counter_;  // memory.events, or memory.oom_control of v1
  UniqueFd event_;    // v1
  long before_;
  std::function<void()> on_kill_;
};

// The path of the memory cgroup in the text of /proc/PID/cgroup, under the mount
// point of its hierarchy; and whether that is v2.
struct MemoryCgroup {
  std::string path;
  bool v2 = false;
};
std::optional<MemoryCgroup> find_memory_cgroup(std::string_view text);

// The number after "oom_kill " at the beginning of a line.
std::optional<long> oom_kills(std::string_view text);
