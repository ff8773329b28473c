# SPDX-License-Identifier: Apache-2.0
# common.bash - what every integration test starts from. In a .bats file:
#   load ../lib/common
# PATH begins with the build's bin/ (tests/run sets BUILD_BIN). Each test has a
# directory of its own, $BATS_TEST_TMPDIR, and ids that no other test uses.

export PATH="${BUILD_BIN:?run the tests with tests/run}:$PATH"
export RUNC_LIKE_EVENTS=

# bats notes every line before it runs, so that it can name the one that failed.
# Under emulation the notes take longer than the lines: here the failing line is
# noted when it fails.
eval "trace_$(declare -f bats_setup_tracing)"
bats_setup_tracing() {
  trace_bats_setup_tracing
  trap - DEBUG
  trap note_failure ERR
}
note_failure() {
  BATS_ERROR_STATUS=${BATS_ERROR_STATUS:-$?}
  bats_capture_stack_trace
  bats_error_trap
}

# A bundle's rootfs from the distribution's static busybox: /bin/busybox and its
# usual names, /etc/passwd, /etc/group, /tmp, /proc, /sys, /dev. A copy of one that
# tests/run keeps while it runs.
make_busybox_rootfs() { # DIR
  mkdir -p "$1"
  [ -d "$TEST_CACHE/rootfs" ] || make_rootfs_template "$TEST_CACHE/rootfs"
  cp -a "$TEST_CACHE/rootfs/." "$1"
}

make_rootfs_template() { # DIR
  mkdir -p "$1.new"/{bin,etc,tmp,proc,sys,dev,root,var,run}
  cp "$(command -v busybox)" "$1.new/bin/busybox"
  local name
  for name in sh cat ls echo true false sleep id env mount umount hostname ps kill wc head tail \
    grep sed awk test mkdir rm ln cp touch stat readlink dd nc wget httpd ip ping ulimit printf \
    yes seq od tr cut date find xargs sort uniq sysctl nslookup vi uname dmesg chmod chown df du tty stty mknod; do
    ln -sf busybox "$1.new/bin/$name"
  done
  printf 'root:x:0:0:root:/root:/bin/sh\nalice:x:1000:1000::/home/alice:/bin/sh\n' >"$1.new/etc/passwd"
  printf 'root:x:0:\nstaff:x:50:alice\nalice:x:1000:\n' >"$1.new/etc/group"
  mv "$1.new" "$1"
}

# An id no other test or run uses at the same time.
unique_id() { printf 't%s-%s-%s' "$$" "${BATS_TEST_NUMBER:-0}" "$RANDOM"; }

is_cgroup2() { [ "$(stat -fc %T /sys/fs/cgroup)" = cgroup2fs ]; }

# Runs a command again and again until it succeeds: for events that only a state
# on disk or in the kernel shows. Fails after a minute (a slow machine under load).
eventually() { # CMD...
  local i
  for ((i = 0; i < 600; i++)); do
    "$@" && return 0
    read -rt 0.1 <> <(:) || :
  done
  "$@"
}

# The host's state that a container may touch; the same before and after is the
# proof that nothing was left behind.
# Few processes, because an emulated machine takes its time to start one. The first
# `ip netns add` after a boot mounts /run/netns, and leaves it there.
host_state() {
  {
    awk '$5 != "/run/netns" {print "mount", $5, $9, $10}' /proc/self/mountinfo
    printf 'link %s\n' /sys/class/net/*
    nft -s list ruleset 2>/dev/null | sed '/^#/d; s/^/nftables /'
    find /sys/fs/cgroup -mindepth 1 -type d \( -name 'systemd-*' -o -name '*.service' -o -name 'user@*' \) -prune -o \
      -type d -printf 'cgroup %p\n' 2>/dev/null
    find /run/runc-like /run/shim /run/netsetup -mindepth 1 ! -name lock -printf 'state %p\n' 2>/dev/null
  } | sort
}

# Files that hold the two states, for a readable difference when they differ.
remember_host_state() { host_state >"$BATS_TEST_TMPDIR/host.before"; }
assert_host_state_unchanged() {
  host_state >"$BATS_TEST_TMPDIR/host.after"
  diff -u "$BATS_TEST_TMPDIR/host.before" "$BATS_TEST_TMPDIR/host.after"
}

need() { # PROGRAM... : skip, naming the one that is missing
  local program
  for program in "$@"; do
    command -v "$program" >/dev/null || skip "$program is not installed"
  done
}
