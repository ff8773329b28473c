# SPDX-License-Identifier: Apache-2.0
# shim with a runtime: $RUNTIME, by default ours. The runtime is only ever run.
# shellcheck disable=SC2016 # the shell within the container is to expand
# shellcheck disable=SC2154 # bats sets output, stderr and stderr_lines
bats_require_minimum_version 1.5.0
load ../lib/common
load ../lib/shim

setup() {
  need jq
  cd "$BATS_TEST_TMPDIR" || return 1
  id=$(unique_id)
}

teardown() {
  kill_leftover "$id"
  rm -rf "$BATS_TEST_TMPDIR/bundle"
}

shim_run() { shim run --runtime "$RUNTIME" --bundle bundle "$@" 3>&-; }

@test "output and error reach the caller and both logs, the status comes back" {
  make_bundle sh -c 'echo to-out; echo to-err >&2; exit 7'
  run -7 --separate-stderr shim_run --log k8s-file:k.log --log json:j.log --exit-file exit "$id"
  [ "$output" = to-out ]
  [ "$stderr" = to-err ]
  [ "$(cat exit)" = 7 ]
  grep -qE '^[0-9T:.-]{29}[+-][0-9:]{5} stdout F to-out$' k.log
  grep -qE '^[0-9T:.-]{29}[+-][0-9:]{5} stderr F to-err$' k.log
  [ "$(jq -r 'select(.stream == "stderr").log' j.log)" = to-err ]
  [ "$(wc -l <j.log)" -eq 2 ]
  assert_nothing_left "$id"
}

@test "a signal's status is 128 more than its number" {
  make_bundle sleep 600
  shim_run --detach --exit-file exit "$id"
  kill -KILL "$(cat "/run/shim/$id/pid")"
  eventually gone "$id"
  [ "$(cat exit)" = 137 ]
  assert_nothing_left "$id"
}

@test "SIGTERM for the shim goes to the container, whose status comes back" {
  make_bundle sh -c 'trap "echo bye; exit 9" TERM; echo up; while :; do sleep 1 & wait $!; done'
  shim run --runtime "$RUNTIME" --bundle bundle --log json:j.log "$id" >/dev/null 3>&- &
  local supervisor=$! status=0
  eventually grep -qs up j.log
  kill -TERM "$supervisor"
  wait "$supervisor" || status=$?
  [ "$status" -eq 9 ]
  grep -q bye j.log
  assert_nothing_left "$id"
}

@test "many lines arrive once, in order, whole, and none is lost at the exit" {
  make_bundle sh -c 'seq 1 50000; exit 0'
  shim_run --log k8s-file:k.log --log json:j.log "$id" >copy
  seq 1 50000 >expected
  cmp copy expected
  k8s_text k.log | cmp - expected
  jq -j .log j.log | cmp - expected
  assert_nothing_left "$id"
}

@test "rotation by size loses no line" {
  make_bundle sh -c 'seq 1 20000'
  shim_run --detach --log k8s-file:k.log --log-size-max 100000 --log-max-files 99 "$id"
  shim wait "$id" || :
  [ "$(stat -c %s k.log.1)" -le 100000 ]
  [ -e k.log.2 ]
  local n
  for ((n = 99; n > 0; n--)); do [ ! -e "k.log.$n" ] || cat "k.log.$n"; done >all
  k8s_text all k.log | cmp - <(seq 1 20000)
}

@test "any byte goes through: k8s-file as it is, JSON as valid JSON" {
  make_bundle sh -c 'printf "\000\001\033[1m\377\376 end\n"; printf "no newline"'
  shim_run --log k8s-file:k.log --log json:j.log "$id" >copy
  printf '\000\001\033[1m\377\376 end\nno newline' >expected
  cmp copy expected
  cut -d' ' -f4- <k.log | head -n 1 | cmp - <(head -n 1 expected)
  grep -aq ' stdout P no newline$' k.log
  jq -es 'length == 2 and (.[1].log == "no newline")' j.log
}

