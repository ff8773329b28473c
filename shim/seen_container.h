// SPDX-License-Identifier: Apache-2.0
// seen_container.h - a container as its state directory describes it to others.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "state_dir.h"

struct SeenContainer {
  std::string id;
  std::string bundle;
  std::string runtime;
  std::vector<std::string> runtime_args;
  std::string started;  // RFC 3339
  std::string health;   // "", starting, healthy, unhealthy
  std::string status;   // running, exited, lost (its shim was killed, it runs), unknown
  pid_t pid = 0;
  pid_t shim = 0;
  unsigned restarts = 0;
};

Result<SeenContainer> describe_container(const SeenState& state, const std::string& id);

// The ids under the root, sorted; an id that cannot be a directory's name is none.
std::vector<std::string> container_ids(const std::string& root);

// A pidfd of the shim, if that is alive.
UniqueFd shim_of(const SeenState& state);
