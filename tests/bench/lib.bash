# SPDX-License-Identifier: Apache-2.0
# lib.bash - what every benchmark starts from. tests/bench/run sets
#   BENCH_NAME      the benchmark
#   BENCH_TMP       a directory of its own on tmpfs, removed afterwards
#   BENCH_BIN       our executables; also first in PATH
#   BENCH_FLOORS    the compiled floor programs, and `interleave`
#   BENCH_RESULTS   one JSON object per measured command
#   BENCH_BUDGETS   one JSON object per budget

# have PROGRAM... : false, with a note, when one is missing. Peers are optional.
have() {
  local program
  for program in "$@"; do
    command -v "$program" >/dev/null || [ -x "$program" ] || {
      echo "  ($program is not installed: left out)"
      return 1
    }
  done
}

# compare CASE [OPTION]... -- NAME [-b SHELL] [-a SHELL] COMMAND... [:: NAME ...]...
# The interleaved measurement; options as in interleave.c. Name ours `ours`, the
# floor `floor`, a peer as its program: the budgets look them up by name.
compare() {
  local case=$1 options=()
  shift
  while [ "$1" != -- ]; do options+=("$1") && shift; done
  shift
  "$BENCH_FLOORS/interleave" -n "$BENCH_NAME" -c "$case" -o "$BENCH_RESULTS" "${options[@]}" -- "$@"
}

# figure CASE NAME FIELD: one number of the last such measurement; nothing when it
# was not made. FIELD: median_ms min_ms p90_ms cpu_ms rss_kib ratio pair_ratio, or
# one that `record` wrote.
figure() {
  jq -rs --arg b "$BENCH_NAME" --arg c "$1" --arg n "$2" --arg f "$3" \
    'map(select(.bench == $b and .case == $c and .name == $n and has($f))) | last | .[$f]? // empty' "$BENCH_RESULTS"
}

# record CASE NAME FIELD NUMBER: a figure measured some other way (PSS, MB/s).
record() {
  printf '  %-26s %-34s %s %s\n' "$2" "$1" "$4" "$3"
  jq -cn --arg b "$BENCH_NAME" --arg c "$1" --arg n "$2" --arg f "$3" --argjson v "$4" \
    '{bench: $b, case: $c, name: $n, ($f): $v}' >>"$BENCH_RESULTS"
}

# over A B: A / B with two decimals; nothing when either is missing.
over() { [ -n "${1:-}" ] && [ -n "${2:-}" ] && awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a / b }'; }

# budget WHAT FOUND "<=|>=" LIMIT UNIT: one line of the final table. FOUND may be
# empty (not measured here); UNIT may be "x floor", "x crun", "KiB PSS" …
budget() {
  local what=$1 found=$2 sense=$3 limit=$4 unit=$5 met
  if [ -z "$found" ]; then
    met='not measured'
  elif awk -v f="$found" -v l="$limit" -v s="$sense" 'BEGIN { exit !(s == "<=" ? f <= l : f >= l) }'; then
    met=met
  else
    met='NOT MET'
  fi
  jq -cn --arg b "$BENCH_NAME" --arg w "$what" --arg f "${found:--} ${found:+$unit}" \
    --arg l "$sense $limit $unit" --arg m "$met" \
    '{bench: $b, what: $w, found: $f, budget: $l, met: $m}' >>"$BENCH_BUDGETS"
}

# pss_kib PID: proportional set size, the honest share of a process's memory.
pss_kib() { awk '/^Pss:/ { print $2 }' "/proc/$1/smaps_rollup"; }
