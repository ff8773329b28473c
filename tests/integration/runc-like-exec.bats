#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# exec: one more process in a running container.
bats_require_minimum_version 1.5.0

load ../lib/common
load ../lib/runtime

setup() { make_bundle; }
teardown() { remove_container; }

@test "exec runs inside, with the container's namespaces and its exit status" {
  start_sleeper
  run -5 rt exec "$ID" sh -c 'hostname; exit 5'
  [ "$output" = runc ]
  run rt exec "$ID" readlink /proc/self/ns/pid
  [ "$output" = "$(rt exec "$ID" readlink /proc/1/ns/pid)" ]
  [ "$output" != "$(readlink /proc/self/ns/pid)" ]
}

@test "exec as a user, with environment, working directory and a capability" {
  start_sleeper
  [ "$(rt exec -u 1000:50 "$ID" id -u)" = 1000 ]
  [ "$(rt exec -u 1000:50 "$ID" id -g)" = 50 ]
  [ "$(rt exec --env A=1,B=2 "$ID" sh -c 'echo $A')" = "1,B=2" ]
  [ "$(rt exec --cwd /tmp "$ID" sh -c pwd)" = /tmp ]
  rt exec --cap CAP_SYS_ADMIN "$ID" grep '^CapEff:.*2[0-9a-f]*$' /proc/self/status
  rt exec -u 1000 "$ID" sh -c 'echo $HOME' | grep -qx /home/alice
}

@test "exec refuses users that are no numbers in range" {
  start_sleeper
  local word
  for word in root 1: :1 1:2:3 -1 4294967295 4294967296 0x0 ' 0'; do
    run -1 rt exec --user="$word" "$ID" id
    [[ $output == *"expected UID or UID:GID"* ]]
  done
}

@test "exec of a program that is missing is 127, of one that cannot be executed 126" {
  start_sleeper
  run -127 rt exec "$ID" no-such-program
  [[ $output == *'exec: "no-such-program": executable file not found in $PATH'* ]]
  run -127 rt exec "$ID" /no/such/program
  [[ $output == *"no such file or directory"* ]]
  run -126 rt exec "$ID" /etc/passwd
  [[ $output == *"permission denied"* ]]
}

@test "exec takes a process document" {
  start_sleeper
  cat >"$BATS_TEST_TMPDIR/process.json" <<'JSON'
{"cwd":"/tmp","args":["sh","-c","pwd; id -u; echo $X"],"env":["PATH=/bin","X=y"],"user":{"uid":1000,"gid":1000}}
JSON
  run -0 rt exec --process "$BATS_TEST_TMPDIR/process.json" "$ID"
  [ "$output" = $'/tmp\n1000\ny' ]
}

@test "exec --detach returns at once and leaves a pid file" {
  start_sleeper
  rt exec --detach --pid-file "$BATS_TEST_TMPDIR/pid" "$ID" sleep 1000 </dev/null >/dev/null 2>&1
  pid=$(cat "$BATS_TEST_TMPDIR/pid")
  [ "$(tr '\0' ' ' <"/proc/$pid/cmdline")" = "sleep 1000 " ]
  rt ps -f json "$ID" | jq -e "index($pid) != null"
}

@test "no descriptor of the caller or of ours gets inside" {
  start_sleeper
  exec {extra}</etc/hostname
  run -0 rt exec "$ID" sh -c 'for n in $(seq 3 200); do [ ! -e /proc/self/fd/$n ] || echo $n; done'
  exec {extra}<&-
  [ -z "$output" ]
}

@test "whichever descriptors the caller has open" {
  start_sleeper
  local fd
  for fd in {4..25}; do
    eval "rt exec \"\$ID\" true $fd</etc/hostname"
  done
}

@test "exec in a stopped container is refused" {
  start_sleeper
  rt kill "$ID" KILL
  eventually has_status stopped
  run -1 rt exec "$ID" true
  [[ $output == *"cannot exec in a stopped container"* ]]
}

@test "exec gives a terminal that the process owns" {
  need script
  start_sleeper
  run -0 script -qec "runc-like --root $ROOT exec -t $ID sh -c 'tty; test -t 0 && echo yes'" /dev/null
  [[ $output == *"/dev/pts/"* ]] && [[ $output == *yes* ]]
}

@test "exec --cgroup does not lead out of the container's cgroup" {
  start_sleeper
  run -1 rt exec --cgroup ../.. "$ID" true
  [[ $output == *"leads out"* ]]
}

@test "exec --cgroup: one path for every hierarchy, or one for those named" {
  configure ".linux.cgroupsPath = \"/$ID\""
  start_sleeper
  find /sys/fs/cgroup -type d -name "$ID" -exec mkdir -p {}/one/deep {}/two \;
  # A cpuset of v1 begins empty: nobody may enter.
  local set=/sys/fs/cgroup/cpuset/$ID sub file
  for sub in one one/deep two; do
    for file in cpuset.cpus cpuset.mems; do
      [ ! -e "$set/$file" ] || cat "$set/$file" >"$set/$sub/$file"
    done
  done
  run -0 rt exec --cgroup one/deep "$ID" sed -n '/devices\|^0::/p' /proc/self/cgroup
  [ -n "$output" ]
  [ -z "$(grep -v ':/one/deep$' <<<"$output")" ]
  run -1 rt exec --cgroup one/missing "$ID" true
  run -1 rt exec --cgroup nonsense:two "$ID" true
  [[ $output == *"no cgroup of the controller 'nonsense'"* ]]
  run -1 rt exec --cgroup one --cgroup two "$ID" true
  [[ $output == *"names no controller"* ]]
  if is_cgroup2; then
    run -1 rt exec --cgroup pids:two "$ID" true
    [[ $output == *"cgroup v2 has one cgroup for all"* ]]
  else
    run -0 rt exec --cgroup devices:two --cgroup freezer,pids:one/deep "$ID" \
      sed -n 's/^[0-9]*:\(devices\|pids\|freezer\|memory\):/\1 /p' /proc/self/cgroup
    [[ $output == *"devices /two"* ]]
    [ "$(grep -c '^\(pids\|freezer\) /one/deep$' <<<"$output")" = "$(grep -c '^\(pids\|freezer\) ' <<<"$output")" ]
    [[ $output != *"memory /one"* ]]
  fi
}
