#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# podman with runc-like as its runtime: everything of its own (storage, state,
# network configuration) in the test's directory, and no network set up by it.
bats_require_minimum_version 1.5.0
load ../lib/common
load ../lib/pipeline

setup_file() {
  need podman conmon
  "$BATS_TEST_DIRNAME/../../contrib/busybox-rootfs" >"$BATS_FILE_TMPDIR/busybox.tar"
  podman_here import -q "$BATS_FILE_TMPDIR/busybox.tar" busybox
}

teardown_file() {
  podman_here rm -a -f -t 0 || :
  umount -l "$BATS_FILE_TMPDIR"/storage/vfs "$BATS_FILE_TMPDIR"/storage/overlay 2>/dev/null || :
  find /sys/fs/cgroup -depth -type d -path '*libpod_parent*' -exec rmdir {} \; 2>/dev/null || :
}

teardown() { podman_here rm -a -f -t 0 >/dev/null 2>&1 || :; }

podman_here() {
  local dir=$BATS_FILE_TMPDIR
  podman --root "$dir/storage" --runroot "$dir/run" --tmpdir "$dir/tmp" --storage-driver vfs \
    --network-config-dir "$dir/networks" --events-backend none --cgroup-manager cgroupfs \
    --runtime "$BUILD_BIN/runc-like" "$@" 3>&-
}

# podman asks for limits above its own, which root without CAP_SYS_RESOURCE may not give.
limits=(--ulimit nofile=1024:1024 --ulimit nproc=1024:1024)

podman_run() { podman_here run "${limits[@]}" --network none "$@"; }

said() { podman_here logs "$2" | grep -q "$1"; } # TEXT CONTAINER

@test "run: output, exit status, removal" {
  run -0 podman_run --rm busybox echo hello
  [ "$output" = hello ]
  run -7 podman_run --rm busybox sh -c 'exit 7'
  run -0 podman_here ps -aq
  [ -z "$output" ]
}

@test "run with podman's seccomp profile, capabilities and masks" {
  run -0 podman_run --rm busybox grep -E '^(Seccomp|CapEff|NoNewPrivs):' /proc/self/status
  [[ "$output" == *"Seccomp:"*"2"* ]]
  [[ "$output" == *"CapEff:"*"00000000800405fb"* ]] || [[ "$output" == *"CapEff:"*"00000000800425fb"* ]]
  run -0 podman_run --rm busybox sh -c 'ls -A /proc/acpi /sys/firmware 2>/dev/null | grep -v :; cat /proc/keys /proc/timer_list | wc -c'
  [ "${lines[*]}" = 0 ]
}

@test "a command that does not exist is 127, one that is not executable 126" {
  run -127 podman_run --rm busybox nosuchcommand
  run -126 podman_run --rm busybox /etc/passwd
}

@test "exec in a running container, with its own status" {
  podman_run -d --name c busybox sleep 600
  run -0 podman_here exec c sh -c 'echo in; hostname'
  [ "${lines[0]}" = in ]
  run -5 podman_here exec c sh -c 'exit 5'
  run -127 podman_here exec c nosuchcommand
  run -0 podman_here exec -u 1000 -w /tmp -e A=b c sh -c 'echo $(id -u) $PWD $A'
  [ "$output" = "1000 /tmp b" ]
}

@test "stop, start again, inspect, rm" {
  podman_run -d --name c busybox sh -c 'trap "exit 3" TERM; echo started; while :; do sleep 0.1; done'
  eventually said started c
  podman_here stop -t 60 c
  [ "$(podman_here inspect -f '{{.State.ExitCode}}' c)" = 3 ]
  podman_here start c
  [ "$(podman_here inspect -f '{{.State.Status}}' c)" = running ]
  podman_here kill c
  podman_here wait c
  podman_here rm c
}

@test "a terminal" {
  run -0 podman_run --rm -t busybox sh -c 'test -t 0 && test -t 1 && tty'
  [[ "$output" == /dev/pts/0* ]]
}

@test "volumes, tmpfs, read-only root, user, environment, hostname" {
  mkdir "$BATS_TEST_TMPDIR/data"
  echo from-host >"$BATS_TEST_TMPDIR/data/file"
  run podman_run --rm -v "$BATS_TEST_TMPDIR/data:/data:ro" --tmpfs /scratch --read-only -u 1000:1000 \
    -e COLOUR=blue --hostname named busybox sh -c 'cat /data/file; touch /data/x /x 2>/dev/null || echo read-only
      touch /scratch/x && echo scratch; echo $COLOUR $(hostname) $(id -u):$(id -g)'
  [ "$output" = "from-host
read-only
scratch
blue named 1000:1000" ]
}

@test "pause and unpause; top; limits" {
  podman_run -d --name c --memory 32m --pids-limit 50 busybox sleep 600
  podman_here pause c
  [ "$(podman_here inspect -f '{{.State.Status}}' c)" = paused ]
  podman_here unpause c
  run -0 podman_here top c pid comm
  [[ "$output" == *sleep* ]]
  run -0 podman_here exec c sh -c 'cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null; true'
  [ "$output" = 33554432 ]
}

@test "two containers share a pod's namespaces" {
  podman_run -d --name first busybox sleep 600
  run -0 podman_here run "${limits[@]}" --rm --network container:first --ipc container:first \
    --pid container:first busybox sh -c 'ps | grep -c "sleep 600"; readlink /proc/self/ns/net'
  [ "${lines[0]}" -ge 1 ]
  [ "${lines[1]}" = "$(podman_here exec first readlink /proc/self/ns/net)" ]
}
