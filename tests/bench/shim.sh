# SPDX-License-Identifier: Apache-2.0
# shim.sh - what a supervisor costs: log throughput, memory while idle, and how long
# a client waits for its first byte under full load. Our shim and conmon are given
# the same command line, conmon's, the same runtime and the same container.

lines=1000000 # of 88 bytes
runtime=$(command -v runc-like)

bundle() { # DIR ARG...
  local dir=$1
  shift
  mkdir -p "$dir"/rootfs/{bin,proc,sys,dev}
  cp "$(command -v busybox)" "$dir/rootfs/bin/busybox"
  ln -sf busybox "$dir/rootfs/bin/sleep"
  cp "$BENCH_FLOORS/shim_lines" "$dir/rootfs/bin/lines"
  runc-like spec --bundle "$dir" || return
  jq '.ociVersion = "1.0.2" | .process.terminal = false | del(.process.rlimits)
    | .process.args = $ARGS.positional' "$dir/config.json" --args -- "$@" >"$dir/config.new"
  mv "$dir/config.new" "$dir/config.json"
}

begin() { # PROGRAM ID BUNDLE
  mkdir -p "$BENCH_TMP/exits"
  rm -f "$BENCH_TMP/$2.log" "$BENCH_TMP/$2.pid" "$BENCH_TMP/exits/$2"
  "$1" --api-version -c "$2" -u "$2" -r "$runtime" --runtime-arg --root --runtime-arg "$BENCH_TMP/root" \
    -b "$3" -p "$BENCH_TMP/$2.pid" -P "$BENCH_TMP/$2.monitor" --exit-dir "$BENCH_TMP/exits" \
    --full-attach -l "k8s-file:$BENCH_TMP/$2.log" </dev/null >/dev/null 2>&1
  until [ -s "$BENCH_TMP/$2.pid" ] && [ -s "$BENCH_TMP/$2.monitor" ]; do sleep 0.01; done
  # conmon takes its first look at the container after the runtime has ended
  until "$runtime" --root "$BENCH_TMP/root" state "$2" 2>/dev/null | grep -q created; do sleep 0.01; done
  "$runtime" --root "$BENCH_TMP/root" start "$2"
}

end() { # ID
  "$runtime" --root "$BENCH_TMP/root" delete --force "$1" 2>/dev/null
  until [ -e "$BENCH_TMP/exits/$1" ]; do sleep 0.005; done
  rm -f "$BENCH_TMP/$1.log"
}

median() { sort -n | awk '{v[NR] = $1} END {print v[int((NR + 1) / 2)]}'; }

# MB of text a second, from start to exit file; and how many lines are missing.
throughput() { # NAME PROGRAM
  local from
  from=${EPOCHREALTIME/./}
  begin "$2" "$1" "$BENCH_TMP/talk"
  until [ -e "$BENCH_TMP/exits/$1" ]; do sleep 0.005; done
  awk -v us=$((${EPOCHREALTIME/./} - from)) -v n=$lines 'BEGIN {print n * 88 / us}' >>"$BENCH_TMP/$1.mbs"
  record log "$1" lost_lines $((lines - $(grep -c ' stdout F ' "$BENCH_TMP/$1.log")))
  end "$1"
}

idle() { # NAME PROGRAM
  begin "$2" "$1" "$BENCH_TMP/quiet"
  sleep 1.5
  record idle "$1" pss_kib "$(pss_kib "$(cat "$BENCH_TMP/$1.monitor")")"
  end "$1"
}

names=(ours) programs=("$(command -v shim)")
have conmon && names+=(conmon) && programs+=("$(command -v conmon)")
bundle "$BENCH_TMP/talk" /bin/lines "$lines"
bundle "$BENCH_TMP/quiet" /bin/sleep 600
bundle "$BENCH_TMP/flood" /bin/lines 2000000000

for _ in 1 2 3 4 5; do
  for i in "${!names[@]}"; do throughput "${names[$i]}" "${programs[$i]}"; done
done
for i in "${!names[@]}"; do
  record log "${names[$i]}" mb_per_s "$(median <"$BENCH_TMP/${names[$i]}.mbs")"
  idle "${names[$i]}" "${programs[$i]}"
done

# Under full load, to /dev/null: start of the client to its first byte, its own start included.
shim run --detach --runtime "$runtime" --root "$BENCH_TMP/root" --state-dir "$BENCH_TMP/shims" \
  --bundle "$BENCH_TMP/flood" --log k8s-file:/dev/null flood
for _ in 1 2 3 4 5 6 7 8 9; do
  from=${EPOCHREALTIME/./}
  shim attach --no-stdin --state-dir "$BENCH_TMP/shims" flood 2>/dev/null | head -c 1 >/dev/null
  echo $((${EPOCHREALTIME/./} - from)) >>"$BENCH_TMP/attach"
done
record attach ours median_ms "$(median <"$BENCH_TMP/attach" | awk '{print $1 / 1000}')"
kill -KILL "$(cat "$BENCH_TMP/shims/flood/pid")"
until [ ! -e "$BENCH_TMP/shims/flood" ]; do sleep 0.01; done

budget 'shim, log throughput, 88-byte lines' \
  "$(over "$(figure log ours mb_per_s)" "$(figure log conmon mb_per_s)")" '>=' 2 'x conmon'
budget 'shim, lines lost' "$(figure log ours lost_lines)" '<=' 0 lines
budget 'shim, PSS while idle' "$(figure idle ours pss_kib)" '<=' 300 KiB
budget 'attach under full load, first byte' "$(figure attach ours median_ms)" '<=' 10 ms
