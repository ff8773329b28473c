# SPDX-License-Identifier: Apache-2.0
# hook-events: alone, and as a hook of a real container.
# shellcheck disable=SC2154 # bats sets output and stderr
bats_require_minimum_version 1.5.0
load ../lib/common
load ../lib/shim

setup() {
  need jq
  cd "$BATS_TEST_TMPDIR" || return 1
  id=$(unique_id)
}

teardown() { kill_leftover "$id"; }

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
  run -0 hook-events --to fifo < <(state web)
}

@test "annotations that do not fit are left out, the event is not" {
  state web | jq -c '.annotations.long = ("x" * 8000)' | hook-events --to events
  jq -es '.[0].id == "web" and (.[0].data | has("annotations") | not)' events
}

@test "as the hooks of a container: created and stopped, in order" {
  make_bundle true
  jq --arg hook "$BUILD_BIN/hook-events" --arg to "$PWD/events" '
    def on($name): [{path: $hook, args: ["hook-events", "--to", $to, "--event", $name]}];
    .hooks = {createRuntime: on("created"), poststart: on("started"), poststop: on("stopped")}' \
    bundle/config.json >new
  mv new bundle/config.json
  shim run --runtime "$RUNTIME" --bundle bundle "$id" 3>&-
  [ "$(jq -r --arg id "$id" 'select(.id == $id).event' events | xargs)" = "created started stopped" ]
}

@test "the files in contrib/hooks.d are OCI hooks 1.0.0" {
  local file
  for file in "$BATS_TEST_DIRNAME"/../../contrib/hooks.d/*.json; do
    jq -e '.version == "1.0.0" and (.hook.path | startswith("/")) and .hook.args[0] == "hook-events"
      and (.when | length > 0) and (.stages | length > 0)' "$file"
  done
}
