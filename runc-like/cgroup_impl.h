// SPDX-License-Identifier: Apache-2.0
// cgroup_impl.h - what a Cgroup holds; seen by the cgroup*.cc files only.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cgroup.h"
#include "cgroup_files.h"
#include "cgroup_systemd.h"
#include "cgroup_writes.h"

// The container's directory in one hierarchy.
struct CgroupPlace {
  std::string name;      // as CgroupHierarchy::name
  std::string mount;     // "/sys/fs/cgroup/memory"
  std::string relative;  // "/web"
  bool joined = false;   // v1: a hierarchy that nothing has needed so far is not entered
  bool reused = false;   // the directory was there before us
  std::string path() const { return mount + relative; }
  bool has(std::string_view controller) const {
    return CgroupHierarchy{name, {}, {}}.has(controller);
  }
};

struct Cgroup::Impl {
  CgroupManager manager = CgroupManager::Disabled;
  std::vector<CgroupPlace> places;
  std::vector<std::string> made;  // directories of ours, for the way back
  bool fresh = false;             // made by create, not kept yet
  // systemd: the unit, what else it was asked for, and the limits that wait for
  // the scope, which cannot be made before there is a process.
  ScopeName scope;
  std::string description;
  DbusProperties properties;
  std::optional<Resources> waiting;

  bool v2() const { return places.size() == 1 && places[0].name.empty(); }
  const CgroupPlace* v2_place() const;  // of a hybrid host too
  // The place that answers for freezing, killing and listing.
  const CgroupPlace* main_place() const;
  CgroupPlace* place_of(std::string_view controller);  // v1

  Result<void> make(CgroupPlace& place);
  Result<void> plan_scope(const CgroupLayout& layout, const CgroupRequest& request);
  Result<void> start(pid_t pid);  // the scope
  Result<void> apply(const Resources& resources);
  Result<void> join_later(CgroupPlace& place);
  void leave(CgroupPlace& place);  // the way back from join_later
  void undo() noexcept;
  Result<std::string> directory_for(const CgroupPlace& place, const Where& where) const;
};

// The cgroup of a process in one hierarchy, or "" (from /proc/PID/cgroup).
std::string membership(std::string_view proc_cgroup, std::string_view hierarchy);

// v2: SIGKILL to all below, and waits for their end.
Result<void> kill_tree(const CgroupPlace& place);
