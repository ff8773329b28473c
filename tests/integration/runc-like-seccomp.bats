#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Seccomp profiles as the container's processes feel them.
bats_require_minimum_version 1.5.0
load ../lib/common
load ../security/bundle

setup() {
  need jq busybox
  cd "$BATS_TEST_TMPDIR" || return
  id=$(unique_id)
  root=$BATS_TEST_TMPDIR/state
}

teardown() { runc-like --root "$root" delete --force "$id" 2>/dev/null || :; }

deny_mkdir='.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls:
  [{names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO", errnoRet: 122}]}'

@test "a refused call returns the errno of the profile" {
  make_bundle b "$deny_mkdir"
  shell_line b 'mkdir /tmp/x; grep Seccomp: /proc/self/status'
  run -0 runc-like --root "$root" run -b b "$id"
  [[ "$output" == *"mkdir"*"uota exceeded"* ]]
  [[ "$output" == *"Seccomp:"*2* ]]
}

@test "a profile that kills ends the process by SIGSYS" {
  make_bundle b '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls:
    [{names: ["mkdir", "mkdirat"], action: "SCMP_ACT_KILL_PROCESS"}]} | .process.args = ["mkdir", "/tmp/x"]'
  run runc-like --root "$root" run -b b "$id"
  [ "$status" -eq 159 ]
}

@test "conditions on arguments are looked at" {
  make_bundle b '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls:
    [{names: ["kill"], action: "SCMP_ACT_ERRNO", errnoRet: 122, args: [{index: 1, value: 10, op: "SCMP_CMP_EQ"}]}]}'
  shell_line b 'kill -12 $$ & kill -0 1 && echo allowed; kill -10 1'
  run runc-like --root "$root" run -b b "$id"
  [[ "$output" == *allowed* ]]
  [[ "$output" == *"uota exceeded"* ]]
}

@test "the profile holds without no_new_privs, for another user and for exec" {
  make_bundle b "$deny_mkdir"' | .process.noNewPrivileges = false | .process.user = {uid: 1000, gid: 1000}
    | .process.args = ["sleep", "1000"]'
  runc-like --root "$root" create -b b "$id"
  runc-like --root "$root" start "$id"
  run runc-like --root "$root" exec "$id" mkdir /tmp/x
  [ "$status" -ne 0 ]
  [[ "$output" == *"uota exceeded"* ]]
}

@test "an empty allow list still lets execve happen where it is named" {
  make_bundle b '.linux.seccomp = {defaultAction: "SCMP_ACT_ERRNO", syscalls: [{action: "SCMP_ACT_ALLOW", names:
    ["execve", "exit", "exit_group", "write", "brk", "arch_prctl", "set_tid_address", "set_robust_list", "rseq",
     "prlimit64", "readlink", "readlinkat", "getrandom", "mprotect", "uname", "getuid", "getpid", "mmap", "munmap",
     "fstat", "newfstatat", "ioctl", "prctl", "access", "openat", "read", "close", "rt_sigprocmask", "tgkill"]}]} |
    .process.args = ["echo", "alive"]'
  run -0 runc-like --root "$root" run -b b "$id"
  [ "$output" = alive ]
}

@test "the compiled filter is kept and used again" {
  make_bundle b "$deny_mkdir"
  shell_line b 'mkdir /tmp/x'
  run ! runc-like --root "$root" run -b b "$id"
  local entry
  entry=$(find "$root/.cache/seccomp" -type f)
  [ "$(wc -l <<<"$entry")" -eq 1 ]
  [ "$(stat -c '%a %u' "$root/.cache/seccomp")" = "700 $(id -u)" ]
  local inode
  inode=$(stat -c %i "$entry")
  run ! runc-like --root "$root" run -b b "$id"
  [[ "$output" == *"uota exceeded"* ]]
  [ "$(stat -c %i "$entry")" = "$inode" ]
}

@test "a cache that others could write is not believed" {
  make_bundle b "$deny_mkdir"
  shell_line b 'mkdir /tmp/x'
  run ! runc-like --root "$root" run -b b "$id"
  chmod 777 "$root/.cache/seccomp"
  : >"$(find "$root/.cache/seccomp" -type f)"
  run ! runc-like --root "$root" run -b b "$id"
  [[ "$output" == *"uota exceeded"* ]]
}

@test "a wrong profile is refused with its field" {
  make_bundle b '.linux.seccomp = {defaultAction: "SCMP_ACT_ALOW"}'
  run ! runc-like --root "$root" run -b b "$id"
  [[ "$output" == *"/linux/seccomp/defaultAction"*"SCMP_ACT_ALOW"* ]]
  make_bundle b '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["write"], action: "SCMP_ACT_NOTIFY"}]}'
  run ! runc-like --root "$root" run -b b "$id"
  [[ "$output" == *"SCMP_ACT_NOTIFY cannot be used for the write syscall"* ]]
}

@test "an unknown system call in a profile is no obstacle" {
  make_bundle b '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls:
    [{names: ["frobnicate", "mkdir"], action: "SCMP_ACT_ERRNO"}]} | .process.args = ["echo", "alive"]'
  run -0 --separate-stderr runc-like --root "$root" run -b b "$id"
  [ "$output" = alive ]
}
