// SPDX-License-Identifier: Apache-2.0
// cgroup_systemd.h - a container's cgroup as a scope unit of systemd, so that the
// one who owns the tree of cgroups knows of it.
//
// Talks to systemd itself (/run/systemd/private of the system or the user), and
// to the bus where that is not reachable. Limits go to systemd as properties,
// which a daemon-reload keeps, and then into the files like without systemd.
#pragma once

#include <sys/types.h>

#include <map>
#include <string>
#include <vector>

#include "dbus.h"
#include "resources.h"

struct ScopeName {
  std::string slice;  // "machine.slice"
  std::string unit;   // "libpod-1234.scope"
};

// Pure: linux.cgroupsPath is "slice:prefix:name" here; empty parts have defaults.
Result<ScopeName> scope_name(const std::string& cgroups_path, const std::string& id, bool user);

// Pure: "a-b.slice" lies at "/a.slice/a-b.slice".
std::string slice_path(const std::string& slice);

// Pure: what systemd can know of the limits.
Result<DbusProperties> scope_limits(const Resources& resources);

// Pure: one annotation org.systemd.property.NAME, its value in GVariant text.
Result<DbusProperties> scope_annotations(const std::map<std::string, std::string>& annotations);

// Makes the scope around a process and returns when it is there.
Result<void> start_scope(const ScopeName& name, pid_t pid, const std::string& description,
                         const DbusProperties& properties);
Result<void> change_scope(const std::string& unit, const DbusProperties& properties);
// Fine when there is none. Its processes must have ended.
Result<void> stop_scope(const std::string& unit);
