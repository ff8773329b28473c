// SPDX-License-Identifier: Apache-2.0
// main.cc - shim: runs one container and keeps its output and its exit status.
#include <array>

#include "common/cli.h"

#include "run.h"
#include "verbs.h"

namespace {

using Kind = Option::Kind;

constexpr auto kGlobal = std::to_array<Option>({
    {"events", 0, Kind::Value, "PATH", "append events as JSON lines"},
});

}  // namespace

int main(int argc, char** argv) {
  const auto verbs = std::to_array<Verb>({
      {"run", cmd_run, "ID", "create, start and supervise a container", kRunOptions, 1, 1},
      {"attach", cmd_attach, "ID", "join a running container's terminal", kAttachOptions, 1, 1},
      {"logs", cmd_logs, "ID", "print what a container has written", kLogsOptions, 1, 1},
      {"wait", cmd_wait, "ID...", "print the exit statuses of containers", kStateOptions, 1, kAny},
      {"resize", cmd_resize, "ID ROWS COLUMNS", "resize the terminal", kStateOptions, 3, 3},
      {"reopen", cmd_reopen, "ID", "reopen the logs after a rename", kStateOptions, 1, 1},
  });
  const Program program = {"shim", "Runs a container and keeps its output and its exit status.",
                           "shim 0.1\n", kGlobal, verbs};
  return run_program(program, argc, argv);
}
