// SPDX-License-Identifier: Apache-2.0
// temp_dir.h - directories that vanish with the work that failed, and safe removal of trees.
#pragma once

#include <string>
#include <utility>

#include "common/fd.h"

// Removes `path`, a file or a whole tree, without following a link in its last
// component or below, and without entering another mount (EBUSY). What is not
// there is no error.
Result<void> remove_tree(FdRef dir, const std::string& path);

// A new directory, mode 0700, removed with all that it holds unless keep().
class TempDir {
 public:
  // `<parent>/<prefix>` and six characters that mkdtemp(3) chooses
  static Result<TempDir> create(const std::string& parent, const std::string& prefix);
  TempDir(TempDir&& other) noexcept;
  TempDir& operator=(TempDir&&) = delete;
  ~TempDir();

  const std::string& path() const { return path_; }
  FdRef fd() const { return fd_; }  // O_PATH
  void keep() { path_.clear(); }
  // Becomes `target` (same file system), which must not exist: complete or not there.
  Result<void> rename_to(const std::string& target);

 private:
  TempDir(std::string path, UniqueFd fd) : path_(std::move(path)), fd_(std::move(fd)) {}
  std::string path_;
  UniqueFd fd_;
};
