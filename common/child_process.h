// SPDX-License-Identifier: Apache-2.0
// child_process.h - children that cannot outlive a failed parent by accident.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/fd.h"

// Until release(), destruction kills and reaps: an early `return error` on any
// line between start and success leaves no half-made child behind.
class ChildProcess {
 public:
  ChildProcess(pid_t pid, UniqueFd pidfd) noexcept : pid_(pid), pidfd_(std::move(pidfd)) {}
  ChildProcess(ChildProcess&& o) noexcept
      : pid_(std::exchange(o.pid_, -1)), pidfd_(std::move(o.pidfd_)) {}
  ChildProcess& operator=(ChildProcess&&) = delete;
  ~ChildProcess();

  pid_t pid() const noexcept { return pid_; }
  FdRef pidfd() const noexcept { return pidfd_; }  // readable (poll) once it has ended
  Result<void> signal(int number) const;           // by pidfd: a recycled pid is never hit
  Result<int> wait();                              // exit code, or 128 + signal
  pid_t release() noexcept { return std::exchange(pid_, -1); }  // it lives on without us

 private:
  pid_t pid_;
  UniqueFd pidfd_;
};

// What a waitpid status means to a shell: exit code, or 128 + signal.
int exit_code(int wait_status) noexcept;

struct Command {
  std::vector<std::string> argv;                     // argv[0] is looked up in PATH,
  std::string program = {};                          // unless this names the file
  std::optional<std::vector<std::string>> env = {};  // "K=V"; absent: ours
  int in = 0;                                        // descriptors that become 0, 1 and 2
  int out = 1;
  int err = 2;
};

// Starts a program with default signal dispositions and an empty signal mask;
// of our descriptors it gets the three named ones.
Result<ChildProcess> start(const Command& command);

struct Output {
  int status = 0;   // as ChildProcess::wait
  std::string out;  // standard output
  std::string err;  // standard error
};

// Runs a program to its end: `input` on its standard input, at most `limit`
// bytes kept of each output (more is the error EFBIG), killed after `timeout`
// (ETIMEDOUT; none by default). in, out and err of `command` are not used.
struct RunOptions {
  std::string input = {};
  std::optional<std::chrono::milliseconds> timeout = {};
  std::size_t limit = kFileLimit;
};
Result<Output> run(const Command& command, const RunOptions& options = {});

// The path of a program of this project: beside our own executable, where a
// build or an installation puts it, else its bare name for PATH to find.
std::string sibling_program(const std::string& name);
