// SPDX-License-Identifier: Apache-2.0
#include "conmon_runtime.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>

namespace {

constexpr const char* kScore = "/proc/self/oom_score_adj";

std::vector<char*> pointers(const std::vector<std::string>& words) {
  std::vector<char*> out;
  // execve's argv is char* for historical reasons only: nobody writes through it.
  for (const std::string& word : words) out.push_back(const_cast<char*>(word.c_str()));
  out.push_back(nullptr);
  return out;
}

void reset_signals() {
  for (int number = 1; number < NSIG; ++number) (void)::signal(number, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  (void)::sigprocmask(SIG_SETMASK, &none, nullptr);
}

// Sources of 0..2 are first moved out of the way, so no dup2 overwrites a later one.
void set_stdio(const RuntimeStdio& io) {
  const std::array<int, 3> source = {io.in, io.out, io.err};
  std::array<int, 3> moved = {};
  for (std::size_t i = 0; i < source.size(); ++i) moved[i] = ::fcntl(source[i], F_DUPFD_CLOEXEC, 3);
  for (std::size_t i = 0; i < source.size(); ++i) (void)::dup2(moved[i], static_cast<int>(i));
}

// One thread, so a forked child may do what it likes before it executes.
Result<ChildProcess> fork_child() {
  const pid_t pid = ::fork();
  if (pid < 0) return errno_error("fork", "monitor");
  if (pid == 0) return ChildProcess(0, UniqueFd());
  UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!pidfd) return errno_error("open process", std::to_string(pid));
  return ChildProcess(pid, std::move(pidfd));
}

[[noreturn]] void execute(const std::vector<std::string>& words) {
  std::vector<char*> argv = pointers(words);
  ::execv(argv[0], argv.data());
  const Error why = errno_error("execute", words[0]);
  (void)write_all(FdRef(STDERR_FILENO), why.text() + "\n", "stderr");
  ::_exit(127);
}

}  // namespace

OomScore::OomScore() {
  auto score = read_file(kScore, 32);
  if (score) before_ = std::move(*score);
  (void)write_file_at(kCwd, kScore, "-1000");  // only with CAP_SYS_RESOURCE
}

void OomScore::restore() const {
  if (!before_.empty()) (void)write_file_at(kCwd, kScore, before_);
}

Result<ChildProcess> start_runtime(const std::vector<std::string>& words, const RuntimeStdio& io,
                                   bool listen_pid, const OomScore& score) {
  ChildProcess child = TRY(fork_child());
  if (child.pid() != 0) return child;
  (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
  reset_signals();
  set_stdio(io);
  if (listen_pid) (void)::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
  score.restore();
  execute(words);
}

int run_exit_command(const std::vector<std::string>& words, long delay, const OomScore& score) {
  (void)::prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0);
  auto child = fork_child();
  if (!child) return 1;
  if (child->pid() == 0) {
    reset_signals();
    (void)::close_range(STDERR_FILENO + 1, ~0U, 0);
    if (delay > 0) (void)::sleep(static_cast<unsigned>(delay));
    score.restore();
    execute(words);
  }
  const auto status = child->wait();
  return status ? *status : 1;
}
