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

# The sync pipe says when the container has been created, and its end when the
# monitor has: nothing here waits by the clock.
begin() { # PROGRAM ID BUNDLE
  mkdir -p "$BENCH_TMP/exits"
  rm -f "$BENCH_TMP/$2".{log,pid,sync} "$BENCH_TMP/exits/$2"
  mkfifo "$BENCH_TMP/$2.sync"
  exec 5<>"$BENCH_TMP/$2.sync"
  exec 6<"$BENCH_TMP/$2.sync"
  _OCI_SYNCPIPE=5 "$1" --api-version -c "$2" -u "$2" -r "$runtime" --runtime-arg --root --runtime-arg "$BENCH_TMP/root" \
    -b "$3" -p "$BENCH_TMP/$2.pid" -P "$BENCH_TMP/$2.monitor" --exit-dir "$BENCH_TMP/exits" \
    --full-attach -l "k8s-file:${4:-$BENCH_TMP/$2.log}" </dev/null >/dev/null 2>&1 6<&-
  exec 5>&-
  read -r _ <&6
  "$runtime" --root "$BENCH_TMP/root" start "$2" 6<&-
}

ended() { cat <&6 >/dev/null; }

end() { # ID
  "$runtime" --root "$BENCH_TMP/root" delete --force "$1" 2>/dev/null
  ended
  rm -f "$BENCH_TMP/$1.log"
}

median() { sort -n | awk '{v[NR] = $1} END {print v[int((NR + 1) / 2)]}'; }

# MB of text a second, from start to exit file; and how many lines are missing.
throughput() { # NAME PROGRAM
  local from
  from=${EPOCHREALTIME/./}
  begin "$2" "$1" "$BENCH_TMP/talk"
  ended
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

# Under full load, to /dev/null: from a client's connect to its first byte.
first_byte() { # NAME PROGRAM
  begin "$2" "$1" "$BENCH_TMP/flood" /dev/null
  local _
  for _ in 1 2 3 4 5 6 7 8 9; do
    "$BENCH_FLOORS/shim_first_byte" "$BENCH_TMP/flood/attach"
  done | median | awk '{print $1 / 1000}' >"$BENCH_TMP/$1.first"
  record attach "$1" median_ms "$(cat "$BENCH_TMP/$1.first")"
  end "$1"
}
for i in "${!names[@]}"; do first_byte "${names[$i]}" "${programs[$i]}"; done

# A day of log in a minute: the shim's memory before and after a gigabyte through a
# pipe, into /dev/null and into a file that is rotated all the time.
soak() { # NAME LOG OPTION...
  local name=$1 log=$2
  shift 2
  shim run --detach --runtime "$runtime" --root "$BENCH_TMP/root" --state-dir "$BENCH_TMP/shims" \
    --bundle "$BENCH_TMP/soak" --log "$log" "$@" "$name"
  local pid peak
  pid=$(jq .shimPid "$BENCH_TMP/shims/$name/config")
  while peak=$(awk '/^VmHWM/ {print $2}' "/proc/$pid/status" 2>/dev/null) && [ -n "$peak" ]; do
    echo "$peak" >"$BENCH_TMP/$name.peak"
    sleep 0.5
  done
  record soak "$name" peak_rss_kib "$(cat "$BENCH_TMP/$name.peak")"
}
bundle "$BENCH_TMP/soak" /bin/lines 12000000 # 1 GB
soak null k8s-file:/dev/null
soak rotated "k8s-file:$BENCH_TMP/soak.log" --log-size-max 10000000 --log-max-files 3

budget 'shim, log throughput, 88-byte lines' \
  "$(over "$(figure log ours mb_per_s)" "$(figure log conmon mb_per_s)")" '>=' 2 'x conmon'
budget 'shim, lines lost' "$(figure log ours lost_lines)" '<=' 0 lines
budget 'shim, PSS while idle' "$(figure idle ours pss_kib)" '<=' 300 KiB
budget 'attach under full load, first byte' "$(figure attach ours median_ms)" '<=' 10 ms
budget 'soak, peak RSS while 1 GB is rotated' "$(figure soak rotated peak_rss_kib)" '<=' 4096 KiB
