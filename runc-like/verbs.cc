// SPDX-License-Identifier: Apache-2.0
#include "verbs.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "log.h"

std::string root_of(const Arguments& arguments) {
  if (const auto root = arguments.global.value("root")) {
    if (root->starts_with('/')) return *root;
    const auto here = real_path(".");
    return (here ? *here : std::string(".")) + "/" + *root;
  }
  const char* runtime = ::getenv("XDG_RUNTIME_DIR");
  if (::geteuid() != 0 && runtime != nullptr && *runtime != '\0')
    return std::string(runtime) + "/runc-like";
  return "/run/runc-like";
}

Result<CgroupManager> manager_of(const Arguments& arguments) {
  if (arguments.global.flag("systemd-cgroup")) return CgroupManager::Systemd;
  const std::string name = arguments.global.value_or("cgroup-manager", "cgroupfs");
  if (name == "cgroupfs") return CgroupManager::Cgroupfs;
  if (name == "systemd") return CgroupManager::Systemd;
  if (name == "disabled") return CgroupManager::Disabled;
  return Error{"unknown cgroup manager '" + name + "'; there are cgroupfs, systemd and disabled"};
}

EventLog events_of(const Arguments& arguments) {
  return EventLog::open("runc-like", arguments.global.value_or("events", ""));
}

namespace {

// Made absolute now: nothing later depends on the working directory.
Result<std::string> absolute(const std::string& path) {
  if (path.empty() || path.starts_with('/')) return path;
  return TRY(real_path(".")) + "/" + path;
}

}  // namespace

Result<LaunchOptions> launch_options(const Arguments& arguments) {
  const Options& given = arguments.options;
  LaunchOptions options;
  options.root = root_of(arguments);
  options.id = arguments.positionals[0];
  TRY(check_id(options.id));
  options.bundle = given.value_or("bundle", ".");
  options.config = given.value_or("config", "config.json");
  options.console_socket = TRY(absolute(given.value_or("console-socket", "")));
  options.pidfd_socket = TRY(absolute(given.value_or("pidfd-socket", "")));
  options.pid_file = TRY(absolute(given.value_or("pid-file", "")));
  options.manager = TRY(manager_of(arguments));
  options.no_pivot = given.flag("no-pivot");
  options.no_new_keyring = given.flag("no-new-keyring");
  const std::string fds = given.value_or("preserve-fds", "0");
  const auto count = parse_integer(fds);
  if (!count || *count < 0 || *count > 1024)
    return Error{"--preserve-fds: '" + fds + "' is no number"};
  options.preserve_fds = static_cast<unsigned>(*count);
  return options;
}

namespace {

// Before anything of ours takes the number of one that the caller forgot.
Result<void> check_preserved(const Options& given) {
  const auto count = parse_integer(given.value_or("preserve-fds", "0"));
  for (int fd = 3; count && fd < 3 + *count && fd < 1024; ++fd)
    if (::fcntl(fd, F_GETFD) < 0)
      return errno_error("preserve", "descriptor " + std::to_string(fd),
                         "the caller must have it open");
  return {};
}

}  // namespace

Result<void> set_up_log(const Arguments& arguments) {
  TRY(check_preserved(arguments.options));
  const std::string format = arguments.global.value_or("log-format", "text");
  if (format != "text" && format != "json" && !format.empty())
    return Error{"invalid log-format: " + format};
  const std::string level = arguments.global.value_or("log-level", "warning");
  if (level != "error" && level != "warning" && level != "debug")
    return Error{"invalid log-level: " + level, 0, "error, warning and debug are known"};
  return open_log(arguments.global.value_or("log", ""),
                  format == "json" ? LogFormat::Json : LogFormat::Text,
                  level != "error" || arguments.global.flag("debug"));
}
