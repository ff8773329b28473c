// SPDX-License-Identifier: Apache-2.0
#include "common/fd.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

Result<UniqueFd> open_directory(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return errno_error("open directory", path);
  return fd;
}

Result<UniqueFd> open_at(FdRef dir, const std::string& path, int flags, mode_t mode) {
  UniqueFd fd;
  do {
    fd.reset(::openat(dir.get(), path.c_str(), flags | O_CLOEXEC, mode));
  } while (!fd && errno == EINTR);
  if (!fd) return errno_error("open", path);
  return fd;
}

Result<std::string> read_all(FdRef fd, std::string_view name, std::size_t limit) {
  std::string text;
  struct stat st = {};
  // One byte more than the file has, so that its end costs no second growth.
  std::size_t room = 4096;
  if (::fstat(fd.get(), &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0)
    room = static_cast<std::size_t>(st.st_size) + 1;
  std::size_t used = 0;
  for (;;) {
    if (used == text.size()) text.resize(std::min(used + std::max(room, used), limit + 1));
    const ssize_t n = ::read(fd.get(), text.data() + used, text.size() - used);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno_error("read", name);
    if (n == 0) break;
    used += static_cast<std::size_t>(n);
    if (used > limit)
      return Error{
          "read '" + std::string(name) + "': more than " + std::to_string(limit) + " bytes", EFBIG};
  }
  text.resize(used);
  return text;
}

Result<std::string> read_file_at(FdRef dir, const std::string& path, std::size_t limit) {
  const UniqueFd fd = TRY(open_at(dir, path, O_RDONLY));
  return read_all(fd, path, limit);
}

Result<std::string> read_file(const std::string& path, std::size_t limit) {
  return read_file_at(kCwd, path, limit);
}

Result<void> write_all(FdRef fd, std::string_view text, std::string_view name) {
  while (!text.empty()) {
    const ssize_t n = ::write(fd.get(), text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno_error("write", name);
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

Result<void> write_file_at(FdRef dir, const std::string& path, std::string_view text, mode_t mode) {
  const UniqueFd fd = TRY(open_at(dir, path, O_WRONLY | O_CREAT | O_TRUNC, mode));
  return write_all(fd, text, path);
}

namespace {

Result<void> write_and_sync(FdRef dir, const std::string& path, std::string_view text, mode_t mode,
                            Sync sync) {
  const UniqueFd fd = TRY(open_at(dir, path, O_WRONLY | O_CREAT | O_EXCL, mode));
  TRY(write_all(fd, text, path));
  if (sync == Sync::Yes && ::fsync(fd.get()) != 0) return errno_error("fsync", path);
  return {};
}

Result<void> sync_parent(FdRef dir, const std::string& path) {
  const auto slash = path.rfind('/');
  const std::string parent = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const UniqueFd fd = TRY(open_at(dir, parent, O_RDONLY | O_DIRECTORY));
  if (::fsync(fd.get()) != 0) return errno_error("fsync", parent);
  return {};
}

}  // namespace

Result<void> replace_file_at(FdRef dir, const std::string& path, std::string_view text, mode_t mode,
                             Sync sync) {
  struct stat st = {};
  // /dev/null, a FIFO, a terminal: written to, never replaced by a file.
  if (::fstatat(dir.get(), path.c_str(), &st, 0) == 0 && !S_ISREG(st.st_mode)) {
    const UniqueFd fd = TRY(open_at(dir, path, O_WRONLY | O_NOCTTY));
    return write_all(fd, text, path);
  }
  // The pid makes the name ours among live processes; a leftover of a dead one is removed.
  const std::string temporary = path + ".tmp" + std::to_string(::getpid());
  (void)::unlinkat(dir.get(), temporary.c_str(), 0);
  Result<void> written = write_and_sync(dir, temporary, text, mode, sync);
  if (written && ::renameat(dir.get(), temporary.c_str(), dir.get(), path.c_str()) != 0)
    written = errno_error("rename to", path);
  if (!written) {
    (void)::unlinkat(dir.get(), temporary.c_str(), 0);
    return written;
  }
  if (sync == Sync::Yes) TRY(sync_parent(dir, path));
  return {};
}

Result<void> replace_file(const std::string& path, std::string_view text, mode_t mode, Sync sync) {
  return replace_file_at(kCwd, path, text, mode, sync);
}

Result<void> make_directories(const std::string& path, mode_t mode) {
  for (std::size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
    const std::string part = path.substr(0, end);
    if (::mkdir(part.c_str(), mode) != 0 && errno != EEXIST)
      return errno_error("create directory", part);
    if (end == std::string::npos) return {};
  }
}
