#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What tells and changes nothing: validate, doctor, events.
bats_require_minimum_version 1.5.0
load ../lib/common
load ../lib/runtime

setup() { make_bundle; }
teardown() { remove_container; }

@test "validate finds nothing wrong with the default configuration" {
  configure '.process.args = ["/bin/sh"]'
  run -0 --separate-stderr runc-like validate "$B"
  [ -z "$output" ] && [ -z "$stderr" ]
}

@test "validate tells all findings at once: document, host and unknown fields" {
  configure '.process.rlimits = [{type: "RLIMIT_NOFILES", soft: 1, hard: 1}] |
    .hostname = 7 | .root.readOnly = true |
    .mounts += [{destination: "/x", type: "bind", source: "/no/such/place", options: ["bind"]}] |
    .hooks.poststop = [{path: "/no/such/hook"}]'
  run -1 runc-like validate "$B"
  [[ $output == *"error: /process/rlimits/0/type: unknown rlimit"* ]]
  [[ $output == *"error: /hostname: expected a string"* ]]
  [[ $output == *"warning: /root/readOnly: is not known and has no effect; did you mean 'readonly'?"* ]]
  [[ $output == *"error: /mounts/7/source: open '/no/such/place': No such file or directory (ENOENT)"* ]]
  [[ $output == *"error: /hooks/poststop/0/path: open '/no/such/hook'"* ]]
  runc-like validate --format json "$B" | jq -e 'map(select(.level == "error")) | length == 4'
}

@test "validate: a warning alone is no failure" {
  configure '.process.args = ["/bin/sh"] | .linux.noSuchThing = {}'
  run -0 runc-like validate --no-host "$B"
  [[ $output == "warning: /linux/noSuchThing: is not known and has no effect" ]]
}

@test "doctor finds this host able to run containers, as text and as JSON" {
  run -0 runc-like doctor
  [[ $output == *"Linux 5.14 or newer"*yes* ]]
  runc-like doctor --format json | jq -e 'map(select(.required and (.there | not))) == []'
}

@test "events --stats prints once what the container uses, in runc's form" {
  start_sleeper
  run -0 --separate-stderr rt events --stats "$ID"
  jq -e --arg id "$ID" '.type == "stats" and .id == $id and (.data.cpu.usage.total | type) == "number"
    and (.data.memory.raw | type) == "object" and (.data.blkio.ioServiceBytesRecursive | type) == "array"' <<<"$output"
  if is_cgroup2; then
    jq -e '.data.pids.current >= 1 and .data.memory.usage.usage > 0' <<<"$output"
  fi
}

@test "events streams until the container ends" {
  start_sleeper
  runc-like --root "$ROOT" events --interval 100ms "$ID" >"$BATS_TEST_TMPDIR/stream" 3>&- &
  local stream=$!
  eventually grep -q '"type":"stats"' "$BATS_TEST_TMPDIR/stream"
  rt kill "$ID" KILL
  wait "$stream"
  jq -es --arg id "$ID" 'all(.id == $id)' "$BATS_TEST_TMPDIR/stream"
  run -1 rt events "$ID"
  [[ $output == *"is not running"* ]]
  run -1 rt events --interval never "$ID"
  [[ $output == *"'never' is no duration"* ]]
}

@test "events tells of a kill for want of memory" {
  configure '.linux.resources.memory = {limit: 8388608, swap: 8388608}'
  command_is sh -c 'while [ ! -e /tmp/go ]; do sleep 0.1; done; (tail /dev/zero); sleep 1000'
  rt create --bundle "$B" "$ID" </dev/null >"$BATS_TEST_TMPDIR/out" 2>&1 || skip "no memory controller"
  rt start "$ID"
  runc-like --root "$ROOT" events --interval 1h "$ID" >"$BATS_TEST_TMPDIR/stream" 3>&- &
  local stream=$!
  eventually listens "$stream"
  touch "$B/rootfs/tmp/go"
  eventually grep -qx "{\"type\":\"oom\",\"id\":\"$ID\"}" "$BATS_TEST_TMPDIR/stream"
  rt kill "$ID" KILL
  wait "$stream"
}

listens() { ls -l "/proc/$1/fd" | grep -q 'inotify\|eventfd'; }

@test "a container without a cgroup starts, too" {
  command_is echo hello
  run -0 rt --cgroup-manager disabled run --bundle "$B" "$ID"
  [ "$output" = hello ]
}
