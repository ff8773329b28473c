// SPDX-License-Identifier: Apache-2.0
#include "file_facts.h"

#include <array>
#include <cerrno>
#include <climits>
#include <memory>

#include "file_stream.h"
#include "xattrs.h"

namespace {

constexpr int kOpenFile = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;

bool same_time(const timespec& a, const timespec& b) {
  return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

bool is_device(mode_t mode) {
  return S_ISCHR(mode) || S_ISBLK(mode);
}

}  // namespace

bool is_whiteout(const struct stat& st) {
  return S_ISCHR(st.st_mode) && st.st_rdev == 0;
}

Result<bool> same_attributes(const Place& a, const Place& b, bool times) {
  if (a.st.st_mode != b.st.st_mode || a.st.st_uid != b.st.st_uid || a.st.st_gid != b.st.st_gid)
    return false;
  if (!S_ISDIR(a.st.st_mode) && a.st.st_size != b.st.st_size) return false;
  if (times && !same_time(a.st.st_mtim, b.st.st_mtim)) return false;
  if (is_device(a.st.st_mode) && a.st.st_rdev != b.st.st_rdev) return false;
  if (a.st.st_dev == b.st.st_dev && a.st.st_ino == b.st.st_ino) return true;
  if (S_ISLNK(a.st.st_mode) && TRY(read_link_at(a.dir, a.name)) != TRY(read_link_at(b.dir, b.name)))
    return false;
  return TRY(read_xattrs_at(a.dir, a.name, a.name)) == TRY(read_xattrs_at(b.dir, b.name, b.name));
}

Result<bool> same_content(const Place& a, const Place& b) {
  if (a.st.st_size != b.st.st_size) return false;
  FileStream one(TRY(open_at(a.dir, a.name, kOpenFile)), a.name);
  FileStream two(TRY(open_at(b.dir, b.name, kOpenFile)), b.name);
  std::string_view rest;
  for (;;) {
    if (rest.empty()) rest = TRY(one.next(static_cast<std::size_t>(-1)));
    const std::string_view other = TRY(two.next(rest.empty() ? 1 : rest.size()));
    if (rest.empty() || other.empty()) return rest.empty() && other.empty();
    if (rest.substr(0, other.size()) != other) return false;
    rest.remove_prefix(other.size());
  }
}

Result<std::string> read_link_at(FdRef dir, const std::string& name) {
  std::array<char, PATH_MAX> target = {};
  const ssize_t n = ::readlinkat(dir.get(), name.c_str(), target.data(), target.size());
  if (n < 0) return errno_error("read link", name);
  return std::string(target.data(), static_cast<std::size_t>(n));
}
