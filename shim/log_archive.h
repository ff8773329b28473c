// SPDX-License-Identifier: Apache-2.0
// log_archive.h - the rotated files of a log: FILE.1 (the newest) … FILE.N, some
// of them compressed, FILE.N.zst.
//
// Names only ever change by rename, one at a time and from the oldest to the
// newest: a shim that is killed in between leaves a gap in the numbers, which
// readers skip and the next rotation fills, and every line is in one file.
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/fd.h"

#include "children.h"
#include "notices.h"

struct ArchivedLog {
  unsigned number = 0;
  bool compressed = false;
  std::string path = {};
};

// The newest first. Where a file is there twice, since its compression was not
// finished, it is the plain one.
std::vector<ArchivedLog> archived_logs(const std::string& path);

// Afterwards FILE.1 is free and no number is larger than `files`.
Result<void> make_room_for_newest(const std::string& path, unsigned files);

// Compresses FILE.2 and older ones, one at a time, in a child process: FILE.1
// stays as it is for those who are still reading it. A file that cannot be
// compressed stays plain, and nothing more is compressed until the next start.
class LogArchiver {
 public:
  LogArchiver(Children& children, const Notices& notices, std::string path);
  LogArchiver(const LogArchiver&) = delete;
  LogArchiver& operator=(const LogArchiver&) = delete;
  ~LogArchiver();
  void tend();

 private:
  Result<void> compress(const ArchivedLog& log);
  void give_up(const std::string& why);
  void finish(ino_t inode, int status);

  Children& children_;
  const Notices& notices_;
  std::string path_;
  pid_t child_ = 0;
  bool failed_ = false;
};

// A log file's bytes, whether compressed or not.
class LogInput {
 public:
  static Result<LogInput> open(const std::string& path, bool compressed);
  LogInput();
  LogInput(LogInput&& other) noexcept;
  LogInput& operator=(LogInput&& other) noexcept;
  ~LogInput();

  // 0 at the present end.
  Result<std::size_t> read(char* to, std::size_t size);
  // That of the file as it was written, before it was compressed.
  ino_t inode() const { return inode_; }
  time_t changed() const { return changed_; }
  explicit operator bool() const { return static_cast<bool>(fd_); }

 private:
  struct Decoder;
  std::string path_;
  UniqueFd fd_;
  ino_t inode_ = 0;
  time_t changed_ = 0;
  std::unique_ptr<Decoder> decoder_;
};
