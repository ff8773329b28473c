// SPDX-License-Identifier: Apache-2.0
// log_file.h - a file that only grows by whole batches, and its rotation.
//
// Records are put together in a buffer and handed over with one write(2). A
// full disk or a short write leaves the rest in the buffer, in order. Rotation
// makes room among the numbered files (log_archive.h), renames FILE to FILE.1 and
// creates FILE: killed at any point, every line is in one of these files and the
// next open goes on.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "common/fd.h"

#include "log_archive.h"
#include "page_buffer.h"

struct LogLimits {
  std::uint64_t size = 0;  // rotate before a record would make the file larger; 0: never
  unsigned files = 1;      // how many rotated files are kept
  long age = 0;            // rotate when the first record is so many seconds old; 0: never
  bool compress = false;   // the older ones of them
};

class LogFile {
 public:
  static Result<LogFile> open(const std::string& path, LogLimits limits = {});
  // Compression, where the limits ask for it: it needs somebody who reaps.
  void compress_with(Children& children, const Notices& notices);

  // Room for a record of up to `size` bytes, or nullptr: flush() first. commit()
  // says how much of it was used.
  char* room(std::size_t size) noexcept;
  void commit(std::size_t size) noexcept { used_ += size; }
  // True when a record of `size` bytes, written `now`, belongs into the next file:
  // flush() and rotate().
  bool is_full_for(std::size_t size, time_t now) noexcept;

  bool flush() noexcept;  // false: see last_errno(), the rest is kept
  Result<void> rotate();
  Result<void> reopen();  // by path, after somebody else renamed the file
  Result<void> sync();
  void rest() noexcept;

  int last_errno() const noexcept { return errno_; }
  std::size_t unwritten() const noexcept { return used_ - written_; }
  const std::string& path() const noexcept { return path_; }

 private:
  LogFile(std::string path, LogLimits limits, PageBuffer buffer)
      : path_(std::move(path)), limits_(limits), buffer_(std::move(buffer)) {}
  Result<void> open_again();
  bool is_deleted() const noexcept;

  std::string path_;
  LogLimits limits_;
  PageBuffer buffer_;
  std::unique_ptr<LogArchiver> archiver_;
  UniqueFd fd_;
  std::uint64_t size_ = 0;   // of the file
  std::size_t used_ = 0;     // of the buffer
  std::size_t written_ = 0;  // of what is used
  time_t born_ = 0;          // of the first record
  int errno_ = 0;
  bool regular_ = true;
};
