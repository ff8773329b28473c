#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The hooks under engines: podman reads contrib/hooks.d as it stands, docker gets the
# same files through contrib/runtime-with-hooks.
# shellcheck disable=SC2154 # bats sets output
bats_require_minimum_version 1.5.0
load ../lib/common
load ../lib/pipeline

# contrib/hooks.d with the build's programs and the test's directories in it.
setup_file() {
  need jq
  local file contrib=$BATS_TEST_DIRNAME/../../contrib
  # Short: a socket's name has at most 107 bytes.
  dir=$(mktemp -d /tmp/hooks.XXXXXX)
  export dir
  mkdir -p "$dir"/{hooks.d,data/web/files/etc,textfile}
  for file in "$contrib"/hooks.d/*.json; do
    jq --arg bin "$BUILD_BIN/" --arg dir "$dir" '
      .hook.path |= sub("^/usr/local/bin/"; $bin)
      | .hook.args |= map(if . == "/run/container-events" then $dir + "/events"
          elif startswith("/var/lib/prometheus") then $dir + "/textfile/c.prom"
          elif startswith("/usr/local/libexec") then $dir + "/program" else . end)
      | .hook.args += ({"hook-env": ["--data", $dir + "/data"],
          "hook-seccomp": ["--profiles", $dir + "/profiles", "--state-dir", $dir + "/s"],
          "hook-events": ["--state-dir", $dir + "/notes"], "hook-audit": ["--state-dir", $dir + "/notes"],
          "hook-notify": ["--state-dir", $dir + "/notify"], "hook-hosts": ["--state-dir", $dir + "/served",
            "--netsetup-dir", $dir + "/net", "--add", "friend:192.0.2.7"],
          "hook-resolv": ["--nameserver", "192.0.2.53"],
          "hook-metrics": []}[.hook.args[0]] // [])' "$file" >"$dir/hooks.d/${file##*/}"
  done
  echo from-set >"$dir/data/web/files/etc/conf"
  echo COLOUR=blue >"$dir/data/web/env"
  printf '#!/bin/sh\ncat >>%s/notified\n' "$dir" >"$dir/program"
  chmod +x "$dir/program"
  "$contrib/busybox-rootfs" >"$dir/busybox.tar"
}

teardown_file() {
  [ -n "${dir:-}" ] || return 0
  local daemon
  if daemon=$(cat "$dir/pid" 2>/dev/null); then
    DOCKER_HOST=unix://$dir/socket docker rm -f box >/dev/null 2>&1 || :
    kill "$daemon" 2>/dev/null && eventually test ! -e "/proc/$daemon"
  fi
  awk -v d="$dir/" 'index($5, d) == 1 { print $5 }' /proc/self/mountinfo | sort -r | xargs -r -n 1 umount -l
  rm -rf "$dir"
  find /sys/fs/cgroup -depth -type d -path '*libpod_parent*' -exec rmdir {} \; 2>/dev/null || :
}

podman_here() {
  podman --root "$dir/storage" --runroot "$dir/run" --tmpdir "$dir/tmp" --storage-driver vfs \
    --network-config-dir "$dir/networks" --events-backend none --cgroup-manager cgroupfs \
    --hooks-dir "$dir/hooks.d" --runtime "$BUILD_BIN/runc-like" "$@" 3>&-
}

# ANNOTATIONS for every hook, as words for `run`.
asked=(--annotation container.data=web --annotation container.metrics=true
  --annotation container.notify=true --annotation container.seccomp.learn=engine)

shell='echo $COLOUR; cat /etc/conf; cat /etc/resolv.conf; true'
# The hosts file is complete soon after the start, where the engine writes it anew.
named='i=0; until grep friend /etc/hosts || [ $i = 300 ]; do i=$((i + 1)); sleep 0.1; done; '$shell

# Events and audit, of every container.
assert_recorded() { # ID
  jq -es --arg id "$1" 'map(select(.id == $id and .event != "audit").event) == ["created", "started", "stopped"]
    and (map(select(.id == $id and .event == "audit")) | length == 1 and (.[0].data.capabilities | length) > 5)' "$dir/events"
}

# What the others have left, of a container that asked for them.
assert_hooks_ran() { # ID
  eventually test -s "$dir/notified"
  jq -es --arg id "$1" 'any(.[]; .id == $id and .event == "stopped")' "$dir/notified"
  eventually test -s "$dir/profiles/engine.json"
  jq -e '[.syscalls[].names[]] | index("execve")' "$dir/profiles/engine.json"
  eventually test -s "$dir/textfile/c.prom"
  rm -f "$dir/notified" "$dir/events" "$dir/textfile/c.prom"
  rm -rf "$dir/profiles"
}

@test "podman: every file of contrib/hooks.d" {
  need podman conmon
  podman_here import -q "$dir/busybox.tar" busybox
  run -0 podman_here run --name c --ulimit nofile=1024:1024 --ulimit nproc=1024:1024 --network none \
    "${asked[@]}" busybox sh -c "$shell"
  echo "status $status: $output"
  [[ $output == *blue*from-set* ]]
  id=$(podman_here inspect -f '{{.Id}}' c)
  podman_here rm -f -t 0 c
  assert_recorded "$id"
  assert_hooks_ran "$id"
}

@test "podman: names in the files that it made for the container" {
  need podman conmon
  run -0 podman_here run --rm --ulimit nofile=1024:1024 --ulimit nproc=1024:1024 --network none \
    --annotation container.names=true busybox sh -c "$named"
  echo "status $status: $output"
  [[ $output == *192.0.2.7*friend* && $output == *"nameserver 192.0.2.53"* ]]
}

@test "docker: the same files, through contrib/runtime-with-hooks" {
  need dockerd docker containerd
  mkdir "$dir/bin"
  printf '#!/bin/sh\nexport PATH=%s:$PATH HOOKS_DIR=%s HOOKED_RUNTIME=%s\nexec %s "$@"\n' \
    "$BUILD_BIN" "$dir/hooks.d" "$BUILD_BIN/runc-like" \
    "$(realpath "$BATS_TEST_DIRNAME/../../contrib/runtime-with-hooks")" >"$dir/bin/hooked"
  chmod +x "$dir/bin/hooked"
  export DOCKER_HOST=unix://$dir/socket
  dockerd --data-root "$dir/docker" --exec-root "$dir/exec" --pidfile "$dir/pid" -H "$DOCKER_HOST" \
    --iptables=false --ip6tables=false --bridge=none --storage-driver vfs \
    --add-runtime "hooked=$dir/bin/hooked" --default-runtime hooked >"$dir/log" 2>&1 3>&- &
  eventually docker version >/dev/null 2>&1 || { tail -n 5 "$dir/log" && false; }
  docker import - busybox <"$dir/busybox.tar"
  # Annotations are known to docker 24 and newer; older ones get what is for all containers.
  version=$(docker version -f '{{.Server.APIVersion}}')
  local words=("${asked[@]}" --annotation container.names=true) script=$named
  [ "${version#1.}" -ge 43 ] || words=() script=$shell
  run docker run --name box --network none "${words[@]}" busybox sh -c "$script"
  echo "status $status: $output"
  id=$(docker inspect -f "{{.Id}}" box)
  docker rm -f box
  daemon=$(cat "$dir/pid")
  kill "$daemon"
  eventually test ! -e "/proc/$daemon"
  assert_recorded "$id"
  [ "${version#1.}" -ge 43 ] || return 0
  [[ $output == *192.0.2.7*friend*blue*from-set*"nameserver 192.0.2.53"* ]]
  assert_hooks_ran "$id"
}
