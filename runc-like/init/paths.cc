// SPDX-License-Identifier: Apache-2.0
// paths.cc - every name inside the root file system goes through here.
//
// The kernel walks (openat2), with the container's root as the root: a link of
// the image, absolute or not, static or swapped in while we look, ends inside.
#include <asm/statfs.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <linux/stat.h>

#include "init.h"

namespace init {

long Init::in_root(const char* path, uint64_t flags, uint64_t mode) const noexcept {
  const open_how how = {flags | O_CLOEXEC, mode, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
  // EAGAIN: somebody renames beneath us. It cannot starve us for ever: each try is new.
  long fd = -EAGAIN;
  for (int tries = 0; tries < 128 && (fd == -EAGAIN || fd == -EINTR); ++tries)
    fd = call(__NR_openat2, root_, *path == '\0' ? "." : path, &how, sizeof how);
  return fd;
}

namespace {

// Copies the first `n` bytes of `path` into the path buffer.
const char* prefix(const char* path, size_t n) noexcept {
  for (size_t i = 0; i < n; ++i) g_path[i] = path[i];
  g_path[n] = '\0';
  return g_path;
}

long make_file(long parent, const char* name) noexcept {
  const long made =
      call(__NR_openat, parent, name, O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | O_WRONLY, 0644);
  if (made < 0) return made;
  close_fd(made);
  return call(__NR_openat, parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
}

long make_directory(long parent, const char* name) noexcept {
  const long made = call(__NR_mkdirat, parent, name, 0755);
  if (made < 0 && made != -EEXIST) return made;
  return call(__NR_openat, parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

}  // namespace

// Opens `path`, making what is missing of it. Each component that exists is
// resolved in the root; each that does not is made in its parent, by
// descriptor, and never through a link.
long Init::make_target(const char* path, Kind kind) const noexcept {
  const long there = in_root(path, O_PATH);
  if (there != -ENOENT) return there;
  const size_t size = length(path);
  if (size >= sizeof g_path) return -ENAMETOOLONG;
  long dir = in_root("", O_PATH | O_DIRECTORY);
  size_t start = 0;
  while (dir >= 0 && start < size) {
    size_t end = start;
    while (end < size && path[end] != '/') ++end;
    const bool last = end == size;
    long next = in_root(prefix(path, end), O_PATH);
    if (next == -ENOENT) {
      const char* name = prefix(path, end) + start;
      next = last && kind == Kind::File ? make_file(dir, name) : make_directory(dir, name);
    }
    close_fd(dir);
    dir = next;
    start = end + 1;
  }
  return dir;
}

// The directory that holds `path`, made when missing; `name` is its last
// component. Kept open for the next step in the same directory.
long Init::open_parent(const char* path, const char** name) noexcept {
  size_t slash = 0;
  for (size_t i = 0; path[i] != '\0'; ++i)
    if (path[i] == '/') slash = i;
  *name = slash == 0 ? path : path + slash + 1;
  if (parent_ >= 0) {
    const char* before = base_ + parent_of_;
    size_t i = 0;
    while (i < slash && before[i] == path[i]) ++i;
    bool deeper = false;  // the remembered path has a directory more
    for (size_t j = slash + 1; before[j] != '\0' && i == slash; ++j) deeper |= before[j] == '/';
    if (i == slash && slash != 0 && before[slash] == '/' && !deeper) return parent_;
    close_fd(parent_);
  }
  char directory[256];
  if (slash >= sizeof directory) return -ENAMETOOLONG;
  for (size_t i = 0; i < slash; ++i) directory[i] = path[i];
  directory[slash] = '\0';
  parent_ = make_target(directory, Kind::Directory);
  parent_of_ = static_cast<uint32_t>(path - base_);
  return parent_;
}

bool Init::on_procfs(long fd) const noexcept {
  struct statfs fs = {};
  return call(__NR_fstatfs, fd, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC;
}

bool Init::is_directory(long fd) const noexcept {
  struct statx info = {};
  if (call(__NR_statx, fd, "", AT_EMPTY_PATH, STATX_TYPE, &info) < 0) return false;
  return (info.stx_mode & S_IFMT) == S_IFDIR;
}

}  // namespace init
