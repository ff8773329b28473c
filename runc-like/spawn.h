// SPDX-License-Identifier: Apache-2.0
// spawn.h - from a plan to a running init: descriptors opened, memory sealed, one
// clone3, one execveat.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/child_process.h"
#include "common/fd.h"

#include "init/protocol.h"
#include "plan.h"

// What the caller already holds open for init.
struct SpawnGifts {
  UniqueFd cgroup;                     // CLONE_INTO_CGROUP
  std::vector<UniqueFd> cgroup_tasks;  // for Handed::CgroupTasks, in order
  UniqueFd console;                    // connected console socket
  UniqueFd listener;                   // start socket
  std::optional<FdRef> process;        // pidfd of the container to join
  std::optional<FdRef> pid_namespace_owner = {};
};

class Init {
 public:
  Init(ChildProcess child, UniqueFd socket)
      : child_(std::move(child)), socket_(std::move(socket)) {}

  ChildProcess& child() { return child_; }
  FdRef socket() const { return socket_; }
  void replace(ChildProcess child);  // init went on as another process
  void hang_up() { socket_.reset(); }

  Result<void> tell(wire::Msg msg);
  // The next packet; nothing at the end of the conversation (init died, or has
  // become the container's program).
  Result<std::optional<wire::Packet>> hear();

 private:
  ChildProcess child_;
  UniqueFd socket_;
};

// Descriptors 3 to 2 + kept are left for the container.
Result<Init> spawn_init(const Plan& plan, SpawnGifts gifts, unsigned kept);

// The detached copy of a host tree that init will attach, with its propagation
// and id mapping set.
Result<UniqueFd> open_tree_for(const Handed& handed);

// A user namespace with these maps and nobody in it, for idmapped mounts.
Result<UniqueFd> user_namespace_with(const std::vector<Mapping>& uids,
                                     const std::vector<Mapping>& gids);

// uid_map, gid_map and setgroups of a process just cloned, by us or, without the
// power to do so, by newuidmap and newgidmap.
Result<void> write_id_maps(pid_t pid, const std::vector<Mapping>& uids,
                           const std::vector<Mapping>& gids);
