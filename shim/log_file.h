// SPDX-License-Identifier: Apache-2.0
// log_file.h - a file that only grows by whole batches, and its rotation.
//
// Records are put together in a buffer and handed over with one write(2). A
// full disk or a short write leaves the rest in the buffer, in order. Rotation
// renames FILE.(N-1) to FILE.N … FILE to FILE.1 and then creates FILE: killed
// at any point, every line is in one of these files and the next open goes on.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "common/fd.h"

#include "page_buffer.h"

struct LogLimits {
  std::uint64_t size = 0;  // rotate before a record would make the file larger; 0: never
  unsigned files = 1;      // how many rotated files are kept
};

class LogFile {
 public:
  static Result<LogFile> open(const std::string& path, LogLimits limits = {});

  // Room for a record of up to `size` bytes, or nullptr: flush() first. commit()
  // says how much of it was used.
  char* room(std::size_t size) noexcept;
  void commit(std::size_t size) noexcept { used_ += size; }
  // True when a record of `size` bytes belongs into the next file: flush() and rotate().
  bool is_full_for(std::size_t size) const noexcept;

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

  std::string path_;
  LogLimits limits_;
  PageBuffer buffer_;
  UniqueFd fd_;
  std::uint64_t size_ = 0;   // of the file
  std::size_t used_ = 0;     // of the buffer
  std::size_t written_ = 0;  // of what is used
  int errno_ = 0;
  bool regular_ = true;
};
