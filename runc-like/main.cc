// SPDX-License-Identifier: Apache-2.0
// runc-like: an OCI runtime. The table of contents is the table of verbs.
#include <linux/close_range.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "common/cli.h"

#include "log.h"
#include "verbs.h"

namespace {

using Kind = Option::Kind;

constexpr auto kGlobal = std::to_array<Option>({
    {"root", 0, Kind::Value, "DIR", "where the state of containers is kept"},
    {"log", 0, Kind::Value, "FILE", "write errors and warnings there too"},
    {"log-format", 0, Kind::Value, "text|json", "form of the log"},
    {"log-level", 0, Kind::Value, "LEVEL", "error, warning or debug"},
    {"debug", 0, Kind::Flag, "", "log more"},
    {"systemd-cgroup", 's', Kind::Flag, "", "let systemd make the cgroup"},
    {"cgroup-manager", 0, Kind::Value, "NAME", "cgroupfs, systemd or disabled"},
    {"rootless", 0, Kind::Value, "WORD", "true, false or auto; found out anyway"},
    {"events", 0, Kind::Value, "PATH", "append lifecycle events as JSON lines"},
});

constexpr auto kCreate = std::to_array<Option>({
    {"bundle", 'b', Kind::Value, "DIR", "the bundle; default: the working directory"},
    {"config", 'f', Kind::Value, "FILE", "another name for config.json"},
    {"console-socket", 0, Kind::Value, "PATH", "socket that receives the terminal"},
    {"pidfd-socket", 0, Kind::Value, "PATH", "socket that receives a pidfd of init"},
    {"pid-file", 0, Kind::Value, "PATH", "write the pid of init there"},
    {"no-pivot", 0, Kind::Flag, "", "chroot instead of pivot_root (root on a ramdisk)"},
    {"no-new-keyring", 0, Kind::Flag, "", "keep the caller's session keyring"},
    {"preserve-fds", 0, Kind::Value, "N", "pass descriptors 3 to 2+N on"},
    {"no-subreaper", 0, Kind::Flag, "", ""},
});

constexpr auto kRun = std::to_array<Option>({
    {"bundle", 'b', Kind::Value, "DIR", "the bundle; default: the working directory"},
    {"config", 'f', Kind::Value, "FILE", "another name for config.json"},
    {"console-socket", 0, Kind::Value, "PATH", "socket that receives the terminal"},
    {"pidfd-socket", 0, Kind::Value, "PATH", "socket that receives a pidfd of init"},
    {"pid-file", 0, Kind::Value, "PATH", "write the pid of init there"},
    {"no-pivot", 0, Kind::Flag, "", "chroot instead of pivot_root (root on a ramdisk)"},
    {"no-new-keyring", 0, Kind::Flag, "", "keep the caller's session keyring"},
    {"preserve-fds", 0, Kind::Value, "N", "pass descriptors 3 to 2+N on"},
    {"no-subreaper", 0, Kind::Flag, "", "do not adopt the container's orphans"},
    {"detach", 'd', Kind::Flag, "", "do not wait for its end"},
    {"keep", 0, Kind::Flag, "", "do not delete it at its end"},
});

constexpr auto kList = std::to_array<Option>({
    {"format", 'f', Kind::Value, "table|json", "form of the list"},
    {"quiet", 'q', Kind::Flag, "", "ids only"},
});

constexpr auto kKill = std::to_array<Option>({
    {"all", 'a', Kind::Flag, "", "every process of the container"},
    {"regex", 'r', Kind::Flag, "", "ID is a regular expression: every container that matches"},
});

constexpr auto kDelete = std::to_array<Option>({
    {"force", 'f', Kind::Flag, "", "kill it first when it still runs; fine when it is gone"},
    {"regex", 'r', Kind::Flag, "", "ID is a regular expression: every container that matches"},
});

constexpr auto kExec = std::to_array<Option>({
    {"process", 'p', Kind::Value, "FILE", "the process as JSON, instead of a command"},
    {"console-socket", 0, Kind::Value, "PATH", "socket that receives the terminal"},
    {"pidfd-socket", 0, Kind::Value, "PATH", "socket that receives a pidfd of the process"},
    {"cwd", 0, Kind::Value, "DIR", "its working directory"},
    {"env", 'e', Kind::List, "NAME=VALUE", "add to its environment"},
    {"tty", 't', Kind::Flag, "", "give it a terminal"},
    {"user", 'u', Kind::Value, "UID[:GID]", "run as this user"},
    {"additional-gids", 'g', Kind::List, "GID", "and in this group"},
    {"detach", 'd', Kind::Flag, "", "do not wait for its end"},
    {"pid-file", 0, Kind::Value, "PATH", "write its pid there"},
    {"process-label", 0, Kind::Value, "LABEL", "SELinux label"},
    {"apparmor", 0, Kind::Value, "PROFILE", "AppArmor profile"},
    {"no-new-privs", 0, Kind::Flag, "", "set no_new_privs"},
    {"cap", 'c', Kind::List, "NAME", "add a capability"},
    {"preserve-fds", 0, Kind::Value, "N", "pass descriptors 3 to 2+N on"},
    {"cgroup", 0, Kind::List, "[CTRL,...:]PATH", "put it into a cgroup below the container's"},
    {"ignore-paused", 0, Kind::Flag, "", "also when the container is paused"},
    {"no-new-keyring", 0, Kind::Flag, "", ""},
    {"no-subreaper", 0, Kind::Flag, "", ""},
});

constexpr auto kSpec = std::to_array<Option>({
    {"bundle", 'b', Kind::Value, "DIR", "where to write it"},
    {"file", 'f', Kind::Value, "FILE", "another name for config.json"},
    {"rootless", 0, Kind::Flag, "", "for a caller without power"},
});

constexpr auto kExplain = std::to_array<Option>({
    {"bundle", 'b', Kind::Value, "DIR", "the bundle; default: the working directory"},
    {"config", 'f', Kind::Value, "FILE", "another name for config.json"},
    {"format", 0, Kind::Value, "text|json", "form of the list"},
});

constexpr auto kValidate = std::to_array<Option>({
    {"bundle", 'b', Kind::Value, "DIR", "the bundle; default: the working directory"},
    {"config", 'f', Kind::Value, "FILE", "another name for config.json"},
    {"format", 0, Kind::Value, "text|json", "form of the findings"},
    {"no-host", 0, Kind::Flag, "", "look at the document only, not at this host"},
});

constexpr auto kDoctor = std::to_array<Option>({
    {"format", 0, Kind::Value, "text|json", "form of the list"},
});

constexpr auto kEvents = std::to_array<Option>({
    {"stats", 0, Kind::Flag, "", "once, and no more"},
    {"interval", 0, Kind::Value, "DURATION", "time from one to the next; default: 5s"},
});

constexpr auto kPs = std::to_array<Option>({
    {"format", 'f', Kind::Value, "table|json", "form of the list"},
});

constexpr auto kUpdate = std::to_array<Option>({
    {"resources", 'r', Kind::Value, "FILE", "linux.resources as JSON; - is standard input"},
    {"memory", 0, Kind::Value, "BYTES", "memory limit (512m)"},
    {"memory-reservation", 0, Kind::Value, "BYTES", "soft memory limit"},
    {"memory-swap", 0, Kind::Value, "BYTES", "limit of memory and swap together"},
    {"kernel-memory", 0, Kind::Value, "BYTES", "kernel memory limit (v1)"},
    {"kernel-memory-tcp", 0, Kind::Value, "BYTES", "kernel memory limit for TCP (v1)"},
    {"cpu-period", 0, Kind::Value, "US", "length of a period"},
    {"cpu-quota", 0, Kind::Value, "US", "CPU time in each period"},
    {"cpu-burst", 0, Kind::Value, "US", "CPU time that may be saved up"},
    {"cpu-share", 0, Kind::Value, "N", "CPU shares, against others"},
    {"cpu-idle", 0, Kind::Value, "0|1", "run only when nobody else does"},
    {"cpu-rt-period", 0, Kind::Value, "US", "length of a realtime period (v1)"},
    {"cpu-rt-runtime", 0, Kind::Value, "US", "realtime in each period (v1)"},
    {"cpuset-cpus", 0, Kind::Value, "LIST", "CPUs that it may use"},
    {"cpuset-mems", 0, Kind::Value, "LIST", "memory nodes that it may use"},
    {"blkio-weight", 0, Kind::Value, "N", "weight of its I/O, 10 to 1000"},
    {"pids-limit", 0, Kind::Value, "N", "processes at most"},
});

template <auto verb>
Result<int> logged(const Arguments& arguments) {
  TRY(set_up_log(arguments));
  return verb(arguments);
}

constexpr auto kVerbs = std::to_array<Verb>({
    {"create", logged<cmd_create>, "ID", "make a container from a bundle, up to its start", kCreate,
     1, 1},
    {"start", logged<cmd_start>, "ID", "start the program of a created container", {}, 1, 1},
    {"run", logged<cmd_run>, "ID", "create, start, wait, delete", kRun, 1, 1},
    {"state", logged<cmd_state>, "ID", "print the state of a container as JSON", {}, 1, 1},
    {"list", logged<cmd_list>, "", "list the containers", kList, 0, 0},
    {"kill", logged<cmd_kill>, "ID [SIGNAL]", "send a signal (TERM) to its first process", kKill, 1,
     2},
    {"delete", logged<cmd_delete>, "ID", "remove a stopped or created container", kDelete, 1, 1},
    {"exec", logged<cmd_exec>, "ID [COMMAND [ARGUMENT]...]", "run one more process in a container",
     kExec, 1, kAny, true},
    {"ps", logged<cmd_ps>, "ID [OPTION of ps(1)]...", "list the processes of a container", kPs, 1,
     kAny, true},
    {"pause", logged<cmd_pause>, "ID", "let a container stand still", {}, 1, 1},
    {"resume", logged<cmd_resume>, "ID", "let a paused container go on", {}, 1, 1},
    {"update", logged<cmd_update>, "ID", "change the limits of a container", kUpdate, 1, 1},
    {"events", logged<cmd_events>, "ID",
     "print what a container uses, and kills for want of memory", kEvents, 1, 1},
    {"spec", logged<cmd_spec>, "", "write a config.json to begin with", kSpec, 0, 0},
    {"explain", logged<cmd_explain>, "[BUNDLE]", "print each step that a bundle asks for, and why",
     kExplain, 0, 1},
    {"validate", logged<cmd_validate>, "[BUNDLE]", "find all that is wrong with a bundle",
     kValidate, 0, 1},
    {"doctor", logged<cmd_doctor>, "", "tell what this host can do and what it lacks", kDoctor, 0,
     0},
    {"features",
     logged<cmd_features>,
     "",
     "print what this runtime understands, as JSON",
     {},
     0,
     0},
});

// As docker and podman parse it.
constexpr std::string_view kVersion =
    "runc-like version 0.2.0\n"
    "commit: none\n"
    "spec: 1.3.0\n";

// 127 and 126 when it was the container's program that is missing or cannot be
// executed, as a shell says it.
int report(const Program&, const Arguments&, std::string_view verb, const Error& error) {
  log_error(verb, error);
  if (error.step != "find-program" && error.step != "execute") return 1;
  return error.code == ENOENT ? 127 : 126;
}

constexpr Program kProgram = {
    "runc-like", "an OCI runtime: runs containers from bundles", kVersion, kGlobal, kVerbs, 1,
    report};

}  // namespace

int main(int argc, char** argv) {
  if (::getauxval(AT_SECURE) != 0) {
    std::fputs("runc-like: refusing to run set-user-ID\n", stderr);
    return 1;
  }
  // What the caller left open is not for containers; --preserve-fds undoes this
  // for those that it names.
  (void)::syscall(SYS_close_range, 3, ~0U, CLOSE_RANGE_CLOEXEC);
  return run_program(kProgram, argc, argv);
}
