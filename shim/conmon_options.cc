// SPDX-License-Identifier: Apache-2.0
#include "conmon_options.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <climits>

namespace {

using Kind = Option::Kind;

constexpr auto kTable = std::to_array<Option>({
    {"api-version", 0, Kind::Flag, "", "speak version 1 of the sync protocol"},
    {"bundle", 'b', Kind::Value, "DIR", "the bundle (default: the working directory)"},
    {"cid", 'c', Kind::Value, "ID", "the container"},
    {"cuuid", 'u', Kind::Value, "UUID", "the container, or an exec session of it, uniquely"},
    {"name", 'n', Kind::Value, "NAME", "the container's name, for journald"},
    {"runtime", 'r', Kind::Value, "PATH", "the OCI runtime"},
    {"runtime-arg", 0, Kind::List, "ARG", "an argument for the runtime, before its verb"},
    {"runtime-opt", 0, Kind::List, "ARG", "an argument for the runtime, after its verb"},
    {"restore-arg", 0, Kind::List, "ARG", ""},
    {"container-pidfile", 'p', Kind::Value, "FILE", "the runtime writes the container's pid here"},
    {"pidfile", 0, Kind::Value, "FILE", ""},
    {"conmon-pidfile", 'P', Kind::Value, "FILE", "the pid of this monitor"},
    {"log-path", 'l', Kind::List, "DRIVER[:PATH]",
     "k8s-file:PATH, journald, passthrough or none; several times"},
    {"log-level", 0, Kind::Value, "LEVEL", "error, warn, info, debug or trace"},
    {"log-size-max", 0, Kind::Value, "BYTES", "rotate the log before it grows larger"},
    {"log-global-size-max", 0, Kind::Value, "BYTES", "log no more than this in all"},
    {"log-rotate", 0, Kind::Flag, "", "keep rotated logs (always so here)"},
    {"log-max-files", 0, Kind::Value, "N", "how many rotated logs to keep (1)"},
    {"log-allowlist-dir", 0, Kind::List, "DIR", "where logs may be rotated"},
    {"log-tag", 0, Kind::Value, "TAG", "a tag for journald"},
    {"log-label", 0, Kind::List, "KEY=VALUE", "one more field for journald"},
    {"no-container-partial-message", 0, Kind::Flag, "",
     "journald: no CONTAINER_PARTIAL_MESSAGE field"},
    {"exit-dir", 0, Kind::Value, "DIR", "write the exit status to DIR/ID"},
    {"persist-dir", '0', Kind::Value, "DIR", "write exit status and oom marker to DIR"},
    {"exit-command", 0, Kind::Value, "PATH", "run this when the container has ended"},
    {"exit-command-arg", 0, Kind::List, "ARG", "an argument for it"},
    {"exit-delay", 0, Kind::Value, "SECONDS", "wait before it is run"},
    {"exec", 'e', Kind::Flag, "", "run one more process in the container"},
    {"exec-process-spec", 0, Kind::Value, "FILE", "that process, as JSON"},
    {"exec-attach", 0, Kind::Flag, "", "wait for a client before it runs"},
    {"stdin", 'i', Kind::Flag, "", "open standard input"},
    {"leave-stdin-open", 0, Kind::Flag, "", "a client's end is not the end of standard input"},
    {"terminal", 't', Kind::Flag, "", "a terminal for the process"},
    {"full-attach", 0, Kind::Flag, "", "the attach socket is in the bundle alone"},
    {"socket-dir-path", 0, Kind::Value, "DIR", "where UUID leads to the bundle (/var/run/crio)"},
    {"systemd-cgroup", 's', Kind::Flag, "", "the runtime makes cgroups through systemd"},
    {"no-pivot", 0, Kind::Flag, "", "passed to the runtime"},
    {"no-new-keyring", 0, Kind::Flag, "", "passed to the runtime"},
    {"restore", 0, Kind::Value, "DIR", "restore from a checkpoint in DIR"},
    {"sdnotify-socket", 0, Kind::Value, "PATH", "pass the container's notifications on to PATH"},
    {"replace-listen-pid", 0, Kind::Flag, "", "LISTEN_PID becomes the runtime's pid"},
    {"no-sync-log", 0, Kind::Flag, "", "do not fsync the log at the end"},
    {"sync", 0, Kind::Flag, "", "stay in the foreground"},
    {"syslog", 0, Kind::Flag, "", "messages of the monitor go to syslog"},
    {"timeout", 'T', Kind::Value, "SECONDS", "kill the container after this time"},
    {"seccomp-notify-socket", 0, Kind::Value, "PATH", ""},
    {"seccomp-notify-plugins", 0, Kind::Value, "LIST", ""},
    {"version", 0, Kind::Flag, "", "show the version"},
    {"help", 'h', Kind::Flag, "", "show this text"},
});

constexpr auto kLevels = std::to_array<std::string_view>(
    {"error", "fatal", "panic", "warn", "warning", "info", "debug", "trace"});

Result<long> number_of(const Options& options, std::string_view name, long otherwise) {
  const auto text = options.value(name);
  if (!text) return otherwise;
  const auto number = parse_integer(*text);
  if (!number)
    return Error{"option parsing failed: Cannot parse integer value '" + *text + "' for --" +
                 std::string(name)};
  return *number;
}

Result<void> check_level(const Options& options) {
  std::string level = options.value_or("log-level", "warning");
  std::ranges::transform(level, level.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (std::ranges::find(kLevels, level) == kLevels.end())
    return Error{"No such log level " + level};
  return {};
}

Result<void> parse_labels(const Options& options, ConmonCommand& out) {
  out.labels.id = out.id;
  out.labels.name = out.name;
  out.labels.tag = options.value_or("log-tag", "");
  out.labels.partial_field = !options.flag("no-container-partial-message");
  for (const std::string& label : options.values("log-label")) {
    const auto equals = label.find('=');
    const std::string key = label.substr(0, equals);
    const bool good = equals != std::string::npos && !key.empty() &&
                      label.find('=', equals + 1) == std::string::npos &&
                      std::ranges::all_of(key, [](unsigned char c) {
                        return std::isupper(c) != 0 || std::isdigit(c) != 0 || c == '_';
                      });
    if (!good) return Error{"log-label '" + label + "' must be KEY=VALUE, KEY of [A-Z0-9_]"};
    out.labels.fields.push_back(label);
  }
  return {};
}

Result<void> parse_logs(const Options& options, ConmonCommand& out) {
  for (const std::string& text : options.values("log-path"))
    out.logs.push_back(TRY(parse_conmon_log(text)));
  if (out.logs.empty()) return Error{"Log driver not provided. Use --log-path"};
  const bool journald = std::ranges::any_of(
      out.logs, [](const auto& l) { return l.kind == LogDriver::Kind::Journald; });
  if (options.given("log-tag") && !journald) return Error{"k8s-file doesn't support --log-tag"};
  const long size = TRY(number_of(options, "log-size-max", 0));
  if (size > 0) out.log_limits.size = static_cast<std::uint64_t>(size);
  const long files = TRY(number_of(options, "log-max-files", 1));
  if (files < 1) return Error{"log-max-files must be at least 1"};
  out.log_limits.files = static_cast<unsigned>(std::min(files, 10000L));
  const long all = TRY(number_of(options, "log-global-size-max", 0));
  if (all > 0) out.log_global_limit = static_cast<std::uint64_t>(all);
  return parse_labels(options, out);
}

Result<void> parse_runtime(const Options& options, ConmonCommand& out) {
  out.runtime = options.value_or("runtime", "");
  if (out.runtime.empty()) return Error{"Runtime path not provided. Use --runtime"};
  if (::access(out.runtime.c_str(), X_OK) != 0)
    return Error{"Runtime path " + out.runtime + " is not valid", errno};
  out.runtime_args = options.values("runtime-arg");
  out.runtime_opts = options.values("runtime-opt");
  for (const std::string& more : options.values("restore-arg")) out.runtime_opts.push_back(more);
  out.systemd_cgroup = options.flag("systemd-cgroup");
  out.no_pivot = options.flag("no-pivot");
  out.no_new_keyring = options.flag("no-new-keyring");
  out.restore = options.value_or("restore", "");
  return {};
}

Result<void> parse_process(const Options& options, ConmonCommand& out) {
  out.exec = options.flag("exec");
  out.exec_attach = options.flag("exec-attach");
  out.exec_spec = options.value_or("exec-process-spec", "");
  out.terminal = options.flag("terminal");
  out.input = options.flag("stdin");
  out.leave_stdin_open = options.flag("leave-stdin-open");
  out.replace_listen_pid = options.flag("replace-listen-pid");
  out.timeout = TRY(number_of(options, "timeout", 0));
  if (out.exec && !out.restore.empty())
    return Error{"Cannot use 'exec' and 'restore' at the same time"};
  if (out.exec && out.exec_spec.empty())
    return Error{"Exec process spec path not provided. Use --exec-process-spec"};
  if (out.exec_attach && !out.exec) return Error{"Attach can only be specified with exec"};
  if (out.exec_attach && out.api < 1)
    return Error{"Attach can only be specified for a non-legacy exec session"};
  return {};
}

Result<void> parse_places(const Options& options, ConmonCommand& out) {
  std::array<char, PATH_MAX> here = {};
  if (::getcwd(here.data(), here.size()) == nullptr)
    return Error{"Failed to get working directory", errno};
  out.bundle = options.value_or("bundle", out.exec ? "" : here.data());
  out.container_pidfile = options.value_or(
      "container-pidfile",
      options.value_or("pidfile", std::string(here.data()) + "/pidfile-" + out.id));
  out.conmon_pidfile = options.value_or("conmon-pidfile", "");
  out.exit_dir = options.value_or("exit-dir", "");
  out.persist_dir = options.value_or("persist-dir", "");
  out.full_attach = options.flag("full-attach");
  out.socket_dir = options.value_or("socket-dir-path", "/var/run/crio");
  out.notify_socket = options.value_or("sdnotify-socket", "");
  if (const auto command = options.value("exit-command")) {
    out.exit_command.push_back(*command);
    for (const std::string& word : options.values("exit-command-arg"))
      out.exit_command.push_back(word);
  }
  out.exit_delay = TRY(number_of(options, "exit-delay", 0));
  return {};
}

}  // namespace

const std::span<const Option> kConmonOptions = kTable;

Result<LogDriver> parse_conmon_log(std::string_view text) {
  const auto colon = text.find(':');
  const std::string_view name = text.substr(0, colon);
  const std::string_view path = colon == std::string_view::npos ? "" : text.substr(colon + 1);
  if (text.empty() || text == ":") return Error{"log-path must not be empty"};
  if (name == "journald") return LogDriver{LogDriver::Kind::Journald, ""};
  if (name == "passthrough") return LogDriver{LogDriver::Kind::Passthrough, ""};
  if (name == "none" || name == "off" || name == "null")
    return LogDriver{LogDriver::Kind::None, ""};
  if (name == "k8s-file" && path.empty()) return Error{"k8s-file requires a filename"};
  if (name == "k8s-file" || name.empty())
    return LogDriver{LogDriver::Kind::K8sFile, std::string(path)};
  if (colon == std::string_view::npos)
    return LogDriver{LogDriver::Kind::K8sFile, std::string(text)};
  return Error{"No such log driver " + std::string(name)};
}

Result<ConmonCommand> parse_conmon(std::span<const std::string> words) {
  auto parsed = parse_words(kTable, words);
  if (!parsed) {
    std::string why = parsed.error().what;
    std::erase(why, '\'');
    if (why.starts_with("unknown")) why[0] = 'U';
    return Error{"option parsing failed: " + why};
  }
  const Options& options = parsed->options;
  ConmonCommand out;
  out.api = options.flag("api-version") ? 1 : 0;
  out.id = options.value_or("cid", "");
  out.uuid = options.value_or("cuuid", "");
  out.name = options.value_or("name", "");
  out.sync = options.flag("sync");
  out.sync_log = !options.flag("no-sync-log");
  out.syslog = options.flag("syslog");
  if (out.id.empty()) return Error{"Container ID not provided. Use --cid"};
  TRY(check_level(options));
  if (out.uuid.empty() && (!options.flag("exec") || out.api >= 1))
    return Error{"Container UUID not provided. Use --cuuid"};
  TRY(parse_runtime(options, out));
  TRY(parse_process(options, out));
  TRY(parse_places(options, out));
  TRY(parse_logs(options, out));
  return out;
}

std::vector<std::string> runtime_words(const ConmonCommand& command,
                                       const std::string& console_socket) {
  std::vector<std::string> words = {command.runtime};
  const auto add = [&](std::initializer_list<std::string> more) {
    words.insert(words.end(), more.begin(), more.end());
  };
  if (command.systemd_cgroup && !command.exec) add({"--systemd-cgroup"});
  words.insert(words.end(), command.runtime_args.begin(), command.runtime_args.end());
  if (command.exec) {
    add({"exec", "--pid-file", command.container_pidfile, "--process", command.exec_spec,
         "--detach"});
  } else {
    add({command.restore.empty() ? "create" : "restore", "--bundle", command.bundle, "--pid-file",
         command.container_pidfile});
    if (!command.restore.empty())
      add({"--detach", "--image-path", command.restore, "--work-path", command.bundle});
    if (command.no_pivot) add({"--no-pivot"});
    if (command.no_new_keyring) add({"--no-new-keyring"});
  }
  words.insert(words.end(), command.runtime_opts.begin(), command.runtime_opts.end());
  if (!console_socket.empty()) add({"--console-socket", console_socket});
  add({command.id});
  return words;
}
