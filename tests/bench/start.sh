# SPDX-License-Identifier: Apache-2.0
# start.sh - what it costs to run /bin/true: ours, runc and crun on one bundle,
# and floor.c, which makes the same namespaces and mounts and nothing else.

# bundle DIR [JQ-FILTER]: a busybox rootfs and the default spec, changed by the filter;
# of a version of the specification that every peer knows.
bundle() {
  local name
  mkdir -p "$1"/rootfs/{bin,proc,sys,dev,etc,tmp}
  cp "$(command -v busybox)" "$1/rootfs/bin/busybox"
  for name in sh true sleep; do ln -sf busybox "$1/rootfs/bin/$name"; done
  runc-like spec --bundle "$1" || return
  jq '.ociVersion = "1.0.2" | .process.terminal = false | .process.args = ["/bin/true"] | .root.readonly = true | '"${2:-.}" \
    "$1/config.json" >"$1/config.new"
  mv "$1/config.new" "$1/config.json"
}

root=$BENCH_TMP/state
ours=(runc-like --root "$root/ours")
runc=(runc --root "$root/runc")
crun=(crun --root "$root/crun")

# crun refuses a host with hybrid cgroups, and without CAP_SYS_RESOURCE it cannot
# load its device filter. There it runs in a view of the host that has cgroup2
# alone and is told to leave cgroups out, which makes its work less than ours.
crun_note=
in_view() { "$@"; }
choose_crun() { # BUNDLE
  "${crun[@]}" run -b "$1" probe >/dev/null 2>&1 && return
  in_view() {
    BENCH_LIB=$PWD/lib.bash unshare -m --propagation private bash -u -c '
      umount -l /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup && . "$BENCH_LIB" && "$@"' - "$@"
  }
  crun+=(--cgroup-manager=disabled)
  crun_note=' (in a cgroup2 view, crun without cgroups)'
}

# The peers that a comparison adds to `ours`: words for `compare`.
peers() { # BUNDLE
  have runc >&2 && printf '%s\n' :: runc "${runc[@]}" run -b "$1" 'r{n}'
  have crun >&2 && printf '%s\n' :: crun "${crun[@]}" run -b "$1" 'c{n}'
  printf '%s\n' :: floor "$BENCH_FLOORS/floor" "$1/rootfs" /bin/true
}

compare_run() { # CASE BUNDLE [OPTION]...
  local case=$1 dir=$2 words
  shift 2
  mapfile -t words < <(peers "$dir")
  in_view compare "$case" -r 100 -w 5 -s 30 "$@" -- ours "${ours[@]}" run -b "$dir" 'o{n}' "${words[@]}"
}

