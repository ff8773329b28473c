#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# docker with runc-like as its runtime: a dockerd of the test's own, with its data
# and socket in the test's directory, without bridge and packet filter rules.
bats_require_minimum_version 1.5.0
load ../lib/common
load ../lib/pipeline

setup_file() {
  need dockerd docker containerd
  [ "$(stat -fc %T /sys/fs/cgroup)" != cgroup2fs ] || [ -w /sys/fs/cgroup/cgroup.procs ] ||
    skip "dockerd needs to write to the cgroup root"
  cd "$BATS_FILE_TMPDIR" || return
  # A short path: the socket's name may have 107 bytes.
  dir=$(mktemp -d /tmp/dockerd.XXXXXX)
  export dir DOCKER_HOST=unix://$dir/socket
  dockerd --data-root "$dir/data" --exec-root "$dir/exec" --pidfile "$dir/pid" -H "$DOCKER_HOST" \
    --iptables=false --ip6tables=false --bridge=none --storage-driver vfs \
    --add-runtime "ours=$BUILD_BIN/runc-like" --default-runtime ours >"$dir/log" 2>&1 3>&- &
  eventually docker version >/dev/null 2>&1 || { tail -n 5 "$dir/log" && return 1; }
  "$BATS_TEST_DIRNAME/../../contrib/busybox-rootfs" | docker import - busybox
}

teardown_file() {
  [ -n "${dir:-}" ] || return 0
  docker ps -aq | xargs -r docker rm -f >/dev/null 2>&1 || :
  local daemon
  daemon=$(cat "$dir/pid") && kill "$daemon" && eventually test ! -e "/proc/$daemon"
  awk -v d="$dir/" 'index($5, d) == 1 { print $5 }' /proc/self/mountinfo | sort -r | xargs -r -n 1 umount -l
  rm -rf "$dir"
  find /sys/fs/cgroup -depth -type d -path '*/docker*' -exec rmdir {} \; 2>/dev/null || :
}

teardown() { docker ps -aq 2>/dev/null | xargs -r docker rm -f >/dev/null 2>&1 || :; }

docker_run() { docker run --network none "$@" 3>&-; }

@test "run: output, exit status, removal" {
  run -0 docker_run --rm busybox echo hello
  [ "$output" = hello ]
  run -7 docker_run --rm busybox sh -c 'exit 7'
  run -0 docker ps -aq
  [ -z "$output" ]
}

@test "docker's seccomp profile, capabilities" {
  run -0 docker_run --rm busybox grep -E '^(Seccomp|CapEff):' /proc/self/status
  [[ "$output" == *"Seccomp:"*"2"* ]]
  [[ "$output" == *"CapEff:"*"00000000a80425fb"* ]]
}

@test "a command that does not exist is 127, one that is not executable 126" {
  run -127 docker_run --rm busybox nosuchcommand
  run -126 docker_run --rm busybox /etc/passwd
}

@test "exec, top, pause, stop, start, rm" {
  docker_run -d --name box busybox sh -c 'trap "exit 3" TERM; while :; do sleep 0.1; done'
  run -0 docker exec box sh -c 'echo in'
  [ "$output" = in ]
  run -5 docker exec box sh -c 'exit 5'
  run -0 docker top box
  [[ "$output" == *trap* ]]
  docker pause box
  [ "$(docker inspect -f '{{.State.Status}}' box)" = paused ]
  docker unpause box
  docker stop -t 60 box
  [ "$(docker inspect -f '{{.State.ExitCode}}' box)" = 3 ]
  docker start box
  [ "$(docker inspect -f '{{.State.Status}}' box)" = running ]
  docker rm -f box
}

@test "a terminal" {
  run -0 docker_run --rm -t busybox sh -c 'test -t 0 && test -t 1 && tty'
  [[ "$output" == /dev/pts/0* ]]
}

@test "limits, and a change of them while it runs" {
  docker_run -d --name box --memory 32m busybox sleep 600
  docker update --memory 48m --memory-swap 48m box
  run -0 docker exec box sh -c 'cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null; true'
  [ "$output" = 50331648 ]
}
