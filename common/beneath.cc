// SPDX-License-Identifier: Apache-2.0
#include "common/beneath.h"

#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>

namespace {

// EAGAIN: a rename or mount elsewhere made the kernel unsure about ".."; it
// asks us to try again, and a hostile renamer must not make us spin for ever.
constexpr int kTries = 128;

Result<UniqueFd> resolve_and_open(FdRef dir, const std::string& path, int flags, mode_t mode,
                                  std::uint64_t resolve) {
  open_how how = {};
  how.flags = static_cast<__u64>(flags | O_CLOEXEC);
  how.mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? mode : 0;
  how.resolve = resolve;
  for (int i = 0; i < kTries; ++i) {
    const long fd = ::syscall(SYS_openat2, dir.get(), path.c_str(), &how, sizeof how);
    if (fd >= 0) return UniqueFd(static_cast<int>(fd));
    if (errno != EAGAIN && errno != EINTR) break;
  }
  return errno_error("open", path);
}

}  // namespace

Result<UniqueFd> open_in_root(FdRef root, const std::string& path, int flags, mode_t mode) {
  return resolve_and_open(root, path.empty() ? "." : path, flags, mode,
                          RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
}

Result<UniqueFd> open_beneath(FdRef dir, const std::string& path, int flags, mode_t mode) {
  return resolve_and_open(dir, path.empty() ? "." : path, flags, mode,
                          RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
}

Result<UniqueFd> open_same_mount(FdRef dir, const std::string& name, int flags) {
  return resolve_and_open(dir, name, flags, 0,
                          RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);
}

Result<UniqueFd> make_directories_in_root(FdRef root, const std::string& path, mode_t mode) {
  constexpr int kDirectory = O_PATH | O_DIRECTORY;
  if (auto whole = open_in_root(root, path, kDirectory); whole || whole.error().code != ENOENT)
    return whole;
  // The path so far always exists, so resolving it again from the root follows
  // the links inside it, and the component after it is made without following any.
  std::string done = "/";
  UniqueFd parent = TRY(open_in_root(root, done, kDirectory));
  for (std::size_t begin = 0; begin < path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    const std::string name = path.substr(begin, end - begin);
    begin = end + 1;
    if (name.empty() || name == ".") continue;
    if (name != ".." && ::mkdirat(parent.get(), name.c_str(), mode) != 0 && errno != EEXIST)
      return errno_error("create directory", path);
    done.append("/").append(name);
    parent = TRY(open_in_root(root, done, kDirectory));
  }
  return parent;
}

bool is_plain_name(std::string_view name) {
  return !name.empty() && name != "." && name != ".." &&
         name.find_first_of(std::string_view("/\0", 2)) == std::string_view::npos;
}
