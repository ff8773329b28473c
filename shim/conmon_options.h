// SPDX-License-Identifier: Apache-2.0
// conmon_options.h - the command line of conmon, which podman and CRI-O write.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/cli.h"

#include "log_driver.h"
#include "runtime.h"

// What engines look for in --version: the release whose contract is kept.
inline constexpr std::string_view kConmonVersion = "conmon version 2.2.1\ncommit: shim-0.1\n";

struct ConmonCommand {
  int api = 0;
  std::string id;
  std::string uuid;
  std::string name;
  std::string bundle;  // empty: a legacy exec, without attach socket and control files
  std::string runtime;
  std::vector<std::string> runtime_args;
  std::vector<std::string> runtime_opts;
  std::string container_pidfile;
  std::string conmon_pidfile;
  std::vector<LogDriver> logs;
  LogLimits log_limits;
  std::optional<std::uint64_t> log_global_limit;
  LogLabels labels;
  std::string exit_dir;
  std::string persist_dir;
  std::vector<std::string> exit_command;
  long exit_delay = 0;
  long timeout = 0;
  std::string exec_spec;
  std::string restore;
  std::string socket_dir;
  std::string notify_socket;
  bool exec = false;
  bool exec_attach = false;
  bool terminal = false;
  bool input = false;
  bool leave_stdin_open = false;
  bool full_attach = false;
  bool systemd_cgroup = false;
  bool no_pivot = false;
  bool no_new_keyring = false;
  bool replace_listen_pid = false;
  bool sync = false;
  bool sync_log = true;
  bool syslog = false;
};

extern const std::span<const Option> kConmonOptions;

// Errors have conmon's texts, which engines show.
Result<ConmonCommand> parse_conmon(std::span<const std::string> words);

// "k8s-file:PATH", ":PATH", "PATH", "journald", "passthrough", "none", "off" or "null".
Result<LogDriver> parse_conmon_log(std::string_view text);

// The runtime's command line for it.
std::vector<std::string> runtime_words(const ConmonCommand& command,
                                       const std::string& console_socket);
