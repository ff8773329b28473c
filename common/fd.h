// SPDX-License-Identifier: Apache-2.0
// fd.h - who closes a file descriptor is written in the type; whole files in one call.
//
//   UniqueFd   owns: closes on destruction, move only.
//   FdRef      borrows: never closes, must not outlive the owner.
//   int        only next to a system call.
#pragma once

#include <fcntl.h>
#include <sys/types.h>
#include <unistd.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "common/result.h"

class UniqueFd {
 public:
  UniqueFd() noexcept = default;
  explicit UniqueFd(int fd) noexcept : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(other.release()) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    if (this != &other) reset(other.release());
    return *this;
  }
  ~UniqueFd() { reset(); }

  int get() const noexcept { return fd_; }
  explicit operator bool() const noexcept { return fd_ >= 0; }  // 0 is a valid descriptor
  [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }
  void reset(int fd = -1) noexcept {
    // On Linux the descriptor is gone even when close() reports EINTR: never retry.
    if (fd_ >= 0) (void)::close(fd_);
    fd_ = fd;
  }

 private:
  int fd_ = -1;
};

class FdRef {
 public:
  // Implicit: lending a descriptor to a call must not need ceremony.
  FdRef(const UniqueFd& fd) noexcept : fd_(fd.get()) {}  // NOLINT(google-explicit-constructor)
  constexpr explicit FdRef(int fd) noexcept : fd_(fd) {}
  int get() const noexcept { return fd_; }

 private:
  int fd_;
};

inline constexpr FdRef kCwd{AT_FDCWD};  // relative paths start at the working directory

// O_CLOEXEC is not an option of these functions: it is always set. Errors name
// the path and the errno.
Result<UniqueFd> open_directory(const std::string& path);  // O_PATH
Result<UniqueFd> open_at(FdRef dir, const std::string& path, int flags, mode_t mode = 0);

// A file of at most `limit` bytes, whole. More is the error EFBIG: what we read
// may be hostile, so no size is trusted before it is checked.
inline constexpr std::size_t kFileLimit = std::size_t{16} << 20;
Result<std::string> read_all(FdRef fd, std::string_view name, std::size_t limit = kFileLimit);
Result<std::string> read_file_at(FdRef dir, const std::string& path,
                                 std::size_t limit = kFileLimit);
Result<std::string> read_file(const std::string& path, std::size_t limit = kFileLimit);

// Every byte or an error.
Result<void> write_all(FdRef fd, std::string_view text, std::string_view name);

// Creates or truncates, in place. For kernel files (procfs, cgroupfs) too.
Result<void> write_file_at(FdRef dir, const std::string& path, std::string_view text,
                           mode_t mode = 0600);

// Readers see the old content or the new, never a mixture: a temporary name in
// the same directory, then rename. With Sync::Yes the data and the name are on
// disk when it returns. What is there and no regular file (/dev/null) is written
// to as it stands.
enum class Sync { No, Yes };
Result<void> replace_file_at(FdRef dir, const std::string& path, std::string_view text,
                             mode_t mode = 0644, Sync sync = Sync::No);
Result<void> replace_file(const std::string& path, std::string_view text, mode_t mode = 0644,
                          Sync sync = Sync::No);

// mkdir -p; what exists already is left as it is.
Result<void> make_directories(const std::string& path, mode_t mode = 0755);
