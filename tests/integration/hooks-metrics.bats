# SPDX-License-Identifier: Apache-2.0
# hook-metrics: once, in a file, served; and 50 containers with their hooks under the
# real Prometheus and node exporter.
# shellcheck disable=SC2154 # bats sets output and stderr
bats_require_minimum_version 1.5.0
load ../lib/common
load ../lib/runtime
load ../lib/pipeline

setup() {
  need jq curl
  cd "$BATS_TEST_TMPDIR" || return 1
  pids=()
  make_bundle
  configure '.process.args = ["sleep", "600"] | .linux.resources += {memory: {limit: 33554432}, pids: {limit: 50}}'
}

teardown() {
  local one
  for one in "${pids[@]}"; do kill "$one" 2>/dev/null || :; done
  for one in $(ls "$ROOT" 2>/dev/null); do rt delete --force "$one" || :; done
}

background() { # COMMAND... : its output goes to a file
  "$@" >>background.log 2>&1 3>&- &
  pids+=($!)
}

start_container() { # ID
  rt create --bundle "$B" "$1" </dev/null >/dev/null 2>&1
  rt start "$1"
}

metrics() { hook-metrics --root "$ROOT" --state-dir "$PWD/notes" "$@"; }

series() { # NAME [ID] : its value in the text on standard input
  sed -n "s|^$1{id=\"${2:-$ID}\",[^}]*} ||p"
}

@test "one shot: a container's use, in both formats" {
  start_container "$ID"
  metrics >open
  [ "$(tail -n 1 open)" = "# EOF" ]
  [ "$(series container_pids <open)" = 1 ]
  [ "$(series container_memory_limit_bytes <open)" = 33554432 ]
  [ "$(series container_memory_usage_bytes <open)" -gt 0 ]
  [ "$(series container_oom_kills_total <open)" = 0 ]
  [[ "$(series container_cpu_usage_seconds_total <open)" == 0.* ]]
  metrics --prometheus | grep -qx '# TYPE container_cpu_usage_seconds_total counter'
  # Each is declared once, and its samples stay together.
  [ -z "$(grep '^# TYPE' open | sort | uniq -d)" ]
  rt kill "$ID" KILL
  eventually has_status stopped
  run -0 metrics
  [[ $output != *"$ID"* && $output == *"containers_running 0"* ]]
}

@test "a process that has the number of a container's, but is another one" {
  start_container "$ID"
  jq '.startTime -= 1' "$ROOT/$ID/state.json" >new && cat new >"$ROOT/$ID/state.json"
  run -0 metrics
  [[ $output == *"containers_running 0"* ]]
}

@test "served on a unix socket: formats, what is no scrape, a client that hangs, the end" {
  start_container "$ID"
  background hook-metrics --root "$ROOT" --state-dir "$PWD/notes" --listen "unix:$PWD/s"
  eventually test -S s
  get() { curl -s --unix-socket s "$@"; }
  [ "$(get http://x/metrics | series container_pids)" = 1 ]
  run -0 get -H 'Accept: application/openmetrics-text' http://x/metrics
  [[ $output == *"# EOF" ]]
  [ "$(get -o /dev/null -w '%{http_code}' http://x/passwd)" = 404 ]
  [ "$(get -o /dev/null -w '%{http_code}' -d x http://x/metrics)" = 405 ]
  # Connected, and silent: the others are served meanwhile.
  mkfifo silence
  nc -U s <silence >/dev/null 3>&- &
  pids+=($!)
  exec 8>silence
  [ "$(get http://x/metrics | series container_pids)" = 1 ]
  exec 8>&-
  # What has gone is gone from the next scrape.
  rt delete --force "$ID"
  run -0 get http://x/metrics
  [[ $output != *"$ID"* ]]
  kill "${pids[0]}"
  eventually test ! -e s
  run -1 hook-metrics --strict --listen 0.0.0.0:9101
  [[ $output == *"'0.0.0.0' is not the loopback interface"* ]]
}

file_has() { grep -q "id=\"$2\"" "$1" 2>/dev/null; }

