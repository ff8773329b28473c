// SPDX-License-Identifier: Apache-2.0
#include "directory_names.h"

#include <dirent.h>

#include <cerrno>
#include <memory>
#include <string_view>

namespace {
struct CloseDir {
  void operator()(DIR* dir) const noexcept { (void)::closedir(dir); }
};
}  // namespace

Result<std::vector<std::string>> directory_names(FdRef dir, const std::string& path) {
  UniqueFd fd(::openat(dir.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return errno_error("open directory", path);
  const std::unique_ptr<DIR, CloseDir> stream(::fdopendir(fd.get()));
  if (!stream) return errno_error("read directory", path);
  (void)fd.release();  // closedir owns it now
  std::vector<std::string> names;
  errno = 0;
  // readdir(3) is safe for a stream that only we hold.
  while (const dirent* entry = ::readdir(stream.get())) {  // NOLINT(concurrency-mt-unsafe)
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  if (errno != 0) return errno_error("read directory", path);
  return names;
}
