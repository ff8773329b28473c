// SPDX-License-Identifier: Apache-2.0
#include "log_file.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <utility>

namespace {
// Room for one batch: what one read gives, with its headers.
constexpr std::size_t kBufferSize = std::size_t{256} << 10;

// Of a file that others have begun; file systems without a birth time know the last change.
time_t birth_of(FdRef fd, const struct stat& st) {
  struct statx more = {};
  const bool known = ::statx(fd.get(), "", AT_EMPTY_PATH, STATX_BTIME, &more) == 0 &&
                     (more.stx_mask & STATX_BTIME) != 0;
  return known ? static_cast<time_t>(more.stx_btime.tv_sec) : st.st_mtim.tv_sec;
}

}  // namespace

Result<LogFile> LogFile::open(const std::string& path, LogLimits limits) {
  PageBuffer buffer = TRY(PageBuffer::create(kBufferSize));
  LogFile file(path, limits, std::move(buffer));
  TRY(file.open_again());
  return file;
}

void LogFile::compress_with(Children& children, const Notices& notices) {
  if (!limits_.compress) return;
  archiver_ = std::make_unique<LogArchiver>(children, notices, path_);
  archiver_->tend();
}

Result<void> LogFile::open_again() {
  // O_NONBLOCK: a FIFO that nobody reads is an error, not a shim that hangs.
  constexpr int kFlags = O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_NOCTTY;
  auto opened = open_at(kCwd, path_, kFlags, 0640);
  if (!opened) return std::move(opened).error().in("log");
  struct stat st = {};
  if (::fstat(opened->get(), &st) != 0) return errno_error("stat", path_);
  regular_ = S_ISREG(st.st_mode);
  size_ = regular_ ? static_cast<std::uint64_t>(st.st_size) : 0;
  born_ = birth_of(*opened, st);
  fd_ = std::move(*opened);
  return {};
}

char* LogFile::room(std::size_t size) noexcept {
  return buffer_.size() - used_ >= size ? buffer_.data() + used_ : nullptr;
}

bool LogFile::is_full_for(std::size_t size, time_t now) noexcept {
  const std::uint64_t with_batch = size_ + unwritten();
  if (with_batch == 0) {
    born_ = now;
    return false;
  }
  if (!regular_) return false;
  if (limits_.age != 0 && now - born_ >= limits_.age) return true;
  return limits_.size != 0 && with_batch + size > limits_.size;
}

bool LogFile::flush() noexcept {
  while (written_ < used_) {
    const ssize_t n = ::write(fd_.get(), buffer_.data() + written_, used_ - written_);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      errno_ = errno;
      if (!is_deleted()) return false;
      break;  // nobody will ever read it: there is nothing to wait for
    }
    written_ += static_cast<std::size_t>(n);
    size_ += static_cast<std::uint64_t>(n);
  }
  used_ = written_ = 0;
  errno_ = 0;
  return true;
}

bool LogFile::is_deleted() const noexcept {
  struct stat st = {};
  return regular_ && ::fstat(fd_.get(), &st) == 0 && st.st_nlink == 0;
}

Result<void> LogFile::rotate() {
  const std::string first = path_ + ".1";
  if (limits_.files == 0) {
    if (::unlink(path_.c_str()) != 0 && errno != ENOENT) return errno_error("rotate", path_);
  } else {
    TRY(make_room_for_newest(path_, limits_.files));
    if (::rename(path_.c_str(), first.c_str()) != 0 && errno != ENOENT)
      return errno_error("rotate", path_);
  }
  // If this fails, the old file is still open under its new name: nothing is lost.
  TRY(open_again());
  if (archiver_) archiver_->tend();
  return {};
}

Result<void> LogFile::reopen() {
  return open_again();
}

Result<void> LogFile::sync() {
  // Pipes and devices cannot be synced, and need not be.
  if (::fsync(fd_.get()) != 0 && errno != EINVAL && errno != EROFS)
    return errno_error("fsync", path_);
  return {};
}

void LogFile::rest() noexcept {
  if (used_ == 0) buffer_.forget();
}
