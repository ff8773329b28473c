#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The main job: from an image to a supervised, networked, logged container, with
# every part doing its own work, and nothing left behind.
bats_require_minimum_version 1.5.0
load ../lib/common
load ../lib/pipeline

setup_file() { make_store; }

setup() {
  cd "$BATS_TEST_TMPDIR" || return
  remember_host_state
  web=$(unique_id)w
  client=$(unique_id)c
  network=n$RANDOM
}

teardown() { sweep "$web" "$client"; }

# A web server on the network, its port published, started and answering.
start_web() {
  port=$(free_port)
  layers bundle busybox:1 "$web" --name web --network "$network" --publish "$port:80" -- \
    httpd -f -v -p 80 -h /www
  shim run --detach --bundle "$web" --log "json:$web.log" "$web" 3>&-
  eventually curl -sf -o page --max-time 5 "http://127.0.0.1:$port/"
}

# SIGKILL: the server is process 1 of its namespace and has no handlers.
stop_web() {
  runc-like kill "$web" KILL
  eventually gone "$web"
  layers bundle --remove "$web"
}

gone() { ! runc-like state "$1" >/dev/null 2>&1 && [ ! -e "/run/shim/$1" ]; }

@test "a published port answers on the host" {
  start_web
  grep -q 'It runs' page
  run curl -sf --max-time 5 "http://$(hostname -I | cut -d' ' -f1):$port/"
  [ "$status" -eq 0 ] || [ -z "$(hostname -I)" ]
  stop_web
  run ! curl -sf --max-time 5 "http://127.0.0.1:$port/"
  assert_host_state_unchanged
}

@test "eth0 has the address that the network gave, and a default route" {
  start_web
  run -0 runc-like exec "$web" ip -4 -o addr show eth0
  [[ "$output" =~ inet\ 10\.89\.[0-9]+\.[0-9]+/24 ]]
  run -0 runc-like exec "$web" ip route
  [[ "$output" == *"default via 10.89."* ]]
  stop_web
  assert_host_state_unchanged
}

@test "a second container reaches the first by its name" {
  start_web
  layers bundle busybox:1 "$client" --name client --network "$network" -- wget -qO- http://web/
  run -0 shim run --bundle "$client" --log "k8s-file:$client.log" "$client"
  [[ "$output" == *"It runs"* ]]
  grep -qE '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[^ ]+ stdout F .*It runs' "$client.log"
  layers bundle --remove "$client"
  stop_web
  assert_host_state_unchanged
}

@test "what a container writes is on disk, stream by stream" {
  layers bundle busybox:1 "$client" -- sh -c 'echo to-out; echo to-err >&2; printf no-newline'
  run -0 --separate-stderr shim run --bundle "$client" --log "json:$client.json" \
    --log "k8s-file:$client.k8s" "$client"
  [ "$output" = "to-out"$'\n'"no-newline" ]
  [ "$stderr" = to-err ]
  [ "$(jq -r 'select(.stream == "stdout") | .log' "$client.json" | tr -d '\n')" = to-outno-newline ]
  [ "$(jq -r 'select(.stream == "stderr") | .log' "$client.json")" = to-err ]
  jq -e '.time | test("^[0-9-]{10}T[0-9:]{8}[.][0-9]+")' "$client.json"
  [ "$(grep -c ' stdout F to-out$' "$client.k8s")" -eq 1 ]
  [ "$(grep -c ' stderr F to-err$' "$client.k8s")" -eq 1 ]
  grep -q ' stdout [FP] no-newline$' "$client.k8s"
  layers bundle --remove "$client"
  assert_host_state_unchanged
}

@test "the exit status comes back, from the program and from a signal" {
  layers bundle busybox:1 "$client" -- sh -c 'exit 7'
  run -7 shim run --bundle "$client" --log "json:$client.log" --exit-file status "$client"
  [ "$(cat status)" = 7 ]
  # A shell that is process 1 cannot kill itself; its child can be killed.
  edit_config "$client" '.process.args = ["sh", "-c", "sh -c \"kill -KILL \\$\\$\"; exit $?"]'
  run -137 shim run --bundle "$client" --log none "$client"
  layers bundle --remove "$client"
  assert_host_state_unchanged
}

has_open() { readlink "/proc/$1"/fd/* 2>/dev/null | grep -q "/$2\$"; }

@test "a detached container: wait returns how it ended, its log grows while it runs" {
  layers bundle busybox:1 "$client" -- sh -c 'echo started; exec sleep 600'
  shim run --detach --bundle "$client" --log "json:$client.log" "$client" 3>&-
  eventually grep -q started "$client.log"
  shim wait "$client" 3>&- &
  waiter=$!
  eventually has_open "$waiter" status # it waits now: what comes next cannot overtake it
  runc-like kill "$client" KILL
  status=0
  wait "$waiter" || status=$?
  [ "$status" -eq 137 ]
  eventually gone "$client"
  layers bundle --remove "$client"
  assert_host_state_unchanged
}

@test "one line of events for each step, from every part" {
  layers bundle busybox:1 "$client" --network "$network" -- true
  RUNC_LIKE_EVENTS=$PWD/events shim run --bundle "$client" --log none "$client"
  jq -es 'all(.[]; .time and .id and .source and .event)' events
  for source in runc-like shim netsetup; do
    jq -es --arg s "$source" 'any(.[]; .source == $s)' events
  done
  layers bundle --remove "$client"
  assert_host_state_unchanged
}

@test "the same container ten times over leaves nothing" {
  local i
  layers bundle busybox:1 "$client" --network "$network" --memory 64m -- sh -c 'echo once >>/count'
  for ((i = 0; i < 10; i++)); do shim run --bundle "$client" --log none "$client"; done
  [ "$(grep -c once "$client/rootfs/count")" -eq 10 ]
  layers bundle --remove "$client"
  [ ! -e "$client" ]
  assert_host_state_unchanged
}

@test "stopping the supervisor stops the container and undoes everything" {
  layers bundle busybox:1 "$client" --network "$network" -- sh -c 'trap "exit 9" TERM; echo up; while :; do sleep 1 & wait $!; done'
  shim run --bundle "$client" --log "json:$client.log" "$client" >/dev/null 3>&- &
  supervisor=$!
  eventually grep -qs up "$client.log"
  kill -TERM "$supervisor"
  status=0
  wait "$supervisor" || status=$?
  [ "$status" -eq 9 ]
  eventually gone "$client"
  layers bundle --remove "$client"
  assert_host_state_unchanged
}
