# SPDX-License-Identifier: Apache-2.0
# shim over a container's lives: restarts, health, stop, adoption, and what others see.
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
  local one
  for one in "$id" "$id-2"; do
    [ ! -e "/run/shim/$one" ] || kill -KILL "$(jq .shimPid "/run/shim/$one/config")" 2>/dev/null || :
    "$RUNTIME" delete --force "$one" 2>/dev/null || :
    rm -rf "/run/shim/$one"
  done
  rm -rf "$BATS_TEST_TMPDIR/bundle"
}

shim_run() { shim run --runtime "$RUNTIME" --bundle bundle "$@" 3>&-; }
pid_of() { cat "/run/shim/$1/pid"; }
shim_of() { jq .shimPid "/run/shim/$1/config"; }
status_is() { [ "$(shim ps --json | jq -r "select(.id == \"$1\").status")" = "$2" ]; }
ended() { ! kill -0 "$1" 2>/dev/null; }

@test "on-failure starts it again, so often; each wait is longer; the last status comes back" {
  make_bundle sh -c 'echo life; exit 3'
  run -3 shim_run --restart on-failure:2 --events events --log k8s-file:k.log "$id"
  [ "$(grep -c 'F life' k.log)" -eq 3 ]
  jq -es 'map(select(.event == "restart").data) == [{restart: 1, delayMs: 100}, {restart: 2, delayMs: 200}]' \
    <(grep '"source":"shim"' events)
  [ "$(grep -c '"event":"exit"' events)" -ge 3 ]
  assert_nothing_left "$id"
}

@test "a container that is killed lives again; a stop is obeyed" {
  make_bundle sleep 600
  shim_run --detach --restart unless-stopped --stop-timeout 60s "$id"
  local first
  first=$(pid_of "$id")
  kill -KILL "$first"
  another() { [ -s "/run/shim/$id/pid" ] && [ "$(pid_of "$id")" != "$first" ] && status_is "$id" running; }
  eventually another
  [ "$(shim ps --json | jq "select(.id == \"$id\").restarts")" -eq 1 ]
  shim wait "$id" >answer 3>&- &
  local waiter=$!
  # sleep has no handler, and as pid 1 it ignores SIGTERM: the second stop kills
  eventually open_by "$waiter"
  kill -TERM "$(shim_of "$id")"
  kill -TERM "$(shim_of "$id")"
  wait "$waiter" || :
  [ "$(cat answer)" = 137 ]
  eventually gone "$id"
  assert_nothing_left "$id"
}
open_by() { readlink "/proc/$1"/fd/* | grep -q "/status\$"; }

@test "stop: the signal, then the time, then the kill; while waiting for a restart too" {
  make_bundle sh -c 'trap "" TERM INT; echo up; while :; do sleep 1; done'
  shim_run --detach --stop-timeout 500ms --stop-signal INT --events events --log k8s-file:k.log "$id"
  eventually grep -qs up k.log
  shim stop "$id"
  grep -q stop-timeout events
  eventually gone "$id"
  make_bundle false
  shim_run --detach --restart always --log k8s-file:k.log "$id"
  restarting() { [ "$(jq .restarts "/run/shim/$id/config")" -ge 2 ]; }
  eventually restarting
  shim stop "$id"
  eventually gone "$id"
  assert_nothing_left "$id"
}

@test "health: starting, healthy, unhealthy and killed, in the state directory and in events" {
  make_bundle sh -c 'while :; do sleep 1; done'
  shim_run --detach --events events --health-cmd 'echo "so: $(cat /tmp/ill)"; test ! -e /tmp/ill' \
    --health-interval 100ms --health-retries 2 --health-on-failure kill "$id"
  eventually grep -q '"health".*"healthy"' events
  [ "$(jq -r .status "/run/shim/$id/health")" = healthy ]
  [ "$(shim ps --json | jq -r "select(.id == \"$id\").health")" = healthy ]
  shim wait "$id" >answer 3>&- &
  local waiter=$!
  eventually open_by "$waiter"
  echo fever >bundle/rootfs/tmp/ill
  wait "$waiter" || :
  [ "$(cat answer)" = 137 ]
  grep -q '"health".*"unhealthy","failures":2' events
  assert_nothing_left "$id"
}

@test "health: a check that takes too long has failed, and leaves no process" {
  make_bundle sh -c 'while :; do sleep 1; done'
  shim_run --detach --events events --health-cmd 'exec sleep 4711' \
    --health-interval 100ms --health-timeout 200ms --health-retries 1 "$id"
  eventually grep -q '"unhealthy"' events
  [ "$(jq .exitStatus "/run/shim/$id/health")" -eq 124 ]
  shim stop --time 1ms "$id" # the shell does not listen to SIGTERM
  eventually gone "$id"
  ! pgrep -f 'sleep 4711'
}

@test "exec, ps and stats" {
  make_bundle sh -c 'while :; do sleep 1; done'
  jq '.linux.resources = {memory: {limit: 33554432}, pids: {limit: 20}, cpu: {shares: 512}}' bundle/config.json >new
  mv new bundle/config.json
  shim_run --detach "$id"
  run -7 shim exec --env A=b "$id" sh -c 'echo "in $A"; exit 7'
  [ "$output" = "in b" ]
  run -0 shim ps
  [[ ${lines[0]} == ID*PID*STATUS*HEALTH*RESTARTS* ]]
  grep -qE "^$id +$(pid_of "$id") +running +- +0 " <<<"$output"
  shim stats "$id" | jq -e '.memory_usage_bytes > 0 and .memory_limit_bytes == 33554432 and .pids >= 1
    and .pids_limit == 20'
  # Under version 1 a container has a cgroup of its own only where it has a limit.
  ! is_cgroup2 || shim stats "$id" | jq -e '.cpu_usage_seconds_total > 0'
  shim stats --format openmetrics >metrics
  grep -q "^container_pids{id=\"$id\"} [0-9]" metrics
  grep -q '^# TYPE container_cpu_usage_seconds counter' metrics
  [ "$(tail -n 1 metrics)" = '# EOF' ]
  kill -KILL "$(pid_of "$id")"
  eventually gone "$id"
}

@test "wait for many: as they end, and the first" {
  make_bundle sh -c 'read -r l; exit $l'
  shim_run --detach -i "$id"
  shim_run --detach -i "$id-2"
  shim wait --each "$id" "$id-2" >each 3>&- &
  local each=$!
  shim wait --any "$id" "$id-2" >any 3>&- &
  local any=$!
  shim wait "$id" "$id-2" >both 3>&- &
  local both=$! one
  for one in "$each" "$any" "$both"; do eventually open_by "$one"; done
  shim attach "$id-2" < <(echo 5) || :
  wait "$any" || [ $? -eq 5 ]
  [ "$(cat any)" = "$id-2 5" ]
  shim attach "$id" < <(echo 6) || :
  wait "$each" || [ $? -eq 6 ]
  [ "$(cat each)" = "$id-2 5"$'\n'"$id 6" ]
  wait "$both" || [ $? -eq 5 ]
  [ "$(cat both)" = 6$'\n'5 ]
}

@test "a killed shim: the container goes on, is adopted, and no line is lost" {
  make_bundle sh -c 'i=0; while [ ! -e /tmp/stop ]; do i=$((i + 1)); echo "line $i"; sleep 0.01; done; echo "last $i"; exit 9'
  shim_run --detach --events events --log k8s-file:k.log --exit-file exit "$id"
  eventually grep -qs 'line 20' k.log
  local shim pid
  shim=$(shim_of "$id")
  pid=$(pid_of "$id")
  # What the shim has read and not yet written would go with it: at rest it has nothing.
  kill -STOP "$pid"
  eventually asleep "$shim"
  kill -KILL "$shim"
  eventually ended "$shim"
  eventually status_is "$id" lost
  kill -CONT "$pid"
  shim adopt "$id"
  status_is "$id" running
  [ "$(shim_of "$id")" != "$shim" ]
  shim wait "$id" >answer 2>&1 3>&- &
  local waiter=$!
  eventually open_by "$waiter"
  touch bundle/rootfs/tmp/stop
  wait "$waiter" || :
  eventually gone "$id"
  k8s_text k.log >text
  seq -f 'line %.0f' "$(($(wc -l <text) - 1))" | cmp - <(head -n -1 text)
  grep -q "^last $(($(wc -l <text) - 1))\$" text
  # Newer kernels tell anybody; otherwise it is said that nobody knows.
  [ "$(cat answer)" = 9 ] || [[ "$(cat answer)" == *unknown* ]]
  if [ "$(cat answer)" != 9 ]; then jq -es 'map(select(.event == "exit"))[0].data.unknown' events; fi
  grep -q '"event":"adopt"' events
  assert_nothing_left "$id"
}

asleep() { [ "$(cut -d' ' -f3 "/proc/$1/stat")" = S ] && [ "$(cat "/proc/$1/wchan")" != pipe_read ]; }

@test "a container that ended without a shim: said so, and cleared away" {
  make_bundle sleep 600
  shim_run --detach "$id"
  local shim pid
  shim=$(shim_of "$id")
  pid=$(pid_of "$id")
  run -1 shim adopt "$id"
  [[ $output == *"supervised already"* ]]
  kill -KILL "$shim"
  kill -KILL "$pid"
  eventually test ! -e "/proc/$pid"
  run -1 shim adopt "$id"
  [[ $output == *"exit status is unknown"* ]]
  assert_nothing_left "$id"
}
