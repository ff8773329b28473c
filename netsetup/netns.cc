// SPDX-License-Identifier: Apache-2.0
#include "netns.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/netlink.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <cerrno>
#include <cstdlib>

namespace {

// Goes home on destruction. To go on in the wrong namespace would be worse than
// to die: everything that follows would happen to the wrong machine.
class Visit {
 public:
  static Result<Visit> enter(FdRef netns) {
    UniqueFd home = TRY(open_at(kCwd, "/proc/self/ns/net", O_RDONLY));
    if (::setns(netns.get(), CLONE_NEWNET) != 0)
      return errno_error("enter", "the container's network namespace",
                         "this needs CAP_SYS_ADMIN and CAP_NET_ADMIN");
    return Visit(std::move(home));
  }
  Visit(Visit&&) noexcept = default;
  Visit& operator=(Visit&&) = delete;
  ~Visit() {
    if (home_ && ::setns(home_.get(), CLONE_NEWNET) != 0) std::abort();
  }

 private:
  explicit Visit(UniqueFd home) : home_(std::move(home)) {}
  UniqueFd home_;
};

std::string sysctl_path(const std::string& name) {
  return "/proc/sys/net/" + name;
}

}  // namespace

Result<UniqueFd> open_netns(const std::string& path) {
  auto file = open_at(kCwd, path, O_RDONLY | O_NONBLOCK);
  if (!file)
    return std::move(file).error().with_hint("the namespace must exist before it can be connected");
  UniqueFd opened = *std::move(file);
  struct statfs system = {};
  if (::fstatfs(opened.get(), &system) != 0) return errno_error("look at", path);
  // NS_GET_NSTYPE answers for namespace files only; asked of anything else it
  // would be an ioctl on somebody's device.
  if (system.f_type != NSFS_MAGIC || ::ioctl(opened.get(), NS_GET_NSTYPE) != CLONE_NEWNET)
    return Error{"'" + path + "' is no network namespace"};
  struct stat theirs = {};
  struct stat ours = {};
  if (::fstat(opened.get(), &theirs) != 0 || ::stat("/proc/self/ns/net", &ours) != 0)
    return errno_error("look at", path);
  if (theirs.st_ino == ours.st_ino && theirs.st_dev == ours.st_dev)
    return Error{"'" + path + "' is the network namespace of the host itself", 0,
                 "give the container one of its own"};
  return opened;
}

Result<NetlinkSocket> route_socket_in(FdRef netns) {
  const Visit visit = TRY(Visit::enter(netns));
  return NetlinkSocket::open(NETLINK_ROUTE);
}

Result<void> write_sysctl(const std::string& name, const std::string& value) {
  const UniqueFd file = TRY(open_at(kCwd, sysctl_path(name), O_WRONLY));
  return write_all(file, value, sysctl_path(name));
}

Result<void> write_sysctl_in(FdRef netns, const std::string& name, const std::string& value) {
  // /proc/sys/net shows the namespace of whoever opens the file.
  const Visit visit = TRY(Visit::enter(netns));
  return write_sysctl(name, value);
}

Result<std::string> read_sysctl_in(FdRef netns, const std::string& name) {
  const Visit visit = TRY(Visit::enter(netns));
  std::string out = TRY(read_file(sysctl_path(name), 4096));
  while (out.ends_with('\n')) out.pop_back();
  return out;
}

Result<bool> switch_on(const std::string& name) {
  const std::string now = TRY(read_file(sysctl_path(name), 64));
  if (!now.starts_with('0')) return false;
  TRY(write_sysctl(name, "1"));
  return true;
}
