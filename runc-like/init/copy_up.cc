// SPDX-License-Identifier: Apache-2.0
// copy_up.cc - a tmpfs that begins with what the directory beneath it holds.
//
// By descriptors only, and links are copied as links: the content is the image's
// and may lead anywhere by name.
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/stat.h>

#include "init.h"

namespace init {

namespace {

constexpr int kDeepest = 64;

struct Entry {  // linux_dirent64
  uint64_t inode;
  int64_t offset;
  unsigned short size;
  unsigned char type;
  char name[1];
};

long copy_directory(long from, long to, int depth) noexcept;

long copy_content(long from, long to) noexcept {
  for (;;) {
    const long n = call(__NR_copy_file_range, from, nullptr, to, nullptr, 1UL << 30, 0);
    if (n == 0) return 0;
    if (n == -EXDEV || n == -EINVAL || n == -EOPNOTSUPP) break;
    if (n < 0) return n;
  }
  for (;;) {
    const long n = call(__NR_read, from, g_buffer, sizeof g_buffer);
    if (n <= 0) return n;
    for (long done = 0; done < n;) {
      const long wrote = call(__NR_write, to, g_buffer + done, n - done);
      if (wrote < 0) return wrote;
      done += wrote;
    }
  }
}

long own_like(long dir, const char* name, const struct statx& info) noexcept {
  const long owned =
      call(__NR_fchownat, dir, name, info.stx_uid, info.stx_gid, AT_SYMLINK_NOFOLLOW);
  if (owned < 0) return owned;
  if ((info.stx_mode & S_IFMT) == S_IFLNK) return 0;
  return call(__NR_fchmodat, dir, name, info.stx_mode & 07777U);
}

long copy_link(long from, long to, const char* name) noexcept {
  char target[4096];
  const long n = call(__NR_readlinkat, from, name, target, sizeof target - 1);
  if (n < 0) return n;
  target[n] = '\0';
  return call(__NR_symlinkat, target, to, name);
}

long copy_file(long from, long to, const char* name) noexcept {
  const Fd in(call(__NR_openat, from, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!in.ok()) return in.get();
  const Fd out(
      call(__NR_openat, to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  return out.ok() ? copy_content(in.get(), out.get()) : out.get();
}

long copy_entry(long from, long to, const char* name, int depth) noexcept {
  struct statx info = {};
  long done = call(__NR_statx, from, name, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &info);
  if (done < 0) return done;
  const unsigned type = info.stx_mode & S_IFMT;
  if (type == S_IFLNK) {
    done = copy_link(from, to, name);
  } else if (type == S_IFREG) {
    done = copy_file(from, to, name);
  } else if (type == S_IFDIR) {
    const Fd in(call(__NR_openat, from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!in.ok()) return in.get();
    done = call(__NR_mkdirat, to, name, 0700);
    if (done < 0) return done;
    const Fd out(call(__NR_openat, to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!out.ok()) return out.get();
    done = copy_directory(in.get(), out.get(), depth + 1);
  } else {
    const uint64_t device = (info.stx_rdev_minor & 0xffU) | (info.stx_rdev_major << 8U) |
                            (static_cast<uint64_t>(info.stx_rdev_minor & ~0xffU) << 12U);
    done = call(__NR_mknodat, to, name, info.stx_mode, device);
  }
  return done < 0 ? done : own_like(to, name, info);
}

long copy_directory(long from, long to, int depth) noexcept {
  if (depth > kDeepest) return -ELOOP;
  char entries[2048];
  for (;;) {
    const long n = call(__NR_getdents64, from, entries, sizeof entries);
    if (n <= 0) return n;
    for (long at = 0; at < n;) {
      const Entry* entry = reinterpret_cast<const Entry*>(entries + at);
      at += entry->size;
      if (same(entry->name, ".") || same(entry->name, "..")) continue;
      const long done = copy_entry(from, to, entry->name, depth);
      if (done < 0) return done;
    }
  }
}

}  // namespace

// `to` is the root of a new file system that is attached nowhere yet.
long Init::copy_up(long from, long to) noexcept {
  const Fd in(call(__NR_openat, from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!in.ok()) return in.get();
  const Fd out(call(__NR_openat, to, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!out.ok()) return out.get();
  return copy_directory(in.get(), out.get(), 0);
}

}  // namespace init
