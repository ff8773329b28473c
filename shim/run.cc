// SPDX-License-Identifier: Apache-2.0
// run.cc - `shim run` and `shim adopt`, in the foreground or detached.
#include "run.h"

#include <unistd.h>

#include <cstdio>
#include <utility>

#include "common/json.h"

#include "detach.h"
#include "process_info.h"
#include "seen_container.h"
#include "session.h"
#include "verbs.h"

namespace {

// A leftover may be replaced, a container that runs may not.
Result<void> refuse_lost(const RunCommand& options) {
  const auto state = SeenState::open(options.state_root, options.id);
  if (!state) return {};
  const auto seen = describe_container(*state, options.id);
  if (!seen || seen->status != "lost") return {};
  return Error{"container '" + options.id + "' already exists and runs without a shim", 0,
               "supervise it with shim adopt " + options.id};
}

Result<int> run_session(const RunCommand& options, Detachment* detachment) {
  TRY(refuse_lost(options));
  StateDir state = TRY(StateDir::create(options.state_root, options.id));
  return Session(options, std::move(state)).run(detachment);
}

std::string failure_text(const Error& error) {
  return "shim: run: " + error.text();
}

int run_detached(const RunCommand& options, Detachment detachment) {
  const auto status = run_session(options, &detachment);
  if (status) return *status;
  const int failed = status_of_failure(status.error());
  detachment.fail(failed, failure_text(status.error()));
  return failed;
}

// What our caller has open is not for the container, nor for us to hold for hours.
Result<void> close_inherited() {
  if (::close_range(STDERR_FILENO + 1, ~0U, 0) != 0) return errno_error("close", "descriptors");
  return {};
}

struct Config {
  RunCommand options;
  Session::Orphan orphan;
  std::uint64_t started = 0;  // see start_of_process()
};

// As the killed shim has written it.
Result<Config> read_config(const StateDir& state, const std::string& id,
                           const Arguments& arguments) {
  const std::string text = TRY(read_file_at(state.fd(), "config"));
  const JsonDocument document = TRY(JsonDocument::parse("config", text));
  const JsonView root = document.root();
  const auto number = [&](std::string_view key) -> Result<std::int64_t> {
    const JsonView value = TRY(root.at(key));
    return value.integer();
  };
  Config config;
  config.orphan.pid = static_cast<pid_t>(TRY(number("pid")));
  config.orphan.restarts = static_cast<unsigned>(TRY(number("restarts")));
  config.orphan.pipes = {static_cast<std::uint64_t>(TRY(number("outPipe"))),
                         static_cast<std::uint64_t>(TRY(number("errPipe")))};
  config.started = static_cast<std::uint64_t>(TRY(number("pidStart")));
  const JsonView directory = TRY(root.at("directory"));
  const std::string path = TRY(directory.string());
  if (::chdir(path.c_str()) != 0) return errno_error("enter", path);
  const JsonView options = TRY(root.at("options"));
  const std::vector<std::string> words = TRY(options.strings());
  auto parsed = TRY(parse_words(kRunOptions, words));
  config.options = TRY(parse_run({arguments.global, std::move(parsed.options), {id}}));
  config.options.detach = true;
  return config;
}

// Nobody saw its end: that is said to all who wait, and the rest is cleared away.
Result<int> bury(StateDir& state, const RunCommand& options) {
  TRY(state.record_unknown_exit());
  const Runtime runtime(options.runtime, "");
  if (!options.keep) {
    (void)runtime.run({"delete", "--force", options.id});
    state.own();
  }
  return Error{"'" + options.id + "' ended while it had no shim: its exit status is unknown"};
}

Result<int> adopt_session(const std::string& id, const Arguments& arguments,
                          Detachment& detachment) {
  StateDir state = TRY(StateDir::adopt(state_root(arguments.options), id));
  Config config = TRY(read_config(state, id, arguments));
  if (config.options.terminal)
    return Error{"'" + id + "' had a terminal, which went with its shim", ENOTTY,
                 "end it with the runtime's kill and delete"};
  const auto started = start_of_process(config.orphan.pid);
  if (!started || *started != config.started) return bury(state, config.options);
  state.own();
  return Session(std::move(config.options), std::move(state)).adopt(config.orphan, detachment);
}

}  // namespace

Result<int> cmd_run(const Arguments& arguments) {
  const RunCommand options = TRY(parse_run(arguments));
  TRY(close_inherited());
  if (options.detach) {
    auto fork = TRY(Detachment::begin());
    if (!fork.child) return fork.caller_status;
    return run_detached(options, std::move(*fork.child));
  }
  auto status = run_session(options, nullptr);
  if (status) return status;
  // A shell's statuses for a program that is not there or cannot be executed.
  const int failed = status_of_failure(status.error());
  if (failed == 1) return status;
  std::fprintf(stderr, "%s\n", failure_text(status.error()).c_str());
  return failed;
}

Result<int> cmd_adopt(const Arguments& arguments) {
  TRY(close_inherited());
  auto fork = TRY(Detachment::begin());
  if (!fork.child) return fork.caller_status;
  const std::string& id = arguments.positionals.at(0);
  const auto status = adopt_session(id, arguments, *fork.child);
  if (status) return *status;
  fork.child->fail(1, "shim: adopt: " + status.error().text());
  return 1;
}
