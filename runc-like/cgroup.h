// SPDX-License-Identifier: Apache-2.0
// cgroup.h - the control group of one container, whatever the host has.
//
// One interface over three drivers: cgroup v2 by its file system, v2 through
// systemd, and v1 or hybrid (v1 controllers beside a v2 hierarchy). The order
// of a start is always
//     create -> apply -> door (before clone) -> clone -> add(pid) -> keep
// and each driver does at each step what it can do there: cgroupfs makes the
// directories in create, systemd makes its scope in add, because a scope needs
// a process. Whatever fails before keep() leaves nothing behind.
#pragma once

#include <sys/types.h>

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/fd.h"
#include "common/json.h"

#include "cgroup_layout.h"
#include "resources.h"

enum class CgroupManager { Cgroupfs, Systemd, Disabled };

struct CgroupRequest {
  CgroupManager manager = CgroupManager::Cgroupfs;
  std::string path;       // linux.cgroupsPath; empty: beside or below our own cgroup, by id
  std::string id;         // of the container
  bool optional = false;  // rootless: a host that forbids it gives no cgroup instead of an error
  // org.systemd.property.* annotations: unit property -> value in GVariant text.
  std::map<std::string, std::string> properties = {};
};

// How a new process gets in without being moved: moving one takes a lock that
// waits for an RCU grace period (milliseconds); being born inside, or a thread
// writing itself, does not.
struct CgroupDoor {
  UniqueFd directory;  // for CLONE_INTO_CGROUP; empty: there is none
  std::vector<UniqueFd>
      tasks;  // v1: init writes "0" to each, before it unshares its cgroup namespace
};

class Cgroup {
 public:
  // Makes it. An existing one that holds processes is refused (EBUSY).
  static Result<Cgroup> create(const CgroupLayout& layout, const CgroupRequest& request);
  // The one that to_json() described.
  static Result<Cgroup> from_json(const JsonView& view);
  Cgroup(Cgroup&&) noexcept;
  Cgroup& operator=(Cgroup&&) noexcept;
  ~Cgroup();  // removes what create made, unless keep()

  void keep() noexcept;
  std::string to_json() const;  // one JSON object for state.json

  // Limits and, on a cgroup not yet kept, device rules. A failing write names
  // file, value and field. On a kept cgroup what was written before is put back.
  Result<void> apply(const Resources& resources);

  // Where in it a process goes: exec may name a cgroup below, and when the
  // container has made its own one a mere parent, a process beside its init.
  struct Where {
    // Controller -> "a/b", existing; "" stands for all controllers, and on v2 alone.
    std::map<std::string, std::string> sub = {};
    pid_t beside = 0;
  };
  Result<CgroupDoor> door(const Where& where) const;
  Result<CgroupDoor> door() const { return door({}); }
  // Moves `pid` in, where the door did not bring it already; starts the scope.
  Result<void> add(pid_t pid, const Where& where);
  Result<void> add(pid_t pid) { return add(pid, {}); }

  Result<void> freeze();  // returns once everything in it stands still, else thaws it again
  Result<void> thaw();
  Result<bool> frozen() const;

  Result<std::vector<pid_t>> pids() const;  // of it and all below
  Result<void> signal_all(int number);      // to every process, once
  // SIGKILL to all, then waits until none is left (ETIMEDOUT after 10 s).
  Result<void> kill_all();
  // Removes it and all below; fine when already gone. EBUSY while a process lives.
  Result<void> destroy();

  // Directory in each hierarchy: "" is v2 (or the v2 part of a hybrid host), else
  // the v1 controller list as /proc/self/cgroup has it. Empty when disabled.
  std::map<std::string, std::string> paths() const;
  std::string path_of(std::string_view controller) const;  // "" when there is none
  bool exists() const;

  struct Impl;  // cgroup_impl.h

 private:
  explicit Cgroup(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};
