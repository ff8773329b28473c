// SPDX-License-Identifier: Apache-2.0
// cgroup_layout.h - which cgroup hierarchies this host has, where they are
// mounted and where in them we are.
//
// The usual places are tried first and only checked (statfs): mountinfo, whose
// length grows with the number of containers, is read only on unusual hosts.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"

struct CgroupHierarchy {
  std::string
      name;  // "" for v2, else as in /proc/self/cgroup: "memory", "cpu,cpuacct", "name=systemd"
  std::string mount;  // "/sys/fs/cgroup/memory"
  std::string own;    // our own cgroup, seen from the mount: "/user.slice"
  bool has(std::string_view controller) const;  // v1: whether the controller is one of its list
};

struct CgroupLayout {
  std::vector<CgroupHierarchy> hierarchies;

  const CgroupHierarchy* v2() const;                             // nullptr when not mounted
  const CgroupHierarchy* of(std::string_view controller) const;  // v1
  bool unified() const;                                          // v2 alone
};

// What this process has. None mounted is no error: the list is empty.
Result<CgroupLayout> read_cgroup_layout();

// The slow road, from the texts of /proc/self/cgroup and /proc/self/mountinfo.
CgroupLayout parse_cgroup_layout(std::string_view cgroup, std::string_view mountinfo);
