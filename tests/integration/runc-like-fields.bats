#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Fields and options that no other test needs: each must be seen to have its effect.
bats_require_minimum_version 1.5.0
load ../lib/common
load ../lib/runtime

setup() {
  cd "$BATS_TEST_TMPDIR" || return
  make_bundle
}
teardown() { remove_container; }

@test "personality: domain and flags" {
  configure '.linux.personality = {domain: "LINUX32", flags: ["ADDR_NO_RANDOMIZE"]}'
  run -0 run_shell 'uname -m; cat /proc/self/personality'
  [ "${lines[0]}" = i686 ]
  [ "${lines[1]}" = 00040008 ]
}

@test "scheduler: policy and nice" {
  configure '.process.scheduler = {policy: "SCHED_BATCH", nice: 5}'
  run -0 run_shell 'cat /proc/self/stat | cut -d" " -f19,41'
  [ "$output" = "5 3" ]
}

@test "ioPriority: class and priority" {
  need ionice
  configure '.process.ioPriority = {class: "IOPRIO_CLASS_BE", priority: 6}'
  start_sleeper
  run -0 ionice -p "$(rt state "$ID" | jq .pid)"
  [ "$output" = "best-effort: prio 6" ]
}

# In a mount namespace whose mounts are shared, as systemd makes the host's: what
# disappears from the container must not disappear there.
@test "rootfsPropagation: shared, and the host keeps its mounts" {
  configure '.linux.rootfsPropagation = "shared"'
  command_is awk '$5 == "/"' /proc/self/mountinfo
  unshare --mount --propagation private bash -euc '
    mount --make-rshared /
    cut -d " " -f 5 /proc/self/mountinfo | sort >before
    "$@" </dev/null
    cut -d " " -f 5 /proc/self/mountinfo | sort | diff before - >&2
    ' - runc-like --root "$ROOT" run --bundle "$B" "$ID" >root_mount
  cat root_mount
  grep shared: root_mount
}

@test "timeOffsets: seconds and nanoseconds" {
  [ -e /proc/self/ns/time ] || skip "the kernel has no time namespaces"
  configure '.linux.namespaces += [{type: "time"}] | .linux.timeOffsets = {boottime: {secs: 1000000, nanosecs: 7}}'
  run run_shell 'cat /proc/self/timens_offsets; cut -d. -f1 /proc/uptime'
  echo "status $status: $output"
  [[ $output == *boottime*1000000*7* ]]
  [ "${lines[-1]}" -ge 1000000 ]
}

@test "execCPUAffinity: the process of exec runs where it says" {
  configure '.process.execCPUAffinity = {initial: "0", final: "0"}'
  start_sleeper
  run -0 rt exec "$ID" grep Cpus_allowed_list /proc/self/status
  [[ $output == *[[:space:]]0 ]]
}

@test "exec --additional-gids --no-new-privs, and --ignore-paused on a paused container" {
  start_sleeper
  run -0 rt exec --additional-gids 77 --no-new-privs "$ID" sh -c 'id -G; grep NoNewPrivs /proc/self/status'
  [[ ${lines[0]} == *77* && ${lines[1]} == *1 ]]
  rt pause "$ID"
  run -1 rt exec "$ID" true
  [[ $output == *"paused container (use --ignore-paused"* ]]
  rt resume "$ID"
}

@test "run --config --keep, list --quiet, kill --all" {
  mv "$B/config.json" "$B/other.json"
  run -0 rt spec --bundle "$B" --file third.json
  [ -e "$B/third.json" ]
  jq '.process.args = ["true"]' "$B/other.json" >"$B/fourth.json"
  rt run --bundle "$B" --config fourth.json --keep "$ID" </dev/null
  [ "$(rt list --quiet)" = "$ID" ]
  has_status stopped
  rt kill --all "$ID" KILL
  rt delete "$ID"
}

