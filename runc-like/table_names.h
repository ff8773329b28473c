// SPDX-License-Identifier: Apache-2.0
// table_names.h - names of config.json and what the kernel calls them: namespaces,
// rlimits, signals, capabilities.
#pragma once

#include <linux/capability.h>
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

struct CapabilityName {
  std::string_view name;  // without "CAP_"
  unsigned number;
};
inline constexpr auto kCapabilities = std::to_array<CapabilityName>({
    {"AUDIT_CONTROL", CAP_AUDIT_CONTROL},
    {"AUDIT_READ", CAP_AUDIT_READ},
    {"AUDIT_WRITE", CAP_AUDIT_WRITE},
    {"BLOCK_SUSPEND", CAP_BLOCK_SUSPEND},
    {"BPF", CAP_BPF},
    {"CHECKPOINT_RESTORE", CAP_CHECKPOINT_RESTORE},
    {"CHOWN", CAP_CHOWN},
    {"DAC_OVERRIDE", CAP_DAC_OVERRIDE},
    {"DAC_READ_SEARCH", CAP_DAC_READ_SEARCH},
    {"FOWNER", CAP_FOWNER},
    {"FSETID", CAP_FSETID},
    {"IPC_LOCK", CAP_IPC_LOCK},
    {"IPC_OWNER", CAP_IPC_OWNER},
    {"KILL", CAP_KILL},
    {"LEASE", CAP_LEASE},
    {"LINUX_IMMUTABLE", CAP_LINUX_IMMUTABLE},
    {"MAC_ADMIN", CAP_MAC_ADMIN},
    {"MAC_OVERRIDE", CAP_MAC_OVERRIDE},
    {"MKNOD", CAP_MKNOD},
    {"NET_ADMIN", CAP_NET_ADMIN},
    {"NET_BIND_SERVICE", CAP_NET_BIND_SERVICE},
    {"NET_BROADCAST", CAP_NET_BROADCAST},
    {"NET_RAW", CAP_NET_RAW},
    {"PERFMON", CAP_PERFMON},
    {"SETFCAP", CAP_SETFCAP},
    {"SETGID", CAP_SETGID},
    {"SETPCAP", CAP_SETPCAP},
    {"SETUID", CAP_SETUID},
    {"SYSLOG", CAP_SYSLOG},
    {"SYS_ADMIN", CAP_SYS_ADMIN},
    {"SYS_BOOT", CAP_SYS_BOOT},
    {"SYS_CHROOT", CAP_SYS_CHROOT},
    {"SYS_MODULE", CAP_SYS_MODULE},
    {"SYS_NICE", CAP_SYS_NICE},
    {"SYS_PACCT", CAP_SYS_PACCT},
    {"SYS_PTRACE", CAP_SYS_PTRACE},
    {"SYS_RAWIO", CAP_SYS_RAWIO},
    {"SYS_RESOURCE", CAP_SYS_RESOURCE},
    {"SYS_TIME", CAP_SYS_TIME},
    {"SYS_TTY_CONFIG", CAP_SYS_TTY_CONFIG},
    {"WAKE_ALARM", CAP_WAKE_ALARM},
});
static_assert(sorted_by_name(kCapabilities));

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
