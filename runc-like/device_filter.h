// SPDX-License-Identifier: Apache-2.0
// device_filter.h - which device nodes a container may open or make.
//
// The rules are those of linux.resources.devices, then the defaults that every
// container needs; everything is denied first. Later rules win, for each kind
// of access by itself. On cgroup v2 they become an eBPF program, on v1 the
// fewest lines for devices.deny and devices.allow.
#pragma once

#include <linux/bpf.h>

#include <span>
#include <string>
#include <vector>

#include "common/fd.h"

#include "resources.h"

// null, zero, full, random, urandom, tty, ptmx, pseudo-terminals, and making
// nodes (not opening them).
std::vector<DeviceRule> default_device_rules();

// `given`, then the defaults.
std::vector<DeviceRule> effective_device_rules(std::span<const DeviceRule> given);

// Pure: the program that decides one access.
std::vector<bpf_insn> compile_device_filter(std::span<const DeviceRule> rules);

// Loads it and attaches it to the cgroup, in place of one that is there.
enum class DeviceFilterMode { First, Replace };
Result<void> attach_device_filter(FdRef cgroup, std::span<const bpf_insn> program,
                                  DeviceFilterMode mode);

// Pure: what to write, in order. A rule that carves a hole into a wider one
// cannot be said in v1 and is an error that names it.
struct DeviceLine {
  bool allow;        // devices.allow, else devices.deny
  std::string text;  // "c 1:3 rwm"
  std::string field;
};
Result<std::vector<DeviceLine>> device_lines_v1(std::span<const DeviceRule> rules);