@test "run --preserve-fds passes descriptors on, and no others" {
  command_is sh -c 'cat <&3; ls /proc/self/fd | wc -l'
  # Without bats' `run`, which has a use of its own for 3.
  rt run --preserve-fds 1 --bundle "$B" "$ID" </dev/null 3< <(echo given) 4</dev/null >"$BATS_TEST_TMPDIR/out"
  # 0, 1, 2, 3 and that of the directory
  [ "$(cat "$BATS_TEST_TMPDIR/out")" = $'given\n5' ]
  run -1 rt run --preserve-fds 90 --bundle "$B" "$ID"
  [[ $output == *"preserve 'descriptor "*EBADF* ]]
}

@test "a link to nothing in a mount's destination: its target is made inside" {
  ln -s /nowhere/yet "$B/rootfs/data"
  ln -s deep/er "$B/rootfs/tmp/link"
  mount_is '{"destination":"/data/sub","type":"tmpfs","source":"tmpfs"}'
  mount_is '{"destination":"/tmp/link","type":"bind","source":"/etc/hostname","options":["bind"]}'
  run -0 run_shell 'grep -c " /nowhere/yet/sub \| /tmp/deep/er " /proc/self/mountinfo'
  [ "$output" = 2 ]
  [ ! -e /nowhere ]
}

@test "fields that are not supported are refused, not ignored" {
  configure '.linux.intelRdt = {closID: "x"}'
  run -1 rt run --bundle "$B" "$ID"
  [[ $output == *"/linux/intelRdt: is not supported"* ]]
}

@test "netDevices: an interface of the host is the container's, with its address" {
  local name=nd$((RANDOM % 9000 + 1000))
  ip link add "${name}a" type veth peer name "${name}b"
  ip address add 192.0.2.7/24 dev "${name}a"
  configure --arg a "${name}a" '.linux.netDevices = {($a): {name: "in%d"}}'
  run -0 run_shell 'ip -o address show dev in0; ip link show dev in0'
  [[ $output == *"192.0.2.7/24"* && $output == *[,\<]UP* ]]
  [ ! -e "/sys/class/net/${name}a" ]
  ip link del "${name}b" 2>/dev/null || :
  run -1 run_shell true
  [[ $output == *"/linux/netDevices/${name}a: move network device"*ENODEV* ]]
  configure '.linux.namespaces |= map(select(.type != "network"))'
  run -1 run_shell true
  [[ $output == *"without a private NET namespace"* ]]
}

@test "without a mount namespace: the mounts are the host's, and delete takes them away" {
  configure '.linux.namespaces |= map(select(.type != "mount")) | del(.linux.maskedPaths, .linux.readonlyPaths)'
  start_sleeper
  [ "$(grep -c " $B/rootfs/" /proc/self/mountinfo)" -ge 5 ]
  run -0 rt exec "$ID" sh -c 'readlink /proc/self/ns/mnt; ls -d /bin/busybox /lib* /boot || :'
  [ "${lines[0]}" = "$(readlink /proc/self/ns/mnt)" ]
  [[ $output == */bin/busybox* && $output != *$'\n/boot'* ]]
  rt delete --force "$ID"
  assert_nothing_left
  command_is /no/such/program
  run -127 rt run --bundle "$B" "$ID"
  assert_nothing_left
  configure '.root.readonly = true'
  run -1 rt run --bundle "$B" "$ID"
  [[ $output == *"/root/readonly: needs a mount namespace"* ]]
}

@test "a mount namespace by path is joined" {
  unshare --mount sleep 1000 3>&- &
  local holder=$! ours
  ours=$(readlink /proc/self/ns/mnt)
  has_own() { [ "$(readlink "/proc/$holder/ns/mnt")" != "$ours" ]; }
  eventually has_own
  configure --arg path "/proc/$holder/ns/mnt" '.linux.namespaces |= map(if .type == "mount" then .path = $path else . end)'
  local theirs
  theirs=$(readlink "/proc/$holder/ns/mnt")
  run run_shell 'readlink /proc/self/ns/mnt; ls /bin/busybox'
  kill "$holder"
  [ "$output" = "$theirs"$'\n/bin/busybox' ]
}
