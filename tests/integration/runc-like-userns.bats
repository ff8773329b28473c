#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Namespaces: new, joined, with maps.
bats_require_minimum_version 1.5.0

load ../lib/common
load ../lib/runtime

setup() {
  make_bundle
  chmod 755 "$BATS_RUN_TMPDIR" "$BATS_TEST_TMPDIR" "$B" # mapped users walk there
}
teardown() { remove_container; }

user_namespace() {
  configure '.linux.namespaces += [{"type":"user"}]
    | .linux.uidMappings = [{"containerID":0,"hostID":100000,"size":65536}]
    | .linux.gidMappings = [{"containerID":0,"hostID":200000,"size":65536}]'
}

@test "a new user namespace has the maps that were asked for" {
  user_namespace
  run -0 run_shell 'id -u; cat /proc/self/uid_map /proc/self/gid_map | tr -s " "; echo x >/dev/null'
  [ "$output" = $'0\n 0 100000 65536\n 0 200000 65536' ]
}

@test "root of the user namespace is nobody outside" {
  user_namespace
  start_sleeper
  pid=$(rt state "$ID" | jq .pid)
  [ "$(stat -c %u "/proc/$pid")" = 100000 ] || [ "$(awk '/^Uid:/ {print $2}' "/proc/$pid/status")" = 100000 ]
  [ "$(rt exec "$ID" id -u)" = 0 ]
  [ "$(rt exec -u 1000 "$ID" id -u)" = 1000 ]
}

@test "two processes share a joined network namespace" {
  need unshare
  unshare --net sleep 1000 &
  holder=$!
  eventually test "$(readlink /proc/self/ns/net)" != "$(readlink /proc/$holder/ns/net)"
  configure --arg path "/proc/$holder/ns/net" '(.linux.namespaces[] | select(.type == "network")).path = $path'
  run run_shell 'readlink /proc/self/ns/net'
  expected=$(readlink "/proc/$holder/ns/net")
  kill "$holder"
  [ "$output" = "$expected" ]
}

@test "a joined pid namespace: the process is not its first" {
  sleep 1000 &
  holder=$!
  configure --arg path "/proc/$holder/ns/pid" '(.linux.namespaces[] | select(.type == "pid")).path = $path'
  run -0 run_shell 'echo $$'
  kill "$holder"
  [ "$output" -gt 1 ]
}

@test "a joined user namespace owns the new ones" {
  need unshare
  unshare --user --map-root-user sleep 1000 &
  holder=$!
  is_root_there() { [ "$(tr -s ' ' <"/proc/$holder/uid_map")" = " 0 0 1" ]; }
  eventually is_root_there
  configure --arg path "/proc/$holder/ns/user" '.linux.namespaces += [{"type":"user","path":$path}]
    | .mounts |= map(select(.destination != "/dev/pts"))'
  run run_shell 'readlink /proc/self/ns/user; echo $$'
  expected=$(readlink "/proc/$holder/ns/user")
  kill "$holder"
  [ "$output" = "$expected"$'\n1' ]
}

@test "a time namespace shifts the clocks" {
  configure '.linux.namespaces += [{"type":"time"}] | .linux.timeOffsets = {"boottime":{"secs":100000000}}'
  run -0 run_shell 'cut -d. -f1 /proc/uptime'
  [ "$output" -ge 100000000 ]
}

@test "hostname, domainname and sysctls are the container's own" {
  before=$(cat /proc/sys/kernel/msgmax)
  configure '.hostname = "inside" | .domainname = "example" | .linux.sysctl = {"kernel.msgmax":"9001","net/ipv4/ip_forward":"1"}'
  run -0 run_shell 'hostname; cat /proc/sys/kernel/domainname /proc/sys/kernel/msgmax /proc/sys/net/ipv4/ip_forward'
  [ "$output" = $'inside\nexample\n9001\n1' ]
  [ "$(cat /proc/sys/kernel/msgmax)" = "$before" ]
}

@test "user, groups, umask, working directory, limits" {
  configure '.process.user = {"uid":1000,"gid":1000,"additionalGids":[50,60],"umask":63}
    | .process.cwd = "/made/for/me" | .process.rlimits = [{"type":"RLIMIT_NOFILE","soft":100,"hard":200}]'
  run -0 run_shell 'id -G; umask; pwd; echo $HOME; ulimit -n'
  [ "$output" = $'1000 50 60\n0077\n/made/for/me\n/home/alice\n100' ]
}

@test "a seccomp filter holds, with and without no_new_privs" {
  local nnp
  for nnp in true false; do
    configure --argjson nnp "$nnp" '.process.noNewPrivileges = $nnp | .process.user.uid = 1000
      | .linux.seccomp = {"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir","mkdirat"],"action":"SCMP_ACT_ERRNO","errnoRet":99}]}'
    run run_shell 'grep -E "^(Seccomp|NoNewPrivs|CapEff):" /proc/self/status | tr -s "\t\n" " "; mkdir /tmp/x'
    [[ $output == *"CapEff: 0000000000000000"*"Seccomp: 2"* ]]
    [[ $output == *"Cannot assign requested address"* ]] # errno 99
  done
}

@test "capabilities are exactly those that were asked for" {
  configure '.process.capabilities = {"bounding":["CAP_KILL"],"effective":["CAP_KILL"],"permitted":["CAP_KILL"]}'
  run -0 run_shell 'grep ^Cap /proc/self/status | tr -s "\t\n" " "'
  [ "$output" = "CapInh: 0000000000000000 CapPrm: 0000000000000020 CapEff: 0000000000000020 CapBnd: 0000000000000020 CapAmb: 0000000000000000 " ]
}
