// SPDX-License-Identifier: Apache-2.0
// state_dir.h - what a running shim shows of itself: a directory per container.
//
//   attach   socket, see attach_server.h        ctl      FIFO, see control.h
//   pid      of the container's first process   exit     its status, once it has ended
//   config   how it was started (JSON)          status   see below
//
// The shim holds a lock on `status` as long as it lives and writes the exit
// status into it before it lets go: whoever has the file open and gets the lock
// knows the status, also when the directory has gone; an empty file says that
// the shim was killed.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <utility>

#include "common/fd.h"

inline constexpr const char* kStateRoot = "/run/shim";

class StateDir {
 public:
  // An id in use is an error; what a killed shim left behind is replaced. The
  // directory goes with the object, unless keep().
  static Result<StateDir> create(const std::string& root, const std::string& id);
  // That of a shim that was killed; stays when the object goes, unless own().
  static Result<StateDir> adopt(const std::string& root, const std::string& id);
  StateDir(StateDir&& other) noexcept;
  StateDir& operator=(StateDir&&) = delete;
  ~StateDir();

  FdRef fd() const { return fd_; }
  const std::string& path() const { return path_; }
  Result<void> write(const std::string& name, const std::string& text) const;
  Result<void> record_exit(int status);
  Result<void> record_unknown_exit();
  void keep() { kept_ = true; }
  void own() { kept_ = false; }

 private:
  StateDir(std::string path, UniqueFd fd, UniqueFd status)
      : path_(std::move(path)), fd_(std::move(fd)), status_(std::move(status)) {}
  Result<void> record(const std::string& text);
  std::string path_;
  UniqueFd fd_;
  UniqueFd status_;
  bool kept_ = false;
};

// The view of other processes.
class SeenState {
 public:
  static Result<SeenState> open(const std::string& root, const std::string& id);
  FdRef fd() const { return fd_; }
  bool alive() const;                       // its shim runs
  FdRef status() const { return status_; }  // see above
  Result<int> wait_exit() const;            // blocks until the shim has gone
  Result<std::string> read(const std::string& name) const;

 private:
  SeenState(std::string id, UniqueFd fd, UniqueFd status)
      : id_(std::move(id)), fd_(std::move(fd)), status_(std::move(status)) {}
  std::string id_;
  UniqueFd fd_;
  UniqueFd status_;
};
