#!/usr/bin/env bats
bats_require_minimum_version 1.5.0
# SPDX-License-Identifier: Apache-2.0
# The life of a container through runc-like alone: every verb, from a shell.

load ../lib/common

setup() {
  ROOT=$BATS_TEST_TMPDIR/state
  B=$BATS_TEST_TMPDIR/bundle
  mkdir -p "$B"
  make_busybox_rootfs "$B/rootfs"
  runc-like spec --bundle "$B"
  configure '.process.terminal = false'
  ID=$(unique_id)
}

teardown() {
  rt delete --force "$ID" || :
}

rt() { runc-like --root "$ROOT" "$@"; }

configure() { # JQ FILTER...
  jq "$@" <"$B/config.json" >"$B/config.new" && mv "$B/config.new" "$B/config.json"
}

command_is() { # WORD... : the container's program
  configure --args '.process.args = $ARGS.positional' -- "$@"
}

status_of() { rt state "$ID" | jq -r .status; }
has_status() { [ "$(status_of)" = "$1" ]; }

start_sleeper() {
  command_is sh -c 'trap "exit 3" TERM; while :; do sleep 1; done'
  rt create --bundle "$B" "$ID" </dev/null >"$BATS_TEST_TMPDIR/out" 2>&1
  rt start "$ID"
}

@test "run prints what the program prints and returns its status" {
  command_is sh -c 'echo out; echo err >&2; exit 7'
  run -7 --separate-stderr rt run --bundle "$B" "$ID"
  [ "$output" = out ] && [ "$stderr" = err ]
  [ ! -e "$ROOT/$ID" ]
}

@test "run returns 128 + signal for a program that a signal ended" {
  command_is sh -c 'kill -KILL $$'
  configure 'del(.linux.namespaces[] | select(.type == "pid"))'
  run -137 rt run --bundle "$B" "$ID"
}

@test "create, start, kill, delete: each state in its turn" {
  command_is sleep 1000
  rt create --bundle "$B" --pid-file "$BATS_TEST_TMPDIR/pid" "$ID" </dev/null >/dev/null 2>&1
  has_status created
  pid=$(cat "$BATS_TEST_TMPDIR/pid")
  [ "$(rt state "$ID" | jq .pid)" = "$pid" ]
  rt start "$ID"
  has_status running
  [ "$(tr '\0' ' ' <"/proc/$pid/cmdline")" = "sleep 1000 " ]
  run -1 rt delete "$ID"
  [[ $output == *"that is not stopped: running"* ]]
  rt kill "$ID" SIGKILL
  eventually has_status stopped
  [ "$(rt state "$ID" | jq .pid)" = 0 ]
  rt delete "$ID"
  run -1 rt state "$ID"
  [[ $output == *"container does not exist"* ]]
}

@test "start refuses what cannot be started, in the words that engines know" {
  start_sleeper
  run -1 rt start "$ID"
  [[ $output == *"cannot start an already running container"* ]]
  rt kill "$ID" KILL
  eventually has_status stopped
  run -1 rt start "$ID"
  [[ $output == *"cannot start a container that has stopped"* ]]
  run -1 rt kill "$ID" TERM
  [[ $output == *"container not running"* ]]
}

@test "an id in use, an impossible id, an unknown id" {
  start_sleeper
  run -1 rt create --bundle "$B" "$ID"
  [[ $output == *"container with given ID already exists"* ]]
  for bad in .. a/b '' 'a b' '$x'; do
    run -1 rt create --bundle "$B" "$bad"
    [[ $output == *"invalid container ID format"* ]]
  done
  run -1 rt kill no-such-container
  [[ $output == *"container does not exist"* ]]
  rt delete --force no-such-container
}

@test "list shows containers as a table, as JSON and as ids" {
  [ "$(rt list --format json)" = null ]
  start_sleeper
  rt list | grep -q "^$ID .* running "
  [ "$(rt list -f json | jq -r '.[0] | .id + " " + .status + " " + .owner')" = "$ID running root" ]
  [ "$(rt list -q)" = "$ID" ]
}

@test "kill takes names and numbers, with and without SIG" {
  command_is sh -c 'trap "echo got" USR1; echo ready; while :; do sleep 1 & wait; done'
  rt create --bundle "$B" "$ID" </dev/null >"$BATS_TEST_TMPDIR/out" 2>&1
  rt start "$ID"
  eventually grep -q ready "$BATS_TEST_TMPDIR/out"
  local n=0 name
  for name in USR1 sigusr1 SIGUSR1 10; do
    rt kill "$ID" "$name"
    n=$((n + 1))
    eventually has_lines got "$n"
  done
  run -1 rt kill "$ID" NOSUCH
  [[ $output == *"unknown signal 'NOSUCH'"* ]]
}
has_lines() { [ "$(grep -c "$1" "$BATS_TEST_TMPDIR/out")" -ge "$2" ]; }

@test "edits of the bundle after create mean nothing" {
  command_is sleep 1000
  rt create --bundle "$B" "$ID" </dev/null >/dev/null 2>&1
  echo garbage >"$B/config.json"
  rt start "$ID"
  rt exec "$ID" true
}

