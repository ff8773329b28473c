// SPDX-License-Identifier: Apache-2.0
#include "common/temp_dir.h"

#include <dirent.h>
#include <stdio.h>

#include <cerrno>
#include <cstdlib>
#include <memory>
#include <string_view>
#include <vector>

#include "common/beneath.h"

namespace {

struct CloseDir {
  void operator()(DIR* dir) const noexcept { (void)::closedir(dir); }
};

// What lies in an open directory, which is read to its end before anything is
// removed from it: some file systems skip entries otherwise.
Result<std::vector<std::string>> names_in(UniqueFd fd, const std::string& path) {
  const std::unique_ptr<DIR, CloseDir> dir(::fdopendir(fd.get()));
  if (!dir) return errno_error("read directory", path);
  (void)fd.release();  // closedir owns it now
  std::vector<std::string> names;
  errno = 0;
  // readdir(3) is safe for a stream that only we hold.
  while (const dirent* entry = ::readdir(dir.get())) {  // NOLINT(concurrency-mt-unsafe)
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  if (errno != 0) return errno_error("read directory", path);
  return names;
}

Result<void> remove_entry(FdRef dir, const std::string& name);

Result<void> remove_directory(FdRef dir, const std::string& name) {
  // Never into another mount: what lies there is not ours to remove.
  auto fd = open_same_mount(dir, name, O_RDONLY | O_DIRECTORY);
  if (!fd && fd.error().code == EXDEV)
    return Error{"remove '" + name + "': it is a mount point", EBUSY};
  if (!fd) return std::move(fd).error();
  UniqueFd listing(::openat(fd->get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!listing) return errno_error("open directory", name);
  for (const std::string& entry : TRY(names_in(std::move(listing), name)))
    TRY(remove_entry(*fd, entry));
  if (::unlinkat(dir.get(), name.c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT)
    return errno_error("remove directory", name);
  return {};
}

Result<void> remove_entry(FdRef dir, const std::string& name) {
  if (::unlinkat(dir.get(), name.c_str(), 0) == 0 || errno == ENOENT) return {};
  if (errno != EISDIR && errno != EPERM) return errno_error("remove", name);
  return remove_directory(dir, name);
}

}  // namespace

Result<void> remove_tree(FdRef dir, const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return remove_entry(dir, path);
  auto parent = open_at(dir, path.substr(0, slash + 1), O_PATH | O_DIRECTORY);
  if (!parent && parent.error().code == ENOENT) return {};
  if (!parent) return std::move(parent).error();
  return remove_entry(*parent, path.substr(slash + 1));
}

Result<TempDir> TempDir::create(const std::string& parent, const std::string& prefix) {
  std::string path = parent + "/" + prefix + "XXXXXX";
  if (::mkdtemp(path.data()) == nullptr) return errno_error("create temporary directory", path);
  auto fd = open_directory(path);
  if (!fd) {
    (void)::rmdir(path.c_str());
    return std::move(fd).error();
  }
  return TempDir(std::move(path), std::move(*fd));
}

TempDir::TempDir(TempDir&& other) noexcept
    : path_(std::exchange(other.path_, {})), fd_(std::move(other.fd_)) {}

TempDir::~TempDir() {
  if (!path_.empty()) (void)remove_tree(kCwd, path_);
}

Result<void> TempDir::rename_to(const std::string& target) {
  if (::renameat2(AT_FDCWD, path_.c_str(), AT_FDCWD, target.c_str(), RENAME_NOREPLACE) != 0)
    return errno_error("rename to", target);
  path_.clear();
  return {};
}
