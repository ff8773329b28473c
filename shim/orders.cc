// SPDX-License-Identifier: Apache-2.0
// orders.cc - `shim wait`, `shim resize` and `shim reopen`.
#include <cstdio>

#include "run.h"
#include "state_dir.h"
#include "verbs.h"

namespace {

constexpr auto kTable = std::to_array<Option>({
    {"state-dir", 0, Option::Kind::Value, "DIR",
     "where running shims show their state (/run/shim)"},
});

Result<void> order(const Arguments& arguments, const std::string& line) {
  const std::string& id = arguments.positionals.at(0);
  const SeenState state = TRY(SeenState::open(state_root(arguments.options), id));
  // Without a reader nobody would ever obey: ENXIO.
  const UniqueFd fifo = TRY(open_at(state.fd(), "ctl", O_WRONLY | O_NONBLOCK));
  return write_all(fifo, line, "ctl");
}

}  // namespace

const std::span<const Option> kStateOptions = kTable;

// Prints the statuses in the order of the ids, each as soon as it is known. As a
// shell's wait, it ends with that of the last one.
Result<int> cmd_wait(const Arguments& arguments) {
  std::vector<SeenState> states;
  for (const std::string& id : arguments.positionals)
    states.push_back(TRY(SeenState::open(state_root(arguments.options), id)));
  int status = 0;
  for (const SeenState& state : states) {
    status = TRY(state.wait_exit());
    std::printf("%d\n", status);
    std::fflush(stdout);
  }
  return status;
}

Result<int> cmd_resize(const Arguments& arguments) {
  for (std::size_t i : {std::size_t{1}, std::size_t{2}}) {
    const auto number = parse_integer(arguments.positionals.at(i));
    if (!number || *number < 0 || *number > 1000)
      return Error{"'" + arguments.positionals.at(i) + "' is no size between 0 and 1000"};
  }
  TRY(order(arguments, "1 " + arguments.positionals[1] + " " + arguments.positionals[2] + "\n"));
  return 0;
}

Result<int> cmd_reopen(const Arguments& arguments) {
  TRY(order(arguments, "2 0 0\n"));
  return 0;
}