@test "pause stands still, resume goes on" {
  start_sleeper
  rt pause "$ID"
  has_status paused
  run -1 rt exec "$ID" true
  [[ $output == *"paused"* ]]
  rt resume "$ID"
  has_status running
  run -1 rt resume "$ID"
  [[ $output == *"container not paused"* ]]
}

@test "ps lists the processes of the container only" {
  start_sleeper
  pid=$(rt state "$ID" | jq .pid)
  rt ps --format json "$ID" | jq -e "index($pid) != null"
  rt ps "$ID" | head -1 | grep -q PID
  rt ps "$ID" | grep -q "$pid"
  ! rt ps "$ID" | grep -q bats
}

@test "limits of config.json and of update reach the cgroup" {
  configure '.linux.resources.pids.limit = 50 | .linux.resources.memory.limit = 67108864'
  start_sleeper
  limit() { cat "/sys/fs/cgroup$1" 2>/dev/null; }
  if is_cgroup2; then
    dir=$(sed -n 's/^0:://p' "/proc/$(rt state "$ID" | jq .pid)/cgroup")
    [ "$(limit "$dir/pids.max")" = 50 ] && [ "$(limit "$dir/memory.max")" = 67108864 ]
    rt update --pids-limit 60 "$ID"
    [ "$(limit "$dir/pids.max")" = 60 ]
  else
    dir=$(sed -n 's/^[0-9]*:pids://p' "/proc/$(rt state "$ID" | jq .pid)/cgroup")
    [ "$(limit "/pids$dir/pids.max")" = 50 ]
    rt update --pids-limit 60 "$ID"
    [ "$(limit "/pids$dir/pids.max")" = 60 ]
  fi
  echo '{"pids":{"limit":70}}' | rt update --resources - "$ID"
}

@test "a cgroup that an update made goes with the container" {
  start_sleeper
  rt update --pids-limit 60 "$ID"
  rt delete --force "$ID"
  [ -z "$(find /sys/fs/cgroup -name "*$ID*")" ]
}

@test "run forwards signals to the container" {
  command_is sh -c 'trap "exit 3" TERM; echo ready; while :; do sleep 1 & wait; done'
  runc-like --root "$ROOT" run --bundle "$B" "$ID" >"$BATS_TEST_TMPDIR/out" 2>&1 &
  runner=$!
  eventually grep -q ready "$BATS_TEST_TMPDIR/out"
  kill -TERM "$runner"
  status=0
  wait "$runner" || status=$?
  [ "$status" -eq 3 ]
}

@test "nothing is left of a container that has been deleted" {
  command_is sh -c 'echo hello'
  rt run --bundle "$B" "$ID"
  start_sleeper
  rt delete --force "$ID"
  ! grep -q "$BATS_TEST_TMPDIR" /proc/self/mountinfo || return 1
  [ -z "$(find /sys/fs/cgroup -name "*$ID*")" ]
  [ -z "$(ls "$ROOT")" ]
}

@test "init is small and hides the host's binary" {
  command_is sleep 1
  rt create --bundle "$B" --pid-file "$BATS_TEST_TMPDIR/pid" "$ID" </dev/null >/dev/null 2>&1
  pid=$(cat "$BATS_TEST_TMPDIR/pid")
  [[ $(readlink "/proc/$pid/exe") == *memfd:init* ]]
  [ "$(awk '/^Pss:/ {print $2}' "/proc/$pid/smaps_rollup")" -le 200 ]
}

@test "a container under 512 KiB of memory starts" {
  is_cgroup2 || [ -d /sys/fs/cgroup/memory ] || skip "no memory controller"
  configure '.linux.resources.memory.limit = 524288'
  command_is true
  rt run --bundle "$B" "$ID"
}

@test "explain prints the steps with their fields, without power" {
  rt explain "$B" | grep -q "mount 'proc' on '/proc' .*/mounts/0"
  rt explain --format json "$B" | jq -e '[.[].step] | index("pivot") != null'
  chmod -R a+rX "$BATS_TEST_TMPDIR" "$BATS_RUN_TMPDIR"
  command -v setpriv >/dev/null || skip "setpriv is not installed"
  setpriv --reuid 65534 --regid 65534 --clear-groups "$BUILD_BIN/runc-like" explain "$B" >/dev/null ||
    [ ! -x "$BUILD_BIN/runc-like" ]
}

@test "features and --version speak as engines expect" {
  rt features | jq -e '.ociVersionMin == "1.0.0" and (.linux.namespaces | index("time"))'
  runc-like --version | head -1 | grep -q '^runc-like version '
  runc-like --version | grep -q '^commit: '
}

@test "events are appended as JSON lines" {
  command_is true
  rt --events "$BATS_TEST_TMPDIR/events" run --bundle "$B" "$ID"
  [ "$(jq -r .event "$BATS_TEST_TMPDIR/events" | tr '\n' ' ')" = "create start exit delete " ]
}
