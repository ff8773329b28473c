// SPDX-License-Identifier: Apache-2.0
// run_options.cc - the command line of `shim run`.
#include <unistd.h>

#include <array>
#include <climits>
#include <cstdlib>

#include "common/child_process.h"

#include "run.h"
#include "state_dir.h"

namespace {

using Kind = Option::Kind;

constexpr auto kTable = std::to_array<Option>({
    {"bundle", 'b', Kind::Value, "DIR", "the bundle: config.json and rootfs (default: here)"},
    {"runtime", 'r', Kind::Value, "PATH", "the OCI runtime (default: runc-like)"},
    {"root", 0, Kind::Value, "DIR", "the runtime's state directory"},
    {"runtime-arg", 0, Kind::List, "ARG", "one more global argument for the runtime"},
    {"systemd-cgroup", 0, Kind::Flag, "", "the runtime is to make cgroups through systemd"},
    {"state-dir", 0, Kind::Value, "DIR", "where running shims show their state (/run/shim)"},
    {"log", 'l', Kind::List, "DRIVER:PATH",
     "k8s-file:PATH, json:PATH, journald, none, passthrough"},
    {"log-size-max", 0, Kind::Value, "BYTES", "rotate a log before it grows larger"},
    {"log-max-files", 0, Kind::Value, "N", "how many rotated logs to keep (1)"},
    {"exit-file", 0, Kind::Value, "FILE", "write the exit status here as well"},
    {"pid-file", 0, Kind::Value, "FILE", "write the pid of the container's first process here"},
    {"events", 0, Kind::Value, "PATH", "append events as JSON lines"},
    {"tty", 't', Kind::Flag, "", "give the container a terminal"},
    {"interactive", 'i', Kind::Flag, "", "pass standard input on to the container"},
    {"detach", 'd', Kind::Flag, "", "return as soon as the container runs"},
    {"keep", 0, Kind::Flag, "", "keep the stopped container and the state directory"},
});

Result<std::uint64_t> size_of(const Options& options, std::string_view name, long otherwise) {
  const auto text = options.value(name);
  if (!text) return static_cast<std::uint64_t>(otherwise);
  const auto number = parse_integer(*text);
  if (!number || *number < 0)
    return Error{"--" + std::string(name) + " '" + *text + "' is no number", EINVAL};
  return static_cast<std::uint64_t>(*number);
}

Result<std::string> absolute(const std::string& path) {
  char* const real = ::realpath(path.c_str(), nullptr);
  if (real == nullptr) return errno_error("find bundle", path);
  std::string out(real);
  std::free(real);  // NOLINT(cppcoreguidelines-no-malloc): realpath allocates so
  return out;
}

// Others find the log by it, wherever they are.
Result<void> make_absolute(std::string& path) {
  if (path.empty() || path.front() == '/') return {};
  std::array<char, PATH_MAX> here = {};
  if (::getcwd(here.data(), here.size()) == nullptr)
    return errno_error("find", "working directory");
  path.insert(0, std::string(here.data()) + "/");
  return {};
}

RuntimeOptions runtime_of(const Options& options) {
  RuntimeOptions runtime;
  runtime.program = options.value_or("runtime", sibling_program("runc-like"));
  runtime.global = options.values("runtime-arg");
  if (const auto root = options.value("root")) {
    runtime.global.emplace_back("--root");
    runtime.global.push_back(*root);
  }
  if (options.flag("systemd-cgroup")) runtime.global.emplace_back("--systemd-cgroup");
  return runtime;
}

Result<void> check_logs(const RunCommand& run) {
  for (const LogDriver& log : run.logs)
    if (log.kind == LogDriver::Kind::Passthrough && (run.logs.size() > 1 || run.terminal))
      return Error{"log driver 'passthrough' goes with no other and with no terminal", EINVAL};
  return {};
}

}  // namespace

const std::span<const Option> kRunOptions = kTable;

std::string state_root(const Options& options) {
  if (const auto given = options.value("state-dir")) return *given;
  const char* const own = std::getenv("XDG_RUNTIME_DIR");
  if (::geteuid() != 0 && own != nullptr) return std::string(own) + "/shim";
  return kStateRoot;
}

Result<RunCommand> parse_run(const Arguments& arguments) {
  const Options& options = arguments.options;
  RunCommand run;
  run.id = arguments.positionals.at(0);
  run.bundle = TRY(absolute(options.value_or("bundle", ".")));
  run.runtime = runtime_of(options);
  run.state_root = state_root(options);
  for (const std::string& text : options.values("log")) {
    run.logs.push_back(TRY(parse_log_driver(text)));
    TRY(make_absolute(run.logs.back().path));
  }
  run.log_limits.size = TRY(size_of(options, "log-size-max", 0));
  run.log_limits.files = static_cast<unsigned>(TRY(size_of(options, "log-max-files", 1)));
  run.exit_file = options.value_or("exit-file", "");
  run.pid_file = options.value_or("pid-file", "");
  run.events = options.value_or("events", arguments.global.value_or("events", ""));
  run.terminal = options.flag("tty");
  run.input = options.flag("interactive");
  run.detach = options.flag("detach");
  run.keep = options.flag("keep");
  TRY(check_logs(run));
  return run;
}
