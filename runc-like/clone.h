// SPDX-License-Identifier: Apache-2.0
// clone.h - clone3, which the C library does not offer, as one careful function.
#pragma once

#include <cstdint>

#include "common/child_process.h"

struct CloneRequest {
  std::uint64_t flags = 0;  // CLONE_NEW*
  int cgroup = -1;          // directory of a v2 cgroup to be born in
  // The child runs in our memory, on a stack of its own, and we stand still until
  // it has executed something: no page table is copied. Not for a child that has
  // to wait for us.
  bool share_memory = false;
};

// The child runs `body` and ends with its value; `body` makes system calls only.
Result<ChildProcess> clone_child(const CloneRequest& request, int (*body)(void*), void* argument);
