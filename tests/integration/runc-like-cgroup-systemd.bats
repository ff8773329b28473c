#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Containers whose cgroup systemd makes, as a scope.
bats_require_minimum_version 1.5.0
load ../lib/common
load ../security/bundle

setup() {
  need jq busybox
  is_cgroup2 || skip "the systemd cgroup manager needs cgroup v2"
  [ -d /run/systemd/system ] || skip "systemd does not run here"
  cd "$BATS_TEST_TMPDIR" || return
  id=$(unique_id)
  remember_host_state
}

teardown() { runc-like --systemd-cgroup delete --force "$id" 2>/dev/null || :; }

property() { systemctl show --value -p "$1" "test-$id.scope"; }

@test "a container is a scope with its limits, and none is left" {
  make_bundle b '.process.args = ["sleep", "1000"] | .linux.cgroupsPath = "system.slice:test:'"$id"'" |
    .linux.resources += {memory: {limit: 67108864}, pids: {limit: 33}, cpu: {quota: 50000, period: 100000}} |
    .annotations["org.systemd.property.TimeoutStopUSec"] = "uint64 7000000"'
  runc-like --systemd-cgroup create -b b "$id"
  runc-like start "$id"
  local pid path
  pid=$(runc-like state "$id" | jq -r .pid)
  path=$(sed -n 's/^0:://p' "/proc/$pid/cgroup")
  [ "$path" = "/system.slice/test-$id.scope" ]
  [ "$(property MemoryMax)" = 67108864 ]
  [ "$(property TasksMax)" = 33 ]
  [ "$(property CPUQuotaPerSecUSec)" = 500ms ]
  [ "$(property TimeoutStopUSec)" = 7s ]
  [ "$(cat "/sys/fs/cgroup$path/memory.max")" = 67108864 ]
  [ "$(cat "/sys/fs/cgroup$path/cpu.max")" = "50000 100000" ]
  runc-like exec "$id" grep -q "" /proc/self/cgroup
  runc-like update --memory 32M "$id"
  [ "$(property MemoryMax)" = 33554432 ]
  systemctl daemon-reload
  [ "$(cat "/sys/fs/cgroup$path/memory.max")" = 33554432 ]
  runc-like delete --force "$id"
  [ "$(systemctl show --value -p LoadState "test-$id.scope")" = not-found ]
  assert_host_state_unchanged
}

@test "the same name can be used again at once" {
  make_bundle b '.linux.cgroupsPath = ":test:'"$id"'"'
  runc-like --systemd-cgroup run -b b "$id"
  runc-like --systemd-cgroup run -b b "$id"
  assert_host_state_unchanged
}

@test "a failing limit leaves no scope" {
  make_bundle b '.linux.cgroupsPath = ":test:'"$id"'" | .linux.resources.unified = {"memory.high": "nonsense"}'
  run ! runc-like --systemd-cgroup run -b b "$id"
  [[ "$output" == *"/linux/resources/unified/memory.high"* ]]
  [ "$(systemctl show --value -p LoadState "test-$id.scope")" = not-found ]
  assert_host_state_unchanged
}

@test "a path of the other manager's form is refused" {
  make_bundle b '.linux.cgroupsPath = "/plain/path"'
  run ! runc-like --systemd-cgroup run -b b "$id"
  [[ "$output" == *slice:prefix:name* ]]
}
