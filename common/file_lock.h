// SPDX-License-Identifier: Apache-2.0
// file_lock.h - the descriptor is the lock: it goes with the process, whatever happens.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "common/fd.h"

// flock(2) on a file that is created when missing; waits for the holder.
// The file itself is never removed: another process may be waiting on it.
class FileLock {
 public:
  enum class Mode { Shared, Exclusive };
  static Result<FileLock> take(FdRef dir, const std::string& path, Mode mode = Mode::Exclusive);
  // Nothing when somebody else holds it.
  static Result<std::optional<FileLock>> try_take(FdRef dir, const std::string& path,
                                                  Mode mode = Mode::Exclusive);

 private:
  explicit FileLock(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};
