# SPDX-License-Identifier: Apache-2.0
# podman with the shim in conmon's place and runc-like as its runtime: a container's
# whole life, as podman sees it.
# shellcheck disable=SC2016,SC2154 # the inner shell expands; bats sets output
bats_require_minimum_version 1.5.0
load ../lib/common
load ../lib/pipeline

setup_file() {
  need podman
  "$BATS_TEST_DIRNAME/../../contrib/busybox-rootfs" >"$BATS_FILE_TMPDIR/busybox.tar"
  podman_here import -q "$BATS_FILE_TMPDIR/busybox.tar" busybox
}

teardown_file() {
  podman_here rm -a -f -t 0 || :
  umount -l "$BATS_FILE_TMPDIR"/storage/vfs "$BATS_FILE_TMPDIR"/storage/overlay 2>/dev/null || :
}

teardown() { podman_here rm -a -f -t 0 >/dev/null 2>&1 || :; }

podman_here() {
  local dir=$BATS_FILE_TMPDIR
  podman --root "$dir/storage" --runroot "$dir/run" --tmpdir "$dir/tmp" --storage-driver vfs \
    --network-config-dir "$dir/networks" --events-backend file --cgroup-manager cgroupfs \
    --conmon "$BUILD_BIN/shim" --runtime "$BUILD_BIN/runc-like" "$@" 3>&-
}

# podman asks for limits above its own, which root without CAP_SYS_RESOURCE may not give.
limits=(--ulimit nofile=1024:1024 --ulimit nproc=1024:1024)

# Not to the journal, which podman chooses where there is one: it would follow that
# only with the journal for its events too.
podman_run() { podman_here run "${limits[@]}" --network none --log-driver k8s-file "$@"; }

status_is() { [ "$(podman_here inspect -f '{{.State.Status}}' "$1")" = "$2" ]; }
said() { podman_here logs "$2" 2>&1 | grep -q "$1"; } # TEXT CONTAINER

@test "run: output, error, input, status" {
  run -5 --separate-stderr podman_run --rm busybox sh -c 'echo out; echo err >&2; exit 5'
  [ "$output" = out ]
  [ "$stderr" = err ]
  run -0 podman_run --rm -i busybox cat < <(echo through)
  [ "$output" = through ]
  run -127 podman_run --rm busybox nosuchcommand
  run -126 podman_run --rm busybox /etc/passwd
}

@test "exec: status, input, detached, and a command that is not there" {
  podman_run -d --name c busybox sleep 600
  run -3 podman_here exec c sh -c 'echo in; exit 3'
  [ "$output" = in ]
  run -0 podman_here exec -i c cat < <(echo through)
  [ "$output" = through ]
  podman_here exec -d c sh -c 'echo ready >/tmp/detached'
  eventually podman_here exec c grep -q ready /tmp/detached
  run -127 podman_here exec c nosuchcommand
}

@test "logs, followed to the end; the status is kept" {
  podman_run -d --name c busybox sh -c 'echo one; sleep 1; echo two; exit 6'
  run -0 podman_here logs -f c
  [ "$output" = $'one\ntwo' ]
  run -0 podman_here wait c
  [ "$output" = 6 ]
  [ "$(podman_here inspect -f '{{.State.ExitCode}}' c)" = 6 ]
}

@test "stop, start, restart, kill" {
  podman_run -d --name c busybox sh -c 'trap "exit 3" TERM; echo started; while :; do sleep 0.1; done'
  eventually said started c
  podman_here stop -t 60 c
  [ "$(podman_here inspect -f '{{.State.ExitCode}}' c)" = 3 ]
  podman_here start c
  status_is c running
  podman_here restart -t 0 c
  status_is c running
  podman_here kill c
  podman_here wait c
  [ "$(podman_here inspect -f '{{.State.ExitCode}}' c)" = 137 ]
}

@test "a restart policy starts it again" {
  podman_run -d --name c --restart on-failure:2 busybox sh -c 'echo again; exit 1'
  eventually three_times c
}
three_times() { [ "$(podman_here logs "$1" | grep -c again)" -eq 3 ]; }

@test "a terminal" {
  need script
  export SHELL=$BASH # script's own, for the functions that it is given
  # An input without an end: at its end script may leave before it has read all.
  mkfifo "$BATS_TEST_TMPDIR/input"
  run -4 script -qec "$(declare -p BATS_FILE_TMPDIR BUILD_BIN limits; declare -f podman_here podman_run)
    podman_run -it --rm busybox sh -c 'test -t 0 && test -t 1 && echo terminal; exit 4'" /dev/null <>"$BATS_TEST_TMPDIR/input"
  [[ $output == *terminal* ]]
}
