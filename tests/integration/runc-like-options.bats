#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Options that no other test needs: each must be seen to have its effect.
bats_require_minimum_version 1.5.0
load ../lib/common
load ../lib/runtime

setup() {
  cd "$BATS_TEST_TMPDIR" || return
  make_bundle
  receivers=()
}
teardown() {
  [ "${#receivers[@]}" -eq 0 ] || kill "${receivers[@]}" 2>/dev/null || :
  remove_container
}

# What an engine does with --console-socket and --pidfd-socket: prints the message,
# what its descriptor is, and what can be read from that.
receive() { # SOCKET FILE
  need python3
  python3 -c '
import array, os, socket, sys
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen(1)
connection, _ = listener.accept()
data, control, _, _ = connection.recvmsg(4096, socket.CMSG_SPACE(4))
fd = array.array("i", control[0][2])[0]
print(data.decode(), os.readlink("/proc/self/fd/%d" % fd), flush=True)
try:
    print(*os.get_terminal_size(fd), flush=True)
    while chunk := os.read(fd, 4096):
        sys.stdout.buffer.write(chunk)
        sys.stdout.buffer.flush()
except OSError:
    pass
' "$1" >"$2" </dev/null 3>&- &
  receivers+=("$!")
  eventually test -S "$1"
}

