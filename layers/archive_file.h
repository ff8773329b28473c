// SPDX-License-Identifier: Apache-2.0
// archive_file.h - a tar of plain files, as image archives are: the same bytes for
// the same image, whoever writes it and when.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "common/fd.h"

class ArchiveFile {
 public:
  // "-" is standard output. A file appears under its name when close() has succeeded.
  static Result<std::unique_ptr<ArchiveFile>> create(const std::string& path);
  ArchiveFile(const ArchiveFile&) = delete;
  ArchiveFile& operator=(const ArchiveFile&) = delete;
  ~ArchiveFile();

  Result<void> add(const std::string& name, std::string_view bytes);
  // The next `size` bytes go in by write(); there must be exactly as many.
  Result<void> begin(const std::string& name, std::uint64_t size);
  FdRef out() const { return fd_; }
  Result<void> end(std::uint64_t size);  // of the member that was begun
  Result<void> close();

 private:
  ArchiveFile(std::string path, std::string temporary, UniqueFd fd)
      : path_(std::move(path)), temporary_(std::move(temporary)), fd_(std::move(fd)) {}
  std::string path_;
  std::string temporary_;  // empty: standard output
  UniqueFd fd_;
};
