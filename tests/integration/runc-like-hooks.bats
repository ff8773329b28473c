#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The six kinds of hooks: order, place, input, failure.
bats_require_minimum_version 1.5.0

load ../lib/common
load ../lib/runtime

setup() {
  make_bundle
  HOOK=$BATS_TEST_TMPDIR/hook
  cat >"$HOOK" <<SH
#!/bin/sh
cat >"$BATS_TEST_TMPDIR/\$1.json"
echo "\$1" >>"$BATS_TEST_TMPDIR/order"
SH
  chmod 755 "$HOOK"
}
teardown() { remove_container; }

hook_is() { # KIND [EXTRA JSON]
  configure --arg kind "$1" --arg path "$HOOK" --argjson extra "${2:-{\}}" \
    '.hooks[$kind] += [{"path":$path,"args":["hook",$kind],"env":["PATH=/usr/bin:/bin"]} + $extra]'
}

seen() { jq -r "$2" "$BATS_TEST_TMPDIR/$1.json"; }

@test "they run in the order of the specification, with the state on standard input" {
  local kind
  for kind in prestart createRuntime createContainer poststart poststop; do hook_is "$kind"; done
  configure '.hooks.startContainer = [{"path":"/bin/sh","args":["sh","-c","cat >/start.json"]}]'
  command_is sh -c 'cat /start.json'
  rt create --bundle "$B" "$ID" </dev/null >"$BATS_TEST_TMPDIR/out" 2>&1
  [ "$(tr '\n' ' ' <"$BATS_TEST_TMPDIR/order")" = "prestart createRuntime createContainer " ]
  pid=$(rt state "$ID" | jq .pid)
  [ "$(seen createRuntime '"\(.id) \(.status) \(.pid) \(.bundle)"')" = "$ID creating $pid $B" ]
  [ "$(seen createContainer .pid)" = 1 ]
  rt start "$ID"
  eventually has_status stopped
  [ "$(jq -r .id "$BATS_TEST_TMPDIR/out")" = "$ID" ]
  rt delete "$ID"
  [ "$(tr '\n' ' ' <"$BATS_TEST_TMPDIR/order")" = "prestart createRuntime createContainer poststart poststop " ]
  [ "$(seen poststop .status)" = stopped ]
}

@test "a hook that fails ends the start, runs poststop, and nothing is left" {
  hook_is poststop
  configure '.hooks.createRuntime = [{"path":"/bin/sh","args":["sh","-c","echo reason >&2; exit 4"]}]'
  run -1 run_shell true
  [[ $output == *"run hook '/bin/sh': exit status 4, stderr: reason"* ]]
  [[ $output == *"/hooks/createRuntime/0"* ]]
  [ "$(cat "$BATS_TEST_TMPDIR/order")" = poststop ]
  assert_nothing_left
}

@test "a hook inside that fails is named with its field" {
  configure '.hooks.createContainer = [{"path":"/bin/false"}]'
  run -1 run_shell true
  [[ $output == *"run hook '/bin/false': exit status 1"* ]]
  [[ $output == *"/hooks/createContainer/0"* ]]
  assert_nothing_left
}

@test "a hook that takes too long is ended" {
  configure '.hooks.createRuntime = [{"path":"/bin/sleep","args":["sleep","1000"],"timeout":1}]'
  run -1 run_shell true
  [[ $output == *"time limit"* ]]
  configure 'del(.hooks.createRuntime) | .hooks.createContainer = [{"path":"/bin/sleep","args":["sleep","1000"],"timeout":1}]'
  run -1 run_shell true
  [[ $output == *"time limit"* ]]
  assert_nothing_left
}

@test "a poststart hook that fails ends the container" {
  configure '.hooks.poststart = [{"path":"/bin/false"}]'
  command_is sleep 1000
  rt create --bundle "$B" "$ID" </dev/null >/dev/null 2>&1
  run -1 rt start "$ID"
  eventually has_status stopped
}
