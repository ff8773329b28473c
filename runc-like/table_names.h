// SPDX-License-Identifier: Apache-2.0
// table_names.h - names of config.json and what the kernel calls them: namespaces,
// rlimits, signals. (Capabilities: libcap knows them, see capability.h.)
#pragma once

#include <sched.h>
#include <signal.h>
#include <sys/resource.h>

#include <cstdint>
#include <optional>

#include "tables.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

struct NamespaceName {
  std::string_view name;  // in config.json
  std::uint64_t flag;
  std::string_view file;  // below /proc/PID/ns
};
inline constexpr auto kNamespaces = std::to_array<NamespaceName>({
    {"cgroup", CLONE_NEWCGROUP, "cgroup"},
    {"ipc", CLONE_NEWIPC, "ipc"},
    {"mount", CLONE_NEWNS, "mnt"},
    {"network", CLONE_NEWNET, "net"},
    {"pid", CLONE_NEWPID, "pid"},
    {"time", CLONE_NEWTIME, "time"},
    {"user", CLONE_NEWUSER, "user"},
    {"uts", CLONE_NEWUTS, "uts"},
});
static_assert(sorted_by_name(kNamespaces));

struct RlimitName {
  std::string_view name;
  int resource;
};
inline constexpr auto kRlimits = std::to_array<RlimitName>({
    {"RLIMIT_AS", RLIMIT_AS},
    {"RLIMIT_CORE", RLIMIT_CORE},
    {"RLIMIT_CPU", RLIMIT_CPU},
    {"RLIMIT_DATA", RLIMIT_DATA},
    {"RLIMIT_FSIZE", RLIMIT_FSIZE},
    {"RLIMIT_LOCKS", RLIMIT_LOCKS},
    {"RLIMIT_MEMLOCK", RLIMIT_MEMLOCK},
    {"RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE},
    {"RLIMIT_NICE", RLIMIT_NICE},
    {"RLIMIT_NOFILE", RLIMIT_NOFILE},
    {"RLIMIT_NPROC", RLIMIT_NPROC},
    {"RLIMIT_RSS", RLIMIT_RSS},
    {"RLIMIT_RTPRIO", RLIMIT_RTPRIO},
    {"RLIMIT_RTTIME", RLIMIT_RTTIME},
    {"RLIMIT_SIGPENDING", RLIMIT_SIGPENDING},
    {"RLIMIT_STACK", RLIMIT_STACK},
});
static_assert(sorted_by_name(kRlimits));

struct SignalName {
  std::string_view name;  // without "SIG"
  int number;
};
inline constexpr auto kSignals = std::to_array<SignalName>({
    {"ABRT", SIGABRT}, {"ALRM", SIGALRM}, {"BUS", SIGBUS},       {"CHLD", SIGCHLD},
    {"CLD", SIGCHLD},  {"CONT", SIGCONT}, {"FPE", SIGFPE},       {"HUP", SIGHUP},
    {"ILL", SIGILL},   {"INT", SIGINT},   {"IO", SIGIO},         {"IOT", SIGABRT},
    {"KILL", SIGKILL}, {"PIPE", SIGPIPE}, {"POLL", SIGPOLL},     {"PROF", SIGPROF},
    {"PWR", SIGPWR},   {"QUIT", SIGQUIT}, {"SEGV", SIGSEGV},     {"STKFLT", SIGSTKFLT},
    {"STOP", SIGSTOP}, {"SYS", SIGSYS},   {"TERM", SIGTERM},     {"TRAP", SIGTRAP},
    {"TSTP", SIGTSTP}, {"TTIN", SIGTTIN}, {"TTOU", SIGTTOU},     {"URG", SIGURG},
    {"USR1", SIGUSR1}, {"USR2", SIGUSR2}, {"VTALRM", SIGVTALRM}, {"WINCH", SIGWINCH},
    {"XCPU", SIGXCPU}, {"XFSZ", SIGXFSZ},
});
static_assert(sorted_by_name(kSignals));

// "9", "KILL", "sigkill", "SIGRTMIN+3"; nothing when it is none.
std::optional<int> signal_number(std::string_view word);