@test "a full disk holds the container up and loses nothing" {
  mkdir disk
  mount -t tmpfs -o size=256k shim-test disk || skip "no tmpfs can be mounted"
  make_bundle sh -c 'seq 1 20000'
  shim_run --detach --events events --log k8s-file:disk/k.log "$id"
  eventually grep -qs log-blocked events
  grep -q ENOSPC events
  [ -e "/run/shim/$id" ]
  mount -o remount,size=8m disk
  shim wait "$id" || :
  k8s_text disk/k.log | cmp - <(seq 1 20000)
  grep -q log-resumed events
  umount disk
}

@test "standard input goes in, its end too" {
  make_bundle sh -c 'while read -r l; do echo "got $l"; done; echo end'
  run -0 shim_run --interactive "$id" < <(printf 'a\nb\n')
  [ "$output" = $'got a\ngot b\nend' ]
  printf 'file\n' >input
  run -0 shim_run -i "$id" <input
  [ "$output" = $'got file\nend' ]
  run -0 shim_run "$id" <input
  [ "$output" = end ]
  assert_nothing_left "$id"
}

@test "attach: output, input, its end and the status" {
  make_bundle sh -c 'while read -r l; do echo "got $l"; echo "no $l" >&2; done; exit 3'
  shim_run --detach -i --log none "$id"
  run -3 --separate-stderr shim attach "$id" < <(printf 'a\nb\n')
  [ "$output" = $'got a\ngot b' ]
  [ "$stderr" = $'no a\nno b' ]
  assert_nothing_left "$id"
}

