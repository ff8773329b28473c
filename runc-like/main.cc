// SPDX-License-Identifier: Apache-2.0
// runc-like: an OCI runtime. The table of contents is the table of verbs.
#include <linux/close_range.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <unistd.h>

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
});

constexpr auto kDelete = std::to_array<Option>({
    {"force", 'f', Kind::Flag, "", "kill it first when it still runs; fine when it is gone"},
});

constexpr auto kVerbs = std::to_array<Verb>({
    {"create", cmd_create, "ID", "make a container from a bundle, up to its start", kCreate, 1, 1},
    {"start", cmd_start, "ID", "start the program of a created container", {}, 1, 1},
    {"run", cmd_run, "ID", "create, start, wait, delete", kRun, 1, 1},
    {"state", cmd_state, "ID", "print the state of a container as JSON", {}, 1, 1},
    {"list", cmd_list, "", "list the containers", kList, 0, 0},
    {"kill", cmd_kill, "ID [SIGNAL]", "send a signal (TERM) to its first process", kKill, 1, 2},
    {"delete", cmd_delete, "ID", "remove a stopped or created container", kDelete, 1, 1},
});

// As docker and podman parse it.
constexpr std::string_view kVersion =
    "runc-like version 0.2.0\n"
    "commit: none\n"
    "spec: 1.3.0\n";

void report(const Program&, const Arguments&, std::string_view verb, const Error& error) {
  log_error(verb, error);
}

constexpr Program kProgram = {"runc-like",
                              "an OCI runtime: runs containers from bundles",
                              kVersion,
                              kGlobal,
                              kVerbs,
                              1,
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
