#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Containers in cgroups v1 and v2: limits that hold, devices that stay closed,
# whole containers stopped at once, and nothing left behind.
bats_require_minimum_version 1.5.0
load ../lib/common
load ../security/bundle

setup() {
  need jq busybox
  cd "$BATS_TEST_TMPDIR" || return
  id=$(unique_id)
  remember_host_state
}

teardown() { sweep_containers "$id"; }

pid_of() { runc-like state "$id" | jq -r .pid; }

# A file of the container's cgroup, by its v1 controller and name or its v2 name.
limit() { # CONTROLLER V1-FILE V2-FILE
  local path
  if is_cgroup2; then
    path=$(sed -n 's/^0:://p' "/proc/$(pid_of)/cgroup")
    cat "/sys/fs/cgroup$path/$3"
  else
    path=$(sed -nE "s/^[0-9]+:([^:]*,)?$1(,[^:]*)?://p" "/proc/$(pid_of)/cgroup")
    cat "/sys/fs/cgroup/$1$path/$2"
  fi
}

@test "a container has a cgroup of its own and leaves none" {
  make_bundle b '.linux.namespaces |= map(select(.type != "cgroup"))'
  shell_line b 'cat /proc/self/cgroup'
  run -0 runc-like run -b b "$id"
  [[ "$output" == *"/$id"* ]]
  assert_host_state_unchanged
}

@test "limits arrive in the files of the kernel" {
  make_bundle b '.process.args = ["sleep", "1000"] | .linux.resources +=
    {memory: {limit: 67108864, reservation: 33554432}, pids: {limit: 33},
     cpu: {shares: 512, quota: 50000, period: 100000}}'
  runc-like create -b b "$id"
  [ "$(limit memory memory.limit_in_bytes memory.max)" = 67108864 ]
  [ "$(limit memory memory.soft_limit_in_bytes memory.low)" = 33554432 ]
  [ "$(limit pids pids.max pids.max)" = 33 ]
  if is_cgroup2; then
    [ "$(limit cpu - cpu.max)" = "50000 100000" ]
    [ "$(limit cpu - cpu.weight)" = 59 ] # the curve of shares, not a straight line
  else
    [ "$(limit cpu cpu.cfs_quota_us -)" = 50000 ]
    [ "$(limit cpu cpu.shares -)" = 512 ]
  fi
  runc-like delete --force "$id"
  assert_host_state_unchanged
}

@test "the limit of processes holds" {
  make_bundle b '.linux.resources.pids.limit = 4'
  shell_line b 'for i in 1 2 3 4 5 6; do sleep 100 & done 2>&1; echo done; kill -9 $(jobs -p)'
  run runc-like run -b b "$id"
  [[ "$output" == *fork* ]]
  assert_host_state_unchanged
}

@test "who takes more memory than the limit is killed" {
  make_bundle b '.linux.resources.memory = {limit: 16777216, swap: 16777216} |
    .process.args = ["dd", "if=/dev/zero", "of=/dev/null", "bs=64M", "count=1"]'
  run runc-like run -b b "$id"
  [ "$status" -eq 137 ]
  assert_host_state_unchanged
}

@test "a container with a limit of 512 KiB starts" {
  make_bundle b '.linux.resources.memory.limit = 524288 | .process.args = ["echo", "alive"]'
  run -0 runc-like run -b b "$id"
  [ "$output" = alive ]
}

@test "devices are closed but for those that every container has" {
  make_bundle b '.process.capabilities |= map_values(. + ["CAP_MKNOD"])'
  shell_line b 'mknod /tmp/mem c 1 1 && (: </tmp/mem) 2>&1; mknod /tmp/null c 1 3 && : >/tmp/null && echo null works'
  run -0 runc-like run -b b "$id"
  [[ "$output" == *"Operation not permitted"* ]]
  [[ "$output" == *"null works"* ]]
}

@test "a device that the configuration allows is open, and the last rule wins" {
  # No driver has these numbers: what may be opened says "no such device".
  make_bundle b '.process.capabilities |= map_values(. + ["CAP_MKNOD"]) | .linux.resources.devices =
    [{allow: false, access: "rwm"}, {allow: true, type: "c", major: 251, minor: 77, access: "rw"},
     {allow: false, type: "c", major: 251, minor: 77, access: "w"}]'
  shell_line b 'mknod /tmp/d c 251 77; mknod /tmp/e c 251 78
    (: </tmp/d) 2>&1; (: >/tmp/d) 2>&1; (: </tmp/e) 2>&1; true'
  run -0 runc-like run -b b "$id"
  [[ "${lines[0]}" == *"No such device"* ]]
  [[ "${lines[1]}" == *"Operation not permitted"* ]]
  [[ "${lines[2]}" == *"Operation not permitted"* ]]
}

