// SPDX-License-Identifier: Apache-2.0
// store.h - what is known of each container, on disk: <root>/<id>/.
//
//   state.json    written whole under a temporary name, then renamed
//   config.json   the configuration as it was at create: later edits of the bundle
//                 mean nothing
//   start.sock    there from "created" to "start": the door to init
//   lock          held while somebody changes the container
//
// Running or not is never written down: it is read from the process itself, by
// pid and start time.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/fd.h"
#include "common/file_lock.h"
#include "common/oci_state.h"

#include "cgroup.h"

struct Record {
  std::string oci_version;
  std::string id;
  std::string bundle;
  std::string rootfs;
  std::string created;  // RFC 3339
  pid_t pid = 0;
  std::uint64_t start_time = 0;  // of pid, in clock ticks since boot
  unsigned owner = 0;            // uid of who created it
  std::map<std::string, std::string> annotations = {};
  std::uint64_t namespaces = 0;  // CLONE_NEW*: those that are not the host's
  std::string cgroup = {};       // Cgroup::to_json
  unsigned ready_step = 0;       // index of the step that waits for `start`
  bool plain_start = false;      // no poststart hook, no seccomp listener
};

enum class Status { Creating, Created, Running, Paused, Stopped };
std::string_view status_name(Status status);

// Only these letters, and nothing that means a directory: checked before the
// name touches any path.
Result<void> check_id(const std::string& id);

// Start time of a process, or nothing when there is none (field 22 of stat; the
// name before it may hold anything).
std::optional<std::uint64_t> process_start_time(pid_t pid);

// An existing container, or one being made.
class Container {
 public:
  // Makes <root>/<id>; removed again unless keep(). EEXIST when the id is in use.
  static Result<Container> create(const std::string& root, const std::string& id);
  // With `exclusive`, waits until nobody else changes it.
  static Result<Container> open(const std::string& root, const std::string& id,
                                bool exclusive = false);
  Container(Container&& other) noexcept;
  Container& operator=(Container&&) = delete;
  ~Container();

  void keep() noexcept { fresh_ = false; }
  void unlock() noexcept { lock_.reset(); }  // others may change it while we wait
  FdRef directory() const { return directory_; }
  const std::string& path() const { return path_; }
  const Record& record() const { return record_; }
  bool complete() const { return complete_; }  // false: create was killed half-way

  Result<void> write(const Record& record);
  Result<void> remove();

  Result<Cgroup> cgroup() const;
  // A pidfd of the process that is really ours; nothing when it has ended.
  std::optional<UniqueFd> process() const;
  Status status() const;
  // Without looking at the freezer, which costs a read per hierarchy.
  Status status_but_paused() const;
  bool waits_for_start() const;

 private:
  Container(std::string root, std::string id, UniqueFd directory, std::optional<FileLock> lock)
      : root_(std::move(root)),
        path_(root_ + "/" + id),
        directory_(std::move(directory)),
        lock_(std::move(lock)) {
    record_.id = std::move(id);
  }
  Result<void> read();

  std::string root_;
  std::string path_;
  UniqueFd directory_;
  std::optional<FileLock> lock_;
  Record record_;
  bool fresh_ = false;
  bool complete_ = false;
};

// Ids below root, sorted. A root that does not exist has none.
Result<std::vector<std::string>> list_containers(const std::string& root);

// The document of runtime-spec, as `state` prints it and hooks read it.
OciState oci_state(const Record& record, Status status);
std::string state_json(const Record& record, Status status);

// The start socket: a listener bound under `name` in the state directory, and a
// connection to it. The path is short whatever the root is called.
Result<UniqueFd> bind_socket(FdRef directory, const std::string& name);
Result<UniqueFd> connect_socket(FdRef directory, const std::string& name);
inline constexpr const char* kStartSocket = "start.sock";
inline constexpr const char* kPendingSocket = "start.pending";