# docker's form of a profile, as podman ships it, to the form of config.json: for
# x86-64 and podman's default capabilities.
seccomp_filter() { # PROFILE
  jq -c '
    ["CHOWN","DAC_OVERRIDE","FOWNER","FSETID","KILL","NET_BIND_SERVICE","SETFCAP","SETGID","SETPCAP",
     "SETUID","SYS_CHROOT"] as $names | ($names | map("CAP_" + .)) as $caps |
    { defaultAction, defaultErrnoRet,
      architectures: ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],
      syscalls: [ .syscalls[]
        | select(((.includes.caps // []) - $caps) == [])
        | select((.includes.arches // ["amd64"]) | index("amd64"))
        | select(((.excludes.caps // []) - $caps) == (.excludes.caps // []))
        | select((.excludes.arches // []) | index("amd64") | not)
        | {names, action} + (if .errnoRet then {errnoRet} else {} end)
          + (if (.args // []) == [] then {} else {args} end) ] }' "$1"
}

# init_memory NAME RUNTIME...: PSS of init between create and start.
init_memory() {
  local name=$1 pid
  shift
  in_view "$@" create -b "$plain" --pid-file "$BENCH_TMP/pid" "pss$$" </dev/null >/dev/null || return 0
  pid=$(cat "$BENCH_TMP/pid")
  record 'init between create and start' "$name" pss_kib "$(pss_kib "$pid")"
  in_view "$@" delete -f "pss$$"
}

# starts_within NAME RUNTIME...: whether a container with 512 KiB of memory starts.
starts_within() {
  local name=$1 answer=0
  shift
  "$@" run -b "$tiny" "tiny$$" >/dev/null 2>"$BENCH_TMP/why" && answer=1
  record 'starts with memory limit 512 KiB' "$name" yes "$answer"
  [ "$answer" = 1 ] || sed 's/^/      /' "$BENCH_TMP/why" | head -n 2 | cut -c1-150
  "$@" delete -f "tiny$$" 2>/dev/null
}

many_mounts() { # BUNDLE
  local i
  mount -t tmpfs tmpfs "$BENCH_TMP/mounts" || return
  for ((i = 0; i < 2000; i++)); do mkdir "$BENCH_TMP/mounts/$i"; done
  busybox sh -c 'for d in "$1"/*; do mount --bind "$d" "$d"; done' - "$BENCH_TMP/mounts"
  compare '2000 host mounts' -r 30 -s 30 -- ours "${ours[@]}" run -b "$1" 'o{n}' \
    :: floor "$BENCH_FLOORS/floor" "$1/rootfs" /bin/true
}

many_states() { # BUNDLE
  local i
  "${ours[@]}" create -b "$1" first </dev/null >/dev/null || return
  for ((i = 0; i < 1000; i++)); do cp -a "$root/ours/first" "$root/many/first$i"; done
  "${ours[@]}" delete -f first
  compare '1000 other containers' -r 50 -s 20 -- ours runc-like --root "$root/many" run -b "$1" 'o{n}' \
    :: alone "${ours[@]}" run -b "$1" 'o{n}'
}

# A runtime that finds cgroup2 enables its controllers in the root and leaves them so.
subtree=/sys/fs/cgroup/unified/cgroup.subtree_control
enabled_before=$(cat "$subtree" 2>/dev/null)
disable_again() {
  local name
  [ -w "$subtree" ] || return 0
  for name in $(cat "$subtree"); do
    [[ " $enabled_before " == *" $name "* ]] || echo "-$name" >"$subtree"
  done
}
trap disable_again EXIT

plain=$BENCH_TMP/plain tiny=$BENCH_TMP/tiny filtered=$BENCH_TMP/filtered
mkdir -p "$root"/{ours,runc,crun,many} "$BENCH_TMP/mounts"
bundle "$plain" || exit
bundle "$tiny" '.linux.resources.memory.limit = 524288'
have crun && choose_crun "$plain"
compare_run "run /bin/true$crun_note" "$plain"
[ -z "$crun_note" ] ||
  compare 'run /bin/true' -r 50 -w 3 -- ours "${ours[@]}" run -b "$plain" 'o{n}' \
    :: runc "${runc[@]}" run -b "$plain" 'r{n}' :: floor "$BENCH_FLOORS/floor" "$plain/rootfs" /bin/true

profile=/usr/share/containers/seccomp.json
if [ ! -r "$profile" ]; then
  echo "  ($profile is missing: left out; golang-github-containers-common has it)"
else
  bundle "$filtered" ".linux.seccomp = $(seccomp_filter "$profile")"
  compare_run "with podman's seccomp profile" "$filtered"
  compare 'cost of seccomp' -r 100 -w 5 -s 20 -- ours "${ours[@]}" run -b "$filtered" 'o{n}' \
    :: without "${ours[@]}" run -b "$plain" 'o{n}'
fi

init_memory ours "${ours[@]}"
have runc && init_memory runc "${runc[@]}"
have crun && init_memory crun "${crun[@]}"
starts_within ours "${ours[@]}"
have runc && starts_within runc "${runc[@]}"
export -f many_mounts bundle
declare -p ours plain root >"$BENCH_TMP/names"
unshare -m --propagation private bash -u -c '. ./lib.bash && . "$BENCH_TMP/names" && many_mounts "$plain"'
many_states "$plain"

found="run /bin/true$crun_note"
budget 'run of /bin/true, default spec' \
  "$(over "$(figure "$found" ours median_ms)" "$(figure "$found" floor median_ms)")" '<=' 1.5 'x floor'
budget 'run of /bin/true, default spec' \
  "$(over "$(figure "$found" ours median_ms)" "$(figure "$found" crun median_ms)")" '<=' 0.5 'x crun'
budget "podman's seccomp profile, cached" \
  "$(awk -v a="$(figure 'cost of seccomp' ours median_ms)" -v b="$(figure 'cost of seccomp' without median_ms)" \
    'BEGIN { if (a != "" && b != "") printf "%.2f", a - b }')" '<=' 0.3 'ms more'
budget 'init between create and start' "$(figure 'init between create and start' ours pss_kib)" '<=' 200 'KiB PSS'
budget 'peak memory of run' "$(figure "$found" ours rss_kib)" '<=' 3072 'KiB RSS'
budget 'starts with memory limit 512 KiB (1: yes)' \
  "$(figure 'starts with memory limit 512 KiB' ours yes)" '>=' 1 ''
budget '2000 host mounts' "$(over "$(figure '2000 host mounts' ours median_ms)" \
  "$(figure '2000 host mounts' floor median_ms)")" '<=' 1.5 'x floor'
