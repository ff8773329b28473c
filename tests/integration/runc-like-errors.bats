#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# When things go wrong: one clear line, the right status, and nothing left.
bats_require_minimum_version 1.5.0

load ../lib/common
load ../lib/runtime

setup() { make_bundle; }
teardown() { remove_container; }

fails_with() { # STATUS TEXT
  run "-$1" rt run --bundle "$B" "$ID" </dev/null
  [[ $output == *"$2"* ]] || { echo "$output"; return 1; }
  assert_nothing_left
}

@test "no bundle, no config.json, no JSON" {
  rm -r "$B/config.json"
  fails_with 1 "config.json': No such file or directory (ENOENT)"
  echo '{"ociVersion": ' >"$B/config.json"
  fails_with 1 "config.json: invalid JSON at byte"
  run -1 rt run --bundle "$BATS_TEST_TMPDIR/none" "$ID"
  [[ $output == *"No such file or directory"* ]]
}

@test "a program that is missing, and one that cannot be executed" {
  command_is no-such-program
  fails_with 127 'exec: "no-such-program": executable file not found in $PATH'
  command_is /etc/passwd
  fails_with 126 'permission denied'
  command_is /etc
  fails_with 126 'is a directory'
}

@test "create finds out that the program is missing, not only start" {
  command_is no-such-program
  run -127 rt create --bundle "$B" "$ID"
  assert_nothing_left
}

@test "start tells that the program could not be executed" {
  printf '#!/no/such/interpreter\n' >"$B/rootfs/bin/script" && chmod +x "$B/rootfs/bin/script"
  command_is script
  rt create --bundle "$B" "$ID" </dev/null >/dev/null 2>&1
  run -127 rt start "$ID"
  [[ $output == *"no such file or directory"* ]]
  eventually has_status stopped
}

@test "an unknown mount type, option, source: the field is named" {
  mount_is '{"destination":"/x","type":"nosuchfs","source":"x"}'
  fails_with 1 "mount 'nosuchfs' on '/x' (config.json: /mounts/7): No such device (ENODEV)"
  configure '.mounts[7] = {"destination":"/x","type":"bind","source":"/etc","options":["bind","noexce"]}'
  fails_with 1 "did you mean 'noexec'?"
  configure '.mounts[7] = {"destination":"/x","type":"bind","source":"/no/such","options":["bind"]}'
  fails_with 1 "/mounts/7/source"
  configure '.mounts[7] = {"destination":"/x","type":"tmpfs","source":"x","options":["size=much"]}'
  fails_with 1 "/mounts/7"
}

@test "values of the wrong type, out of range, or against each other" {
  configure '.process.cwd = 7'
  fails_with 1 "config.json: /process/cwd: expected a string"
  configure '.process.cwd = "relative"'
  fails_with 1 "/process/cwd"
  configure '.process.cwd = "/" | .process.user.uid = 4294967296'
  fails_with 1 "config.json: /process/user/uid"
  configure '.process.user.uid = 0 | .linux.sysctl = {"vm.swappiness":"1"}'
  fails_with 1 "not in a separate kernel namespace"
  configure 'del(.linux.sysctl) | .linux.namespaces |= map(select(.type != "uts"))'
  fails_with 1 "/hostname"
}

@test "a rootfs that is missing or a link" {
  mv "$B/rootfs" "$B/other"
  fails_with 1 "/root/path"
  ln -s other "$B/rootfs"
  fails_with 1 "invalid rootfs"
}

@test "a working directory that leads out of the container" {
  configure '.process.cwd = "/proc/self/fd/7"'
  fails_with 1 "/process/cwd"
}

@test "a terminal needs somebody who takes it" {
  configure '.process.terminal = true'
  run -1 rt create --bundle "$B" "$ID"
  [[ $output == *"cannot allocate tty if runc will detach without setting console socket"* ]]
  assert_nothing_left
}

@test "the log has what engines read, and more" {
  command_is no-such-program
  log=$BATS_TEST_TMPDIR/log
  run -127 rt --log "$log" --log-format json create --bundle "$B" "$ID"
  [[ $output == *"executable file not found in"* ]]
  [ "$(jq -r '"\(.level) \(.errno) \(.step) \(.field)"' "$log")" = "error ENOENT find-program /process/args/0" ]
  jq -e '.msg | contains("executable file not found in $PATH")' "$log"
  jq -e '.time | fromdate' "$log"
}

@test "a wrong command line is refused" {
  run -1 rt create
  run -1 rt nosuchverb
  run -1 rt run --no-such-option "$ID"
  run -1 rt --log-format xml list
  [[ $output == *"invalid log-format: xml"* ]]
}

@test "a create that was killed leaves something that delete --force removes" {
  configure '.hooks.createRuntime = [{"path":"/bin/sleep","args":["sleep","1000"]}]'
  runc-like --root "$ROOT" create --bundle "$B" "$ID" </dev/null >/dev/null 2>&1 &
  creator=$!
  is_there() { [ -s "$ROOT/$ID/state.json" ]; }
  eventually is_there
  has_status creating || has_status running
  pid=$(jq .pid "$ROOT/$ID/state.json")
  kill -KILL "$creator"
  wait "$creator" || :
  gone() { [ ! -e "/proc/$pid" ] || grep -q '^State:.*Z' "/proc/$pid/status"; }
  eventually gone # init does not outlive a parent that had not finished
  rt delete --force "$ID"
  assert_nothing_left
}
