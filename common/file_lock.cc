// SPDX-License-Identifier: Apache-2.0
#include "common/file_lock.h"

#include <sys/file.h>

#include <cerrno>

namespace {

int operation(FileLock::Mode mode) {
  return mode == FileLock::Mode::Shared ? LOCK_SH : LOCK_EX;
}

Result<bool> lock(FdRef fd, int how, const std::string& path) {
  int result = 0;
  do {
    result = ::flock(fd.get(), how);
  } while (result != 0 && errno == EINTR);
  if (result == 0) return true;
  if (errno == EWOULDBLOCK) return false;
  return errno_error("lock", path);
}

}  // namespace

Result<FileLock> FileLock::take(FdRef dir, const std::string& path, Mode mode) {
  UniqueFd fd = TRY(open_at(dir, path, O_RDWR | O_CREAT | O_NOFOLLOW, 0600));
  TRY(lock(fd, operation(mode), path));
  return FileLock(std::move(fd));
}

Result<std::optional<FileLock>> FileLock::try_take(FdRef dir, const std::string& path, Mode mode) {
  UniqueFd fd = TRY(open_at(dir, path, O_RDWR | O_CREAT | O_NOFOLLOW, 0600));
  const bool ours = TRY(lock(fd, operation(mode) | LOCK_NB, path));
  if (!ours) return std::optional<FileLock>();
  return std::optional<FileLock>(FileLock(std::move(fd)));
}
