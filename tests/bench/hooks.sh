# SPDX-License-Identifier: Apache-2.0
# hooks.sh - what hooks cost: each from its start to its end, a container with hooks
# beside one without, and one scrape of 1,000 running containers.

state=$BENCH_TMP/state.json
bundle=$BENCH_TMP/bundle
mkdir -p "$bundle"/rootfs/{bin,proc,sys,dev,etc,tmp}
cp "$(command -v busybox)" "$bundle/rootfs/bin/busybox"
for name in sh true sleep; do ln -sf busybox "$bundle/rootfs/bin/$name"; done
runc-like spec --bundle "$bundle"
jq '.process.terminal = false | .process.args = ["/bin/true"] | .root.readonly = false
  | .linux.resources += {memory: {limit: 16777216}, pids: {limit: 10}}' "$bundle/config.json" >"$BENCH_TMP/plain.json"
cp "$BENCH_TMP/plain.json" "$bundle/config.json"
jq -n --arg bundle "$bundle" '{ociVersion: "1.0.2", id: "bench", status: "created", pid: 0, $bundle}' >"$state"

# Floor: what it costs to start and end any static program of that kind.
compare 'one event' -r 60 -w 5 -s 10 -i "$state" -- \
  ours hook-events --to "$BENCH_TMP/events" --state-dir "$BENCH_TMP/notes" :: floor busybox true
compare 'one audit' -r 60 -w 5 -s 10 -i "$state" -- \
  ours hook-audit --to "$BENCH_TMP/events" :: floor busybox true
compare 'one configuration' -r 60 -w 5 -s 10 -i "$BENCH_TMP/plain.json" -- \
  ours hook-inject --hooks-dir "$BENCH_TMP/none" :: floor busybox true

# A container with events and audit, beside one without.
mkdir -p "$BENCH_TMP/hooked"
ln -s "$bundle/rootfs" "$BENCH_TMP/hooked/rootfs"
jq --arg bin "$BENCH_BIN" --arg dir "$BENCH_TMP" '
  def event($name): {path: ($bin + "/hook-events"), args: ["hook-events", "--to", $dir + "/events", "--state-dir", $dir + "/notes", "--event", $name]};
  .root.path = $dir + "/bundle/rootfs"
  | .hooks = {createRuntime: [event("created"), {path: ($bin + "/hook-audit"), args: ["hook-audit", "--to", $dir + "/events"]}],
    poststart: [event("started")]}' "$BENCH_TMP/plain.json" >"$BENCH_TMP/hooked/config.json"
compare 'run of /bin/true' -r 60 -w 5 -s 20 -- \
  ours runc-like --root "$BENCH_TMP/root" run -b "$BENCH_TMP/hooked" 'h{n}' :: \
  bare runc-like --root "$BENCH_TMP/root" run -b "$bundle" 'b{n}'

# Running containers, started without hooks.
count=1000
jq '.process.args = ["/bin/sleep", "600"]' "$BENCH_TMP/plain.json" >"$bundle/config.json"
from=$EPOCHREALTIME
running=0
while [ "$running" -lt $count ] && awk -v a="$from" -v b="$EPOCHREALTIME" 'BEGIN { exit !(b - a < 60) }'; do
  runc-like --root "$BENCH_TMP/many" create -b "$bundle" "c$running" </dev/null >/dev/null 2>&1 || break
  runc-like --root "$BENCH_TMP/many" start "c$running" || break
  running=$((running + 1))
done
record scrape ours containers "$running"
hook-metrics --root "$BENCH_TMP/many" --listen "unix:$BENCH_TMP/s" &
server=$!
until curl -sfo "$BENCH_TMP/scrape" --unix-socket "$BENCH_TMP/s" http://x/metrics; do sleep 0.05; done
for _ in 1 2 3 4 5 6 7 8 9; do
  curl -s --unix-socket "$BENCH_TMP/s" http://x/metrics | awk '/^containers_sampling_seconds / { print $2 * 1000 }'
done | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }' >"$BENCH_TMP/median"
record scrape ours median_ms "$(cat "$BENCH_TMP/median")"
record scrape ours bytes "$(stat -c %s "$BENCH_TMP/scrape")"
kill "$server"
for ((i = 0; i < running; i++)); do
  runc-like --root "$BENCH_TMP/many" delete --force "c$i" >/dev/null 2>&1
done

less() { [ -n "${1:-}" ] && [ -n "${2:-}" ] && awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a - b }'; }
budget 'hook-events, start to end' "$(figure 'one event' ours median_ms)" '<=' 1 ms
budget 'hook-audit, start to end' "$(figure 'one audit' ours median_ms)" '<=' 1 ms
budget 'events and audit, more per container' \
  "$(less "$(figure 'run of /bin/true' ours median_ms)" "$(figure 'run of /bin/true' bare median_ms)")" '<=' 3 ms
if [ "$running" -eq $count ]; then scraped=$(cat "$BENCH_TMP/median"); else scraped=; fi
budget '1,000 containers scraped, served' "$scraped" '<=' 50 ms
