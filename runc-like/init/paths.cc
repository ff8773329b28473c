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

namespace {

// A link that leads to nothing, met at path[start, end).
struct Dangling {
  size_t start;
  size_t end;
  size_t size;  // of what it holds, in g_link
};

// Touched only when an image has such links.
char g_link[4096];
char g_rewritten[2][4096];

bool append(char* to, size_t* at, const char* text, size_t size) noexcept {
  if (*at + size + 2 > sizeof g_link) return false;
  for (size_t i = 0; i < size; ++i) to[(*at)++] = text[i];
  to[*at] = '\0';
  return true;
}

// The path with the link replaced by what it holds: from the root when that is
// absolute, else from where the link lies.
bool rewrite(const char* path, const Dangling& link, char* to) noexcept {
  size_t at = 0;
  to[0] = '\0';
  if (g_link[0] != '/' && !append(to, &at, path, link.start)) return false;
  if (!append(to, &at, g_link, link.size)) return false;
  const size_t rest = length(path + link.end);
  return append(to, &at, path + link.end, rest);
}

}  // namespace

// Opens `path`, making what is missing of it. Each component that exists is
// resolved in the root by the kernel; each that does not is made in its parent,
// by descriptor. A link to nothing is followed by name and its target made,
// again in the root.
long Init::make_target(const char* path, Kind kind) const noexcept {
  constexpr int kMostLinks = 16;
  for (int links = 0; links < kMostLinks; ++links) {
    const long there = in_root(path, O_PATH);
    if (there != -ENOENT) return there;
    Dangling link = {};
    const long made = make_missing(path, kind, &link.start, &link.end, &link.size);
    if (made != -ELOOP) return made;
    char* next = g_rewritten[links % 2];
    if (!rewrite(path, link, next)) return -ENAMETOOLONG;
    path = next;
  }
  return -ELOOP;
}

// ELOOP: there is a link to nothing at path[*start, *end); what it holds is in g_link.
long Init::make_missing(const char* path, Kind kind, size_t* start, size_t* end,
                        size_t* link) const noexcept {
  const size_t size = length(path);
  if (size >= sizeof g_path) return -ENAMETOOLONG;
  long dir = in_root("", O_PATH | O_DIRECTORY);
  for (*start = 0; dir >= 0 && *start < size; *start = *end + 1) {
    for (*end = *start; *end < size && path[*end] != '/';) ++*end;
    if (*end == *start) continue;
    long next = in_root(prefix(path, *end), O_PATH);
    if (next == -ENOENT) {
      const char* name = prefix(path, *end) + *start;
      const long held = call(__NR_readlinkat, dir, name, g_link, sizeof g_link - 1);
      if (held > 0) {
        close_fd(dir);
        *link = static_cast<size_t>(held);
        return -ELOOP;
      }
      const bool last = *end == size;
      next = last && kind == Kind::File ? make_file(dir, name) : make_directory(dir, name);
    }
    close_fd(dir);
    dir = next;
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

// What is mounted next may lie over it.
void Init::forget_parent() noexcept {
  if (parent_ >= 0) close_fd(parent_);
  parent_ = -1;
}

// As make_target, but a link that is the last component is itself the target.
long Init::plain_target(const char* path, Kind kind) noexcept {
  const char* name = nullptr;
  const long dir = open_parent(path, &name);
  if (dir < 0) return dir;
  const long there = call(__NR_openat, dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
  if (there != -ENOENT) return there;
  return kind == Kind::File ? make_file(dir, name) : make_directory(dir, name);
}

// How much the link holds that `fd` is; nothing else holds any (EINVAL).
long Init::link_size(long fd) const noexcept {
  return call(__NR_readlinkat, fd, "", g_link, sizeof g_link - 1);
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
