// SPDX-License-Identifier: Apache-2.0
// run_options.cc - the command line of `shim run`.
#include <unistd.h>

#include <array>
#include <climits>
#include <cstdlib>

#include "common/child_process.h"

#include "duration.h"
#include "run.h"
#include "signal_name.h"
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
     "k8s-file:PATH, json:PATH, journald, syslog, '|PROGRAM', none, passthrough"},
    {"log-size-max", 0, Kind::Value, "BYTES", "rotate a log before it grows larger"},
    {"log-age-max", 0, Kind::Value, "TIME", "rotate a log that was begun so long ago"},
    {"log-max-files", 0, Kind::Value, "N", "how many rotated logs to keep (1)"},
    {"log-compress", 0, Kind::Flag, "", "compress rotated logs but the newest with zstd"},
    {"log-tag", 0, Kind::Value, "TAG", "for json, journald and syslog"},
    {"log-label", 0, Kind::List, "KEY=VALUE", "for json and journald"},
    {"restart", 0, Kind::Value, "POLICY", "no, on-failure[:N], always or unless-stopped (no)"},
    {"stop-signal", 0, Kind::Value, "SIGNAL",
     "what tells the container to stop (the one sent to us)"},
    {"stop-timeout", 0, Kind::Value, "TIME", "kill it when it has not stopped by then"},
    {"health-cmd", 0, Kind::Value, "COMMAND", "a shell command in the container: is it well?"},
    {"health-interval", 0, Kind::Value, "TIME", "between two checks (30s)"},
    {"health-timeout", 0, Kind::Value, "TIME", "a check that takes longer has failed (30s)"},
    {"health-retries", 0, Kind::Value, "N", "failures in a row that make it unhealthy (3)"},
    {"health-start-period", 0, Kind::Value, "TIME",
     "failures do not count so long after the start (0)"},
    {"health-on-failure", 0, Kind::Value, "ACTION", "none, or kill an unhealthy container (none)"},
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

Result<void> parse_labels(const Options& options, RunCommand& run) {
  run.labels.id = run.id;
  run.labels.name = run.id;
  run.labels.tag = options.value_or("log-tag", "");
  run.labels.fields = options.values("log-label");
  for (const std::string& field : run.labels.fields)
    if (field.find('=') == 0 || field.find('=') == std::string::npos)
      return Error{"--log-label '" + field + "' is not KEY=VALUE", EINVAL};
  return {};
}

Result<void> parse_health(const Options& options, HealthOptions& health) {
  health.command = options.value_or("health-cmd", "");
  health.interval = TRY(duration_of(options, "health-interval", health.interval));
  health.timeout = TRY(duration_of(options, "health-timeout", health.timeout));
  health.start_period = TRY(duration_of(options, "health-start-period", health.start_period));
  health.retries = static_cast<unsigned>(TRY(size_of(options, "health-retries", 3)));
  const std::string action = options.value_or("health-on-failure", "none");
  if (action != "none" && action != "kill")
    return Error{"--health-on-failure '" + action + "' is neither none nor kill", EINVAL};
  health.kills = action == "kill";
  if (health.retries == 0 || health.interval.count() == 0 || health.timeout.count() == 0)
    return Error{"health checks need an interval, a timeout and retries above 0", EINVAL};
  return {};
}

Result<void> parse_stop(const Options& options, RunCommand& run) {
  run.restart = TRY(RestartPolicy::parse(options.value_or("restart", "no")));
  if (const auto name = options.value("stop-signal")) {
    const auto number = signal_number(*name);
    if (!number) return Error{"--stop-signal '" + *name + "' is no signal", EINVAL};
    run.stop_signal = *number;
  }
  if (options.given("stop-timeout"))
    run.stop_timeout = TRY(duration_of(options, "stop-timeout", {}));
  return {};
}

Result<void> parse_logs(const Options& options, RunCommand& run) {
  for (const std::string& text : options.values("log")) {
    run.logs.push_back(TRY(parse_log_driver(text)));
    if (run.logs.back().is_file()) TRY(make_absolute(run.logs.back().path));
  }
  run.log_limits.size = TRY(size_of(options, "log-size-max", 0));
  run.log_limits.files = static_cast<unsigned>(TRY(size_of(options, "log-max-files", 1)));
  const auto age = TRY(duration_of(options, "log-age-max", {}));
  run.log_limits.age = std::chrono::ceil<std::chrono::seconds>(age).count();
  run.log_limits.compress = options.flag("log-compress");
  TRY(parse_labels(options, run));
  return check_logs(run);
}

// Every option once more, as words.
std::vector<std::string> words_of(const Options& options) {
  std::vector<std::string> words;
  for (const Option& option : kTable)
    for (const std::string& value : options.values(option.name))
      words.push_back("--" + std::string(option.name) +
                      (option.kind == Kind::Flag ? "" : "=" + value));
  return words;
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
  TRY(parse_logs(options, run));
  TRY(parse_health(options, run.health));
  TRY(parse_stop(options, run));
  run.directory = TRY(absolute("."));
  run.words = words_of(options);
  run.exit_file = options.value_or("exit-file", "");
  run.pid_file = options.value_or("pid-file", "");
  run.events = options.value_or("events", arguments.global.value_or("events", ""));
  run.terminal = options.flag("tty");
  run.input = options.flag("interactive");
  run.detach = options.flag("detach");
  run.keep = options.flag("keep");
  return run;
}