@test "as a hook: the file for node exporter, written in the background" {
  mkdir textfile
  configure --arg hook "$BUILD_BIN/hook-metrics" --arg root "$ROOT" --arg file "$PWD/textfile/c.prom" '
    .hooks.poststart = [{path: $hook, args: ["hook-metrics", "--strict", "--background", "--root", $root, "--textfile", $file]}]'
  local i
  for i in 1 2 3 4; do start_container "$ID-$i"; done
  for i in 1 2 3 4; do eventually file_has textfile/c.prom "$ID-$i"; done
  ! grep -q '# EOF' textfile/c.prom || return 1
  run -1 hook-metrics --strict --background --textfile textfile/c.prom <<<'no state'
  [[ $output == *"invalid JSON"* ]]
}

query() { curl -sG --data-urlencode "query=$2" "http://127.0.0.1:$1/api/v1/query" | jq -r '.data.result[0].value[1] // "0"'; }
query_is() { [ "$(query "$1" "$2")" = "$3" ]; }

@test "50 containers with events, audit and metrics: every event once and in order, every series in Prometheus" {
  need prometheus prometheus-node-exporter promtool
  local count=50 i served exporter server
  served=$(free_port) exporter=$(free_port) server=$(free_port)
  mkdir textfile
  configure --arg bin "$BUILD_BIN" --arg dir "$PWD" --arg root "$ROOT" '
    def hook($name; $args): {path: ($bin + "/" + $name), args: ([$name, "--strict"] + $args)};
    def event($name): hook("hook-events"; ["--to", $dir + "/events", "--state-dir", $dir + "/notes", "--event", $name]);
    .hooks = {createRuntime: [event("created"), hook("hook-audit"; ["--to", $dir + "/events"])],
      poststart: [event("started"), hook("hook-metrics"; ["--background", "--root", $root, "--textfile", $dir + "/textfile/c.prom"])],
      poststop: [event("stopped")]}'
  for ((i = 0; i < count; i++)); do start_container "c$i"; done
  # The hooks of the last may have found one waiting that had begun before it.
  metrics --textfile "$PWD/textfile/c.prom"
  promtool check metrics <textfile/c.prom | (! grep -iE 'error|parse')
  background hook-metrics --root "$ROOT" --state-dir "$PWD/notes" --listen "127.0.0.1:$served"
  background prometheus-node-exporter --collector.disable-defaults --collector.textfile \
    --collector.textfile.directory="$PWD/textfile" --web.listen-address="127.0.0.1:$exporter"
  printf '%s\n' 'global: {scrape_interval: 1s}' 'scrape_configs:' \
    "- {job_name: served, static_configs: [{targets: ['127.0.0.1:$served']}]}" \
    "- {job_name: textfile, static_configs: [{targets: ['127.0.0.1:$exporter']}]}" >prometheus.yml
  consoles=$(realpath "$BATS_TEST_DIRNAME/../../contrib/prometheus")
  background prometheus --config.file=prometheus.yml --storage.tsdb.path="$PWD/tsdb" \
    --web.console.templates="$consoles" --web.console.libraries="$consoles" \
    --web.listen-address="127.0.0.1:$server"
  eventually query_is "$server" 'count(count by (id) (container_pids{job="served"}))' $count
  eventually query_is "$server" 'count(count by (id) (container_pids{job="textfile"}))' $count
  query_is "$server" 'sum(container_cpu_usage_seconds_total{job="served"}) > bool 0' 1
  query_is "$server" 'count(scrape_samples_scraped{job="served"} > 500)' 1
  # The dashboard is drawn from the same data.
  run -0 curl -sf "http://127.0.0.1:$server/consoles/containers.html"
  [[ $output == *'id="c49"'* || $output == *'>c49<'* ]]
  for ((i = 0; i < count; i++)); do rt delete --force "c$i"; done
  jq -es --argjson n $count '
    map(select(.event != "audit")) | group_by(.id) | length == $n
      and all(.[]; map(.event) == ["created", "started", "stopped"])' events
  jq -es --argjson n $count 'map(select(.event == "audit").id) | length == $n and (unique | length) == $n' events
}