@test "create --config --console-socket --pidfd-socket --no-pivot --no-subreaper" {
  configure '.process.terminal = true | .process.consoleSize = {height: 33, width: 111}'
  command_is sh -c 'stty size; tty'
  mv "$B/config.json" "$B/other.json"
  receive "$PWD/tty" tty.out
  receive "$PWD/pidfd" pidfd.out
  rt create --bundle "$B" --config other.json --console-socket "$PWD/tty" \
    --pidfd-socket "$PWD/pidfd" --no-pivot --no-subreaper "$ID" </dev/null
  rt start "$ID"
  wait
  [[ $(head -1 tty.out) == /dev/ptmx*pt* && $(cat tty.out) == *"111 33"*"33 111"*/dev/* ]]
  [[ $(cat pidfd.out) == standard*pidfd* ]]
}

@test "run --console-socket --pidfd-socket --pid-file --no-pivot --no-subreaper" {
  configure '.process.terminal = true'
  command_is sh -c 'echo from inside'
  receive "$PWD/tty" tty.out
  receive "$PWD/pidfd" pidfd.out
  rt run --detach --bundle "$B" --console-socket "$PWD/tty" --pidfd-socket "$PWD/pidfd" \
    --pid-file "$PWD/pid" --no-pivot --no-subreaper "$ID" </dev/null
  wait
  grep -q '^[0-9][0-9]*$' <(cat pid; echo)
  grep -q "from inside" tty.out
  grep -q "^standard .*pidfd" pidfd.out
}

@test "exec --tty --console-socket --pidfd-socket --no-subreaper" {
  start_sleeper
  receive "$PWD/tty" tty.out
  receive "$PWD/pidfd" pidfd.out
  rt exec --detach --tty --console-socket "$PWD/tty" --pidfd-socket "$PWD/pidfd" --no-subreaper \
    "$ID" sh -c 'echo from inside' </dev/null
  wait
  grep -q "from inside" tty.out
  grep -q "^setns .*pidfd" pidfd.out
}

@test "create and exec --preserve-fds" {
  command_is sh -c 'cat <&3 >/out; exec sleep 1000'
  echo given >file
  rt create --preserve-fds 1 --bundle "$B" "$ID" 3<file </dev/null >/dev/null 2>&1
  rt start "$ID"
  eventually grep -q given "$B/rootfs/out"
  rt exec --preserve-fds 1 "$ID" sh -c 'cat <&3' 3<file </dev/null >out
  [ "$(cat out)" = given ]
}

@test "--no-new-keyring of create, run and exec" {
  grep -q keyring /proc/keys || skip "the kernel has no keyrings"
  configure '.linux.maskedPaths -= ["/proc/keys"]'
  # A keyring lives on for a moment: each container has an id of its own.
  look() { printf 'grep -c "_ses[.]%s:" /proc/keys || :' "$1"; }
  command_is sh -c "$(look "$ID.new")"
  run -0 rt run --bundle "$B" "$ID.new"
  [ "$output" -ge 1 ]
  command_is sh -c "$(look "$ID.old")"
  run -0 rt run --no-new-keyring --bundle "$B" "$ID.old"
  [ "$output" = 0 ]
  command_is sleep 1000
  rt create --no-new-keyring --bundle "$B" "$ID" </dev/null >/dev/null 2>&1
  rt start "$ID"
  run -0 rt exec --no-new-keyring "$ID" sh -c "$(look "$ID")"
  [ "$output" = 0 ]
  run -0 rt exec "$ID" sh -c "$(look "$ID")"
  [ "$output" -ge 1 ]
}

@test "exec --apparmor and --process-label reach the kernel" {
  start_sleeper
  run -1 rt exec --apparmor no-such-profile "$ID" true
  [[ $output == *"'exec no-such-profile'"* ]]
  run -1 rt exec --process-label no_such_t "$ID" true
  [[ $output == *"'no_such_t'"* ]]
}

@test "kill and delete --regex take every container that matches, and no other" {
  command_is sleep 1000
  local id
  for id in "$ID.a1" "$ID.a2" "$ID.b1"; do
    rt create --bundle "$B" "$id" </dev/null >/dev/null 2>&1
  done
  run -1 rt kill --regex '(' KILL
  [[ $output == *"no regular expression"* ]]
  rt kill --regex "^$ID\\.a[0-9]\$" KILL
  ID=$ID.a1 eventually has_status stopped
  ID=$ID.a2 eventually has_status stopped
  ID=$ID.b1 has_status created
  rt delete --regex "$ID.a"
  [ "$(rt list --quiet)" = "$ID.b1" ]
  rt delete --force --regex "$ID"
  [ -z "$(rt list --quiet)" ]
  rt delete --force --regex "$ID"
}

@test "explain and validate take --bundle and --config" {
  mv "$B/config.json" "$B/other.json"
  run -0 rt explain --bundle "$B" --config other.json
  [[ $output == *"mount 'proc' on '/proc'"* ]]
  run -0 rt validate --bundle "$B" --config other.json
  jq '.root = 3' "$B/other.json" >"$B/wrong.json"
  run -1 rt validate --bundle "$B" --config wrong.json
  [[ $output == *"/root"* ]]
}

@test "--debug says more than --log-level error" {
  configure '.process.capabilities.bounding += ["CAP_OF_NONE"]'
  command_is true
  run -0 rt --log-level error run --bundle "$B" "$ID"
  [[ $output != *CAP_OF_NONE* ]]
  run -0 rt --log-level error --debug run --bundle "$B" "$ID"
  [[ $output == *CAP_OF_NONE* ]]
}

# An older or a smaller kernel lacks some: then the error names the file.
limit_is() { # OPTION=VALUE FILE VALUE
  local written
  run rt update "$1" "$ID"
  if [ "$status" -ne 0 ]; then
    [[ $output == *"${2##*/}"* ]] && return
    echo "$1: $output" && return 1
  fi
  written=$(cat "/sys/fs/cgroup/${2%/*}/$ID/${2##*/}")
  [ "$written" = "$3" ] || { echo "$1: $2 is $written" && return 1; }
}

@test "update: every limit reaches its file" {
  ! is_cgroup2 || skip "the files are those of cgroup v1"
  configure ".linux.cgroupsPath = \"/$ID\""
  start_sleeper
  limit_is --cpu-period=50000 cpu/cpu.cfs_period_us 50000
  limit_is --cpu-quota=20000 cpu/cpu.cfs_quota_us 20000
  limit_is --cpu-burst=1000 cpu/cpu.cfs_burst_us 1000
  limit_is --cpu-share=2048 cpu/cpu.shares 2048
  limit_is --cpu-rt-period=900000 cpu/cpu.rt_period_us 900000
  limit_is --cpu-rt-runtime=100 cpu/cpu.rt_runtime_us 100
  limit_is --cpu-idle=1 cpu/cpu.idle 1
  limit_is --memory-reservation=16M memory/memory.soft_limit_in_bytes 16777216
  limit_is --cpuset-mems=0 cpuset/cpuset.mems 0
  run rt update --blkio-weight=500 "$ID"
  [[ $status -ne 0 && $output == *weight* ]] || grep -qx 500 /sys/fs/cgroup/blkio/"$ID"/blkio*weight
  # Newer kernels take these two and forget them.
  local option
  for option in --kernel-memory --kernel-memory-tcp; do
    run -1 rt update "$option=much" "$ID"
    [[ $output == *"$option: 'much' is no size"* ]]
  done
}
