// SPDX-License-Identifier: Apache-2.0
// exec.cc - `shim exec`: one more process in a running container. The runtime does
// it; what is known here is which runtime, and where its state is.
#include <unistd.h>

#include "common/child_process.h"

#include "run.h"
#include "seen_container.h"
#include "verbs.h"

namespace {

using Kind = Option::Kind;

constexpr auto kTable = std::to_array<Option>({
    {"state-dir", 0, Kind::Value, "DIR", "where running shims show their state (/run/shim)"},
    {"tty", 't', Kind::Flag, "", "a terminal for the process"},
    {"detach", 'd', Kind::Flag, "", "do not wait for its end"},
    {"cwd", 0, Kind::Value, "DIR", "its working directory"},
    {"env", 'e', Kind::List, "NAME=VALUE", "one more variable"},
    {"user", 'u', Kind::Value, "UID[:GID]", "who runs it"},
});

void add_options(const Options& options, std::vector<std::string>& words) {
  for (const std::string_view flag : {"tty", "detach"})
    if (options.flag(flag)) words.push_back("--" + std::string(flag));
  for (const std::string_view name : {"cwd", "env", "user"})
    for (const std::string& value : options.values(name)) {
      words.push_back("--" + std::string(name));
      words.push_back(value);
    }
}

}  // namespace

const std::span<const Option> kExecOptions = kTable;

// The runtime takes our place: its terminal, its signals and its status are ours.
Result<int> cmd_exec(const Arguments& arguments) {
  const std::string& id = arguments.positionals.at(0);
  const SeenState state = TRY(SeenState::open(state_root(arguments.options), id));
  const SeenContainer container = TRY(describe_container(state, id));
  std::vector<std::string> words = {container.runtime};
  words.insert(words.end(), container.runtime_args.begin(), container.runtime_args.end());
  words.emplace_back("exec");
  add_options(arguments.options, words);
  words.insert(words.end(), arguments.positionals.begin(), arguments.positionals.end());
  std::vector<char*> argv;
  // execve's argv is char* for historical reasons only: nobody writes through it.
  for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  (void)::execvp(argv[0], argv.data());
  return errno_error("execute", words[0]);
}
