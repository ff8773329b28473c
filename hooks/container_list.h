// SPDX-License-Identifier: Apache-2.0
// container_list.h - the running containers, from the state directories of runtimes:
// ROOT/ID/state.json (runc-like, runc, youki) or ROOT/ID/status (crun).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/fd.h"

struct StateFile {
  std::string root;
  std::string id;
  std::string name;           // "state.json" or "status"
  std::uint64_t version = 0;  // changes whenever the file is written anew
};

// Where the runtimes of podman, docker, containerd and CRI-O keep their state.
std::vector<std::string> usual_roots();

// Those there are now; roots that do not exist have none.
std::vector<StateFile> list_state_files(const std::vector<std::string>& roots);

struct MainProcess {
  pid_t pid = 0;
  std::uint64_t start_ticks = 0;  // 0: the state does not say
};
// What a state file says, in whichever form. A runtime's file may hold its whole
// configuration: the members wanted stand near its beginning, and are looked for
// there without reading the rest. Pure.
std::optional<MainProcess> find_main_process(std::string_view state);

// /proc/PID of the process that is really the container's, not one that got its
// number later. The descriptor never means another process either.
std::optional<UniqueFd> open_main_process(const StateFile& file);
