// SPDX-License-Identifier: Apache-2.0
// main.cc - shim: runs one container and keeps its output and its exit status.
#include <array>

#include "common/cli.h"

#include "run.h"

namespace {

using Kind = Option::Kind;

constexpr auto kGlobal = std::to_array<Option>({
    {"events", 0, Kind::Value, "PATH", "append events as JSON lines"},
});

}  // namespace

int main(int argc, char** argv) {
  const auto verbs = std::to_array<Verb>({
      {"run", cmd_run, "ID", "create, start and supervise a container", kRunOptions, 1, 1},
  });
  const Program program = {"shim", "Runs a container and keeps its output and its exit status.",
                           "shim 0.1\n", kGlobal, verbs};
  return run_program(program, argc, argv);
}
