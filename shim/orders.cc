// SPDX-License-Identifier: Apache-2.0
// orders.cc - `shim resize` and `shim reopen`.
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
  return send_order(TRY(SeenState::open(state_root(arguments.options), id)), line);
}

}  // namespace

Result<void> send_order(const SeenState& state, const std::string& line) {
  // Without a reader nobody would ever obey: ENXIO.
  const UniqueFd fifo = TRY(open_at(state.fd(), "ctl", O_WRONLY | O_NONBLOCK));
  return write_all(fifo, line, "ctl");
}

const std::span<const Option> kStateOptions = kTable;

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