@test "a client that does not read does not hold the container up" {
  make_bundle sh -c 'read -r l; seq 1 100000; exit 4'
  shim_run --detach -i --events events --log k8s-file:k.log "$id"
  shim attach --no-stdin "$id" >/dev/null 3>&- &
  local stuck=$!
  eventually has_socket "$stuck"
  kill -STOP "$stuck"
  shim wait "$id" >answer 3>&- &
  local waiter=$! status=0
  eventually has_open "$waiter" status
  shim attach "$id" < <(echo go) >/dev/null || :
  wait "$waiter" || status=$?
  [ "$status" -eq 4 ]
  kill -KILL "$stuck"
  k8s_text k.log | cmp - <(seq 1 100000)
  grep -q attach-dropped events
}
has_open() { readlink "/proc/$1"/fd/* | grep -q "/$2\$"; }
has_socket() { readlink "/proc/$1"/fd/* | grep -q socket; }

@test "logs, from both formats, and followed to the end" {
  make_bundle sh -c 'read -r l; echo "one"; echo two >&2; printf three'
  local format
  for format in k8s-file json; do
    shim_run --detach -i --log "$format:$format.log" --keep "$id"
    shim logs --follow "$id" >followed 3>&- &
    local follower=$!
    shim attach "$id" < <(echo go) >/dev/null 2>&1
    wait "$follower"
    run -0 --separate-stderr shim logs "$id"
    [ "$output" = $'one\nthree' ]
    [ "$stderr" = two ]
    [ "$(cat followed)" = $'one\nthree' ]
    [ "$(cat "/run/shim/$id/exit")" = 0 ]
    "$RUNTIME" delete --force "$id"
    rm -rf "/run/shim/$id"
  done
}

@test "a terminal: one stream, with a size, and resized from outside" {
  make_bundle --terminal sh -c 'test -t 0 && test -t 1 && stty size; read -r l; stty size; exit 5'
  shim_run --detach --tty --log k8s-file:k.log "$id"
  eventually grep -q ' stdout F ' k.log
  shim resize "$id" 33 99
  run -5 shim attach "$id" < <(echo go)
  grep -q 'F 33 99' k.log
  assert_nothing_left "$id"
}

@test "events: start and exit, with pid and status" {
  make_bundle sh -c 'exit 6'
  run -6 shim_run --events events "$id"
  jq -es --arg id "$id" 'map(select(.source == "shim")) | .[0].event == "start" and .[0].pid > 0
    and .[1].event == "exit" and .[1].data.status == 6 and all(.[]; .id == $id)' events
}

@test "reopen writes to the new file after a rename" {
  make_bundle sh -c 'echo one; read -r l; echo two'
  shim_run --detach -i --log k8s-file:k.log "$id"
  eventually grep -q one k.log
  mv k.log k.old
  shim reopen "$id"
  eventually test -e k.log
  shim attach "$id" < <(echo go) >/dev/null
  grep -q two k.log
  [ "$(wc -l <k.old)" -eq 1 ]
}

@test "a failed start is one line, the right status, and leaves nothing" {
  local detach
  make_bundle /nonexistent
  for detach in "" --detach; do
    # shellcheck disable=SC2086 # empty: no word
    run -127 --separate-stderr shim_run $detach --log k8s-file:k.log "$id"
    [ "${#stderr_lines[@]}" -eq 1 ]
    [[ $stderr == *nonexistent* ]]
  done
  make_bundle /etc/passwd
  run -126 --separate-stderr shim_run "$id"
  [ "${#stderr_lines[@]}" -eq 1 ]
  rm bundle/config.json
  run -1 --separate-stderr shim_run "$id"
  [[ $stderr == *config.json* ]]
  run -1 --separate-stderr shim run --runtime /nonexistent/runtime --bundle bundle "$id"
  [[ $stderr == *"/nonexistent/runtime"*ENOENT* ]]
  run -1 --separate-stderr shim_run --log json:/nonexistent/log "$id"
  [[ $stderr == *"/nonexistent/log"*ENOENT* ]]
  assert_nothing_left "$id"
}

@test "an id in use is refused and the container that has it is not touched" {
  make_bundle sleep 600
  shim_run --detach "$id"
  run -1 --separate-stderr shim_run "$id"
  [[ $stderr == *"already exists"* ]]
  [ -e "/run/shim/$id/attach" ]
  kill -KILL "$(cat "/run/shim/$id/pid")"
  eventually gone "$id"
  assert_nothing_left "$id"
}

@test "wrong usage is 2 and says what" {
  run -2 shim run
  run -2 shim run --nonsense x
  run -1 shim run --log nonsense:x x
  [[ $output == *"unknown log driver 'nonsense'"* ]]
  run -1 shim logs nonexistent
  [[ $output == *"no container 'nonexistent'"* ]]
}

@test "a killed shim leaves an honest answer, and its id can be used again" {
  make_bundle sleep 600
  shim_run --detach "$id"
  shim wait "$id" >answer 2>&1 3>&- &
  local waiter=$! pid
  pid=$(cat "/run/shim/$id/pid")
  # The waiter must have the file open before its shim goes.
  eventually has_open "$waiter" status
  kill -KILL "$(jq .shimPid "/run/shim/$id/config")"
  kill -KILL "$pid"
  wait "$waiter" && return 1
  eventually test ! -e "/proc/$pid"
  "$RUNTIME" delete --force "$id"
  make_bundle true
  run -0 shim_run "$id"
  assert_nothing_left "$id"
}

@test "passthrough: the container has the shim's own streams" {
  make_bundle sh -c 'readlink /proc/self/fd/1; cat; exit 2'
  run -2 shim_run --log passthrough "$id" < <(echo through)
  [[ $output == *pipe:*through ]]
  echo x >input
  shim_run --log passthrough "$id" <input >file || :
  grep -q x file
}

@test "a kill for want of memory is an event" {
  make_bundle sh -c 'tail /dev/zero'
  jq '.linux.resources.memory = {limit: 16777216, swap: 16777216}' bundle/config.json >new
  mv new bundle/config.json
  run shim_run --events events "$id"
  [ "$status" -ne 0 ]
  jq -es 'map(select(.source == "shim").event) == ["start", "oom", "exit"]' events
}
