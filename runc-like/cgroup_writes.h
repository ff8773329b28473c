// SPDX-License-Identifier: Apache-2.0
// cgroup_writes.h - what the limits of a container become in the files of its
// cgroup. Pure: nothing is read or written here, so `explain` can print it and
// the arithmetic is tested without a kernel.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "resources.h"

struct CgroupWrite {
  std::string controller;  // "memory": the v1 hierarchy, or what v2 must have enabled
  std::string file;        // "memory.max"
  std::string value;
  std::string field;  // JSON pointer
  // What to write where the kernel has no such `file` (another I/O scheduler).
  std::string other_file = {};
  std::string other_value = {};
  bool only_if_present = false;  // a host without the file does not have the thing it limits
  // This one and the next bound each other: where this is refused, the next goes first.
  bool tied_to_next = false;
};

enum class CgroupVersion { V1, V2 };

// An error where this version of cgroups cannot do what is asked for.
Result<std::vector<CgroupWrite>> cgroup_writes(const Resources& resources, CgroupVersion version);

// What is accepted and has no effect, one sentence each, with its field.
std::vector<std::string> resource_warnings(const Resources& resources, CgroupVersion version);

// cpu.shares (2..262144, 1024 usual) to cpu.weight (1..10000, 100 usual).
std::uint64_t weight_of_shares(std::uint64_t shares);

// blkio weight (10..1000) to io.weight (1..10000).
std::uint64_t io_weight_of_blkio(std::uint64_t weight);

// memory + swap, as the specification counts, to memory.swap.max; nothing when
// there is nothing to write.
Result<std::optional<std::string>> swap_of_v2(const MemoryLimits& memory);
