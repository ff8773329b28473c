// SPDX-License-Identifier: Apache-2.0
// cgroup_stats.h - what a cgroup uses, from the files of either version, in one set of
// names and units.
#pragma once

#include <sys/types.h>

#include <map>
#include <span>
#include <string>
#include <string_view>

struct MetricFamily {
  std::string_view name;   // without "container_" and "_total"
  bool counter;            // else a gauge
  std::string_view unit;   // "seconds", "bytes" or ""
  std::string_view label;  // "" or the name of the one label that its samples have
};

extern const std::span<const MetricFamily> kMetricFamilies;

// By family, then by the label's value ("" where there is none).
using CgroupStats = std::map<std::string_view, std::map<std::string, double>>;

// Where the controllers of a process have their files.
struct CgroupPlaces {
  std::string cpu, memory, io, pids, pressure;  // empty: no cgroup of its own
  bool v2 = false;
};

// From the text of /proc/PID/cgroup; `mount` is /sys/fs/cgroup, `unified` says that
// this is version 2 and nothing else.
CgroupPlaces cgroup_places(std::string_view text, const std::string& mount, bool unified);

CgroupStats read_cgroup_stats(const CgroupPlaces& places);
CgroupStats read_cgroup_stats_of(pid_t pid);
