// SPDX-License-Identifier: Apache-2.0
#include "background.h"

#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <climits>

#include "common/fd.h"

namespace {

void close_range_of(unsigned from, unsigned to) {
  if (from <= to) (void)::syscall(SYS_close_range, from, to, 0);
}

// The runtime waits until our output is closed, not only until we have ended.
void leave_everything(int keep) {
  (void)::setsid();
  if (::chdir("/") != 0) ::_exit(1);
  if (const UniqueFd null(::open("/dev/null", O_RDWR | O_CLOEXEC)); null)
    for (int fd = 0; fd <= 2; ++fd) (void)::dup2(null.get(), fd);
  const auto kept = static_cast<unsigned>(keep);
  if (keep < 3) return close_range_of(3, UINT_MAX);
  close_range_of(3, kept - 1);
  close_range_of(kept + 1, UINT_MAX);
}

}  // namespace

Result<bool> go_to_background(int keep) {
  const pid_t child = ::fork();
  if (child < 0) return errno_error("start", "a background process");
  if (child == 0) {
    // A second time, so that whoever waits for all children of the runtime's does
    // not wait for this one.
    const pid_t grandchild = ::fork();
    if (grandchild != 0) ::_exit(grandchild < 0 ? 1 : 0);
    leave_everything(keep);
    return true;
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (status != 0) return Error{"start a background process", EAGAIN};
  return false;
}

void count_dropped(const std::string& directory) {
  if (!make_directories(directory)) return;
  const auto fd = open_at(kCwd, directory + "/dropped", O_WRONLY | O_CREAT | O_APPEND, 0644);
  if (fd) (void)write_all(*fd, ".", directory);
}

std::size_t dropped_so_far(const std::string& directory) {
  struct stat info = {};
  if (::stat((directory + "/dropped").c_str(), &info) != 0) return 0;
  return static_cast<std::size_t>(info.st_size);
}
