# SPDX-License-Identifier: Apache-2.0
# hook-events: alone, and as a hook of a real container.
# shellcheck disable=SC2154 # bats sets output and stderr
bats_require_minimum_version 1.5.0
load ../lib/common
load ../lib/shim

setup() {
  need jq nc
  cd "$BATS_TEST_TMPDIR" || return 1
  id=$(unique_id)
  pids=()
}

teardown() {
  local pid
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || :; done
  umount full 2>/dev/null || :
  kill_leftover "$id"
}

# Nothing of these tests is noted in the host's own directory.
hook-events() { command hook-events --state-dir notes "$@"; }

state() { # ID
  jq -cn --arg id "$1" '{ociVersion: "1.0.2", $id, status: "created", pid: 7, bundle: "/b",
    annotations: {team: "a"}, unknown: [1]}'
}

@test "the state becomes one line" {
  hook-events --to events --event made < <(state web)
  jq -es 'length == 1 and (.[0] | .id == "web" and .source == "hook" and .event == "made"
    and .pid == 7 and .data.bundle == "/b" and .data.annotations.team == "a" and .time != null)' events
  RUNC_LIKE_EVENTS=$PWD/events hook-events < <(state web)
  [ "$(jq -rs '.[1].event' events)" = created ]
}

@test "many writers at once: every line once and whole" {
  local i pids=()
  for ((i = 0; i < 50; i++)); do
    hook-events --to events < <(state "c$i") &
    pids+=($!)
  done
  wait "${pids[@]}"
  [ "$(jq -r .id events | sort -u | wc -l)" -eq 50 ]
  [ "$(wc -l <events)" -eq 50 ]
}

@test "a container starts whatever happens to its events, unless --strict" {
  run -0 --separate-stderr hook-events --to /nonexistent/events < <(state web)
  [[ $stderr == *"/nonexistent/events"* ]]
  run -1 hook-events --strict --to /nonexistent/events < <(state web)
  run -0 hook-events --to events <<<'{"id": 1}'
  [[ $output == *"/id: expected a string"* ]]
  run -1 hook-events --strict --to events <<<'no JSON'
  [ ! -s events ]
  run -2 hook-events --nonsense
  mkfifo fifo
  run -0 --separate-stderr hook-events --to fifo < <(state web)
  [ -z "$stderr" ]
}

@test "a state that is too big, empty, or has the wrong types" {
  run -1 hook-events --strict --to events < <(head -c 2000000 /dev/zero | tr '\0' ' ')
  [[ $output == *EFBIG* ]]
  run -1 hook-events --strict --to events </dev/null
  [[ $output == *"invalid JSON at byte 0"* ]]
  run -1 hook-events --strict --to events <<<'{"id":"a","pid":"x"}'
  [[ $output == *"/pid: expected an integer"* ]]
}

@test "phases, exit status and labels; the notes vanish with the last event" {
  mkdir -p exits docker/containers/web
  echo 7 >exits/web
  echo '{"Config":{"Labels":{"team":"b"}}}' >docker/containers/web/config.v2.json
  local event
  for event in created started stopped; do
    hook-events --to events --exit-dir exits --docker-root docker --event $event < <(state web)
  done
  jq -es '.[1].data.phases.started >= 0 and (.[2].data.phases | has("stopped"))
    and .[2].data.exit_status == 7 and (.[0].data | has("exit_status") | not)
    and .[0].data.labels.team == "b"' events
  [ -z "$(ls notes)" ]
}

@test "several targets; one that is full: the rest get it, what was dropped is counted and shown" {
  mkfifo fifo
  exec 8<>fifo
  dd if=/dev/zero of=fifo oflag=nonblock bs=65536 count=16 2>/dev/null || :
  run -0 --separate-stderr hook-events --to fifo --to events < <(state web)
  exec 8>&-
  [[ $stderr == *"'fifo' is full, or nobody reads it"* ]]
  [ "$(hook-events --dropped)" = 1 ]
  hook-events --to events < <(state web)
  jq -es 'length == 2 and .[1].data.dropped == 1' events
}