@test "a limit that the kernel refuses names its field and leaves nothing" {
  make_bundle b '.linux.resources.cpu.cpus = "4095" | .linux.cgroupsPath = "/runc-like-test/'"$id"'"'
  run ! runc-like run -b b "$id"
  [[ "$output" == *"/linux/resources/cpu/cpus"* ]]
  [[ "$output" == *"cpuset.cpus"* ]]
  assert_host_state_unchanged
}

@test "a cgroup path may be absolute or relative, and may not climb" {
  local path
  for path in "/$id/deep" "$id-relative"; do
    make_bundle b ".linux.cgroupsPath = \"$path\" | .linux.namespaces |= map(select(.type != \"cgroup\"))"
    shell_line b 'cat /proc/self/cgroup'
    run -0 runc-like run -b b "$id"
    [[ "$output" == *"$path"* ]]
  done
  find /sys/fs/cgroup -depth -type d -name "$id" -exec rmdir {} + # parents stay: engines own them
  make_bundle b ".linux.cgroupsPath = \"/../$id\""
  run ! runc-like run -b b "$id"
  [[ "$output" == *".."* ]]
  assert_host_state_unchanged
}

@test "a cgroup that others use is refused" {
  make_bundle b ".process.args = [\"sleep\", \"1000\"] | .linux.cgroupsPath = \"/$id\""
  runc-like create -b b "$id"
  run ! runc-like run -b b "$id-2"
  [[ "$output" == *"is not empty"* ]]
  runc-like state "$id" >/dev/null # the first one is as it was
  runc-like delete --force "$id"
  assert_host_state_unchanged
}

@test "exec joins the container's cgroup" {
  make_bundle b '.process.args = ["sleep", "1000"] | .linux.namespaces |= map(select(.type != "cgroup"))'
  runc-like create -b b "$id"
  runc-like start "$id"
  run -0 runc-like exec "$id" cat /proc/self/cgroup
  [ "$(sort <<<"$output")" = "$(sort "/proc/$(pid_of)/cgroup")" ]
}

@test "pause holds every process still, resume lets them go on" {
  make_bundle b
  shell_line b 'n=0; while :; do n=$((n+1)); echo $n >/tmp/n; done'
  runc-like create -b b "$id"
  runc-like start "$id"
  eventually [ -s b/rootfs/tmp/n ]
  runc-like pause "$id"
  [ "$(runc-like state "$id" | jq -r .status)" = paused ]
  local before
  before=$(cat b/rootfs/tmp/n)
  [ "$(cat b/rootfs/tmp/n)" = "$before" ]
  runc-like resume "$id"
  [ "$(runc-like state "$id" | jq -r .status)" = running ]
  changed() { [ -s b/rootfs/tmp/n ] && [ "$(cat b/rootfs/tmp/n)" != "$before" ]; }
  eventually changed
}

@test "a paused container can be deleted" {
  make_bundle b '.process.args = ["sleep", "1000"]'
  runc-like create -b b "$id"
  runc-like start "$id"
  runc-like pause "$id"
  runc-like delete --force "$id"
  assert_host_state_unchanged
}

@test "delete --force ends every process, also without a pid namespace" {
  make_bundle b '.linux.namespaces |= map(select(.type != "pid"))'
  shell_line b 'for i in 1 2 3; do setsid sleep 98765 & done; sleep 98765'
  runc-like create -b b "$id"
  runc-like start "$id"
  three() { [ "$(runc-like ps --format json "$id" | jq length)" -ge 4 ]; }
  eventually three
  runc-like delete --force "$id"
  run ! pgrep -f 'sleep 98765'
  assert_host_state_unchanged
}

@test "update changes limits, and all or none" {
  make_bundle b '.process.args = ["sleep", "1000"] | .linux.resources +=
    {memory: {limit: 67108864}, pids: {limit: 33}}'
  runc-like create -b b "$id"
  runc-like start "$id"
  runc-like update --memory 32M --pids-limit 20 "$id"
  [ "$(limit memory memory.limit_in_bytes memory.max)" = 33554432 ]
  [ "$(limit pids pids.max pids.max)" = 20 ]
  echo '{"memory":{"limit":50331648},"cpu":{"cpus":"4095"}}' >r.json
  run ! runc-like update --resources r.json "$id"
  [[ "$output" == *"/cpu/cpus"* ]]
  [ "$(limit memory memory.limit_in_bytes memory.max)" = 33554432 ]
  runc-like update --cpuset-cpus 0 "$id"
  [ "$(limit cpuset cpuset.cpus cpuset.cpus)" = 0 ]
  run -0 runc-like exec "$id" grep Cpus_allowed_list /proc/self/status
  [[ "$output" =~ [[:space:]]0$ ]]
  runc-like delete --force "$id"
  assert_host_state_unchanged
}

@test "a container without any cgroup runs with --cgroup-manager disabled" {
  make_bundle b '.linux.namespaces |= map(select(.type != "cgroup"))'
  shell_line b 'cat /proc/self/cgroup'
  run -0 runc-like --cgroup-manager disabled run -b b "$id"
  [[ "$output" != *"/$id"* ]]
}
