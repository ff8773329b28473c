// SPDX-License-Identifier: Apache-2.0
// main.cc - shim: runs one container and keeps its output and its exit status.
#include <array>
#include <cstdio>
#include <string_view>

#include "common/cli.h"

#include "conmon.h"
#include "conmon_options.h"
#include "run.h"
#include "verbs.h"

namespace {

using Kind = Option::Kind;
using std::string_view_literals::operator""sv;

constexpr auto kGlobal = std::to_array<Option>({
    {"events", 0, Kind::Value, "PATH", "append events as JSON lines"},
});

}  // namespace

int main(int argc, char** argv) {
  const auto verbs = std::to_array<Verb>({
      {"run", cmd_run, "ID", "create, start and supervise a container", kRunOptions, 1, 1},
      {"adopt", cmd_adopt, "ID", "supervise a container whose shim was killed", kStateOptions, 1,
       1},
      {"attach", cmd_attach, "ID", "join a running container's terminal", kAttachOptions, 1, 1},
      {"exec", cmd_exec, "ID COMMAND...", "run one more process in a container", kExecOptions, 2,
       kAny, true},
      {"logs", cmd_logs, "ID", "print what a container has written", kLogsOptions, 1, 1},
      {"ps", cmd_ps, "", "list containers", kPsOptions},
      {"stats", cmd_stats, "[ID...]", "print what containers use", kStatsOptions, 0, kAny},
      {"stop", cmd_stop, "ID...", "stop containers and wait for their ends", kStopOptions, 1, kAny},
      {"wait", cmd_wait, "ID...", "print the exit statuses of containers", kWaitOptions, 1, kAny},
      {"resize", cmd_resize, "ID ROWS COLUMNS", "resize the terminal", kStateOptions, 3, 3},
      {"reopen", cmd_reopen, "ID", "reopen the logs after a rename", kStateOptions, 1, 1},
  });
  const Program program = {"shim", "Runs a container and keeps its output and its exit status.",
                           kConmonVersion, kGlobal, verbs};
  if (is_conmon(argc, argv)) return run_conmon(argc, argv);
  const int status = run_program(program, argc, argv);
  if (argc == 2 && (argv[1] == "--help"sv || argv[1] == "-h"sv))
    std::printf("\nwithout a command, as conmon:\n%s", describe(kConmonOptions).c_str());
  return status;
}