@test "a full disk: no half lines, and later ones are whole" {
  mkdir full
  mount -t tmpfs -o size=4k none full
  local i dropped=0
  for ((i = 0; i < 80; i++)); do
    hook-events --strict --to full/events < <(state "c$i") 2>/dev/null || dropped=$((dropped + 1))
  done
  cp full/events events
  umount full
  [ "$dropped" -gt 0 ]
  [ "$(hook-events --dropped)" = "$dropped" ]
  [ "$(jq -r .id events | wc -l)" -eq $((80 - dropped)) ]
}

@test "a file that was renamed away: the next event makes a new one" {
  hook-events --to events < <(state one)
  mv events events.1
  hook-events --to events < <(state two)
  [ "$(jq -r .id events.1 events | xargs)" = "one two" ]
}

@test "syslog, the journal's socket, and a program" {
  listen_datagrams log
  hook-events --to "syslog:$PWD/log" < <(state web)
  eventually grep -q 'hook-events\[[0-9]*\]: {' log.out
  listen_datagrams journal
  hook-events --to "journald:$PWD/journal" --event made < <(state web)
  eventually grep -qx 'CONTAINER_EVENT=made' journal.out
  grep -qx 'CONTAINER_ID=web' journal.out
  printf '#!/bin/sh\ncat >%s\n' "$PWD/got.tmp; mv $PWD/got.tmp $PWD/got" >program
  chmod +x program
  hook-events --to "exec:$PWD/program" < <(state web)
  eventually test -e got
  [ "$(jq -r .id got)" = web ]
  # One that never ends is not waited for.
  printf '#!/bin/sh\nread -r line <%s\n' "$PWD/never" >program
  mkfifo never
  hook-events --to "exec:$PWD/program" < <(state web)
  echo end >never
}

listen_datagrams() { # NAME : a unix datagram socket whose text goes to NAME.out
  nc -lkuU "$PWD/$1" >"$1.out" 3>&- &
  pids+=($!)
  eventually test -S "$1"
}

@test "annotations that do not fit into an atomic line of a FIFO are left out, the event is not" {
  state web | jq -c '.annotations.long = ("x" * 8000)' >long
  hook-events --to events <long
  jq -es 'length == 1 and (.[0].data.annotations.long | length) == 8000' events
  mkfifo fifo
  exec 8<>fifo
  hook-events --to fifo <long
  read -r line <&8
  exec 8>&-
  jq -e '.id == "web" and (.data | has("annotations") | not)' <<<"$line"
}

@test "as the hooks of a container: created and stopped, in order" {
  make_bundle true
  jq --arg hook "$BUILD_BIN/hook-events" --arg to "$PWD/events" --arg notes "$PWD/notes" '
    def on($name): [{path: $hook, args: ["hook-events", "--state-dir", $notes, "--to", $to, "--event", $name]}];
    .hooks = {createRuntime: on("created"), poststart: on("started"), poststop: on("stopped")}' \
    bundle/config.json >new
  mv new bundle/config.json
  shim run --runtime "$RUNTIME" --bundle bundle "$id" 3>&-
  [ "$(jq -r --arg id "$id" 'select(.id == $id).event' events | xargs)" = "created started stopped" ]
}

@test "the files in contrib/hooks.d are OCI hooks 1.0.0: hook-inject takes them" {
  local file name
  mkdir hooks.d
  for file in "$BATS_TEST_DIRNAME"/../../contrib/hooks.d/*.json; do
    name=$(jq -r '.hook.args[0]' "$file")
    [ -x "$BUILD_BIN/$name" ]
    jq --arg bin "$BUILD_BIN/" '.hook.path |= sub("^/usr/local/bin/"; $bin)' "$file" >"hooks.d/${file##*/}"
    # Each hook has its file.
    echo "$name" >>named
  done
  for file in "$BATS_TEST_DIRNAME"/../../hooks/hook-*.cc; do
    name=${file##*/}
    case $name in hook-inject.cc | hook-notify-post.cc) continue ;; esac
    grep -qx "${name%.cc}" named
  done
  hook-inject --strict --hooks-dir hooks.d <<<'{"ociVersion": "1.0.2", "process": {"args": ["x"]}}' |
    jq -e '.hooks.createRuntime | length > 1'
}
