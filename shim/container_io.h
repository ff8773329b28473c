// SPDX-License-Identifier: Apache-2.0
// container_io.h - what the container's process gets as 0, 1 and 2, and our ends of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "console.h"
#include "runtime.h"

struct IoWishes {
  bool terminal = false;
  bool input = false;
  bool passthrough = false;  // our own standard streams, nothing in between
  bool held = false;         // the container keeps its pipes open if we are killed
};

// The inode numbers of the pipes for output and error, 0 for none: by them the
// container's ends are found again.
struct OutputPipes {
  std::uint64_t out = 0;
  std::uint64_t err = 0;
};

class ContainerIo {
 public:
  // `directory` and `path` as for ConsoleSocket.
  static Result<ContainerIo> create(const IoWishes& wishes, FdRef directory,
                                    const std::string& path);

  // New read ends of pipes that a running process holds.
  static Result<ContainerIo> of_process(pid_t pid, const OutputPipes& pipes);

  RuntimeStdio runtime_side() const;
  OutputPipes pipes() const;
  const std::optional<ConsoleSocket>& console() const { return console_; }

  // While the runtime's create runs: takes the terminal, if there is to be one.
  Result<void> receive_console(const ChildProcess& runtime);
  // The runtime has its copies: from now on the end of the container's is the end.
  void close_runtime_side();

  // Our ends. With a terminal `out` is its master, `in` a duplicate of that.
  UniqueFd in;
  UniqueFd out;
  UniqueFd err;

 private:
  UniqueFd their_in_;
  UniqueFd their_out_;
  UniqueFd their_err_;
  bool passthrough_ = false;
  std::optional<ConsoleSocket> console_;
};
