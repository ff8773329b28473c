# SPDX-License-Identifier: Apache-2.0
# The shim when things go wrong: killed at each step, floods, clients that are dead.
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
  [ ! -e "/run/shim/$id" ] || kill -KILL "$(jq .shimPid "/run/shim/$id/config")" 2>/dev/null || :
  "$RUNTIME" delete --force "$id" 2>/dev/null || :
  rm -rf "/run/shim/$id"
  umount disk 2>/dev/null || :
  rm -rf "$BATS_TEST_TMPDIR/bundle"
}

shim_run() { shim run --runtime "$RUNTIME" --bundle bundle "$@" 3>&-; }

@test "the exit is told although the disk is full, and the log is complete when there is room" {
  mkdir disk
  mount -t tmpfs -o size=128k shim-test disk || skip "no tmpfs can be mounted"
  make_bundle sh -c 'read -r l; seq 1 200000; exit 5'
  shim_run --detach -i --events events --log k8s-file:disk/k.log --exit-file exit "$id"
  head -c 110000 /dev/zero >disk/ballast
  shim attach "$id" < <(echo go) >/dev/null 3>&- &
  eventually grep -qs log-blocked events
  kill -KILL "$(cat "/run/shim/$id/pid")"
  eventually test -s exit
  [ "$(cat exit)" = 137 ]
  grep -q log-late events
  [ -e "/run/shim/$id" ]
  mount -o remount,size=8m disk
  eventually gone "$id"
  # All that the container could write before its end, without a gap; its last line
  # may have been cut by the kill.
  k8s_text disk/k.log | sed '$d' >text
  [ -s text ]
  cmp text <(seq 1 "$(wc -l <text)")
  ! grep -q log-dropped events
}

@test "100 MB without a newline, and closed output: an end, and every byte" {
  make_bundle sh -c 'head -c 100000000 /dev/zero; exec >&- 2>&-; exit 6'
  run -6 shim_run --log k8s-file:/dev/null --log "|wc -c >count" "$id" >/dev/null
  eventually grep -qsx 100000000 count
}

@test "a fork bomb stays within its limit, and the shim with it" {
  make_bundle sh -c '(i=0; while [ $i -lt 200 ]; do sleep 600 & i=$((i + 1)); done); echo after; exec sleep 600'
  jq '.linux.resources.pids = {limit: 40}' bundle/config.json >new
  mv new bundle/config.json
  shim_run --detach --log k8s-file:k.log "$id"
  eventually grep -qs 'stdout F after' k.log
  grep -q "stderr F .*can't fork" k.log
  shim stats "$id" | jq -e '.pids > 30 and .pids <= 40'
  shim stop --time 1ms "$id"
  eventually gone "$id"
  assert_nothing_left "$id"
}

# Wherever it is killed: the id can be used again, and nobody is told a wrong status.
@test "the shim is killed at each file that it renames" {
  need strace
  make_bundle sh -c 'exit 5'
  local k
  for k in 1 2 3 4; do
    echo "# rename $k"
    rm -f exit
    strace -qq -o /dev/null -e trace=rename,renameat,renameat2 \
      -e "inject=rename,renameat,renameat2:signal=SIGKILL:when=$k" \
      shim run --runtime "$RUNTIME" --bundle bundle --exit-file exit "$id" 3>&- >/dev/null 2>&1 || :
    [ ! -s exit ] || [ "$(cat exit)" = 5 ]
    if [ -e "/run/shim/$id/status" ]; then
      run shim wait "$id"
      [ "$output" = 5 ] || [[ $output == *unknown* ]]
    fi
    shim adopt "$id" 2>/dev/null || :
    "$RUNTIME" delete --force "$id" 2>/dev/null || :
    run -5 shim_run "$id"
  done
  assert_nothing_left "$id"
}

@test "a container that runs without its shim is not overwritten" {
  make_bundle sleep 600
  shim_run --detach "$id"
  local shim
  shim=$(jq .shimPid "/run/shim/$id/config")
  kill -KILL "$shim"
  eventually test ! -e "/proc/$shim"
  run -1 shim_run "$id"
  [[ $output == *"shim adopt"* ]]
  shim adopt "$id"
  kill -KILL "$(cat "/run/shim/$id/pid")"
  eventually gone "$id"
  assert_nothing_left "$id"
}
