// SPDX-License-Identifier: Apache-2.0
// log_compression.h - a log file as a zstd file, and back.
//
// In front stands a skippable frame with the inode number of the plain file, by
// which a reader who has read a part of that knows where to go on; any zstd
// program passes over it.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>

#include "common/fd.h"

// Standard input, compressed, to standard output, and that to the disk. For a
// child process: it takes some megabytes.
Result<void> compress_log(ino_t inode);

// What compress_log() was given; 0 when somebody else has compressed the file.
ino_t original_inode(FdRef fd);

class LogDecompression {
 public:
  LogDecompression();
  LogDecompression(const LogDecompression&) = delete;
  LogDecompression& operator=(const LogDecompression&) = delete;
  ~LogDecompression();
  Result<std::size_t> read(FdRef fd, const std::string& path, char* to, std::size_t size);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};
