// SPDX-License-Identifier: Apache-2.0
#include "children.h"

#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>

Result<pid_t> Children::start(const Command& command, Ended ended) {
  ChildProcess child = TRY(::start(command));
  children_.push_back({child.release(), std::move(ended)});
  return children_.back().pid;
}

Result<pid_t> Children::fork(FdRef in, FdRef out, const std::function<int()>& work, Ended ended) {
  const pid_t pid = ::fork();
  if (pid < 0) return errno_error("fork", "shim");
  if (pid == 0) {
    (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
    // Neither is below 3: what our caller had closed is /dev/null.
    if (::dup2(in.get(), STDIN_FILENO) < 0 || ::dup2(out.get(), STDOUT_FILENO) < 0) ::_exit(125);
    // An attached client or the container must not wait for us to close our copies.
    (void)::close_range(STDERR_FILENO + 1, ~0U, 0);
    ::_exit(work());
  }
  children_.push_back({pid, std::move(ended)});
  return pid;
}

void Children::forget(pid_t pid) {
  std::erase_if(children_, [pid](const Child& child) { return child.pid == pid; });
}

bool Children::ended(pid_t pid, int status) {
  const auto it = std::ranges::find(children_, pid, &Child::pid);
  if (it == children_.end()) return false;
  const Ended tell = std::move(it->ended);
  children_.erase(it);
  tell(status);
  return true;
}
