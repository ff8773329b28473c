#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# podman whose networks are netsetup's: by the CNI plugins' names where podman still
# speaks CNI, by the name of its network helper elsewhere. The host is a network namespace, so that "nothing left" can be seen;
# storage, state and networks of podman are the test's own.
bats_require_minimum_version 1.5.0
load ../lib/common
load ../lib/network

setup_file() {
  need podman conmon
  "$BATS_TEST_DIRNAME/../../contrib/busybox-rootfs" >"$BATS_FILE_TMPDIR/busybox.tar"
  mkdir "$BATS_FILE_TMPDIR/helpers"
  local name
  for name in bridge portmap firewall tuning host-local loopback netavark; do
    ln -s "$BUILD_BIN/netsetup" "$BATS_FILE_TMPDIR/helpers/$name"
  done
}

setup() {
  make_host
  STATE=/run/netsetup # an engine's list does not name another
  network_state >"$BATS_TEST_TMPDIR/network.clean"
  backend=$(backend_of "$BATS_TEST_DESCRIPTION")
  cat >podman.conf <<END
[network]
network_backend = "$backend"
cni_plugin_dirs = ["$BATS_FILE_TMPDIR/helpers"]
[engine]
helper_binaries_dir = ["$BATS_FILE_TMPDIR/helpers"]
END
  [ "$(podman_here info -f '{{.Host.NetworkBackend}}' 2>&1)" = "$backend" ] ||
    skip "this podman does not speak $backend"
  podman_here import -q "$BATS_FILE_TMPDIR/busybox.tar" busybox
}

teardown() {
  [ -e podman.conf ] || return 0
  podman_here rm -a -f -t 0 >/dev/null 2>&1 || :
  umount -l "$PWD"/storage/vfs "$PWD"/storage/overlay 2>/dev/null || :
  find /sys/fs/cgroup -depth -type d -path '*libpod_parent*' -exec rmdir {} \; 2>/dev/null || :
  remove_host
}

backend_of() { case $1 in cni:*) echo cni ;; *) echo netavark ;; esac }

# Without a mount namespace of its own, so that one call sees the mounts of another.
podman_here() {
  CONTAINERS_CONF=$PWD/podman.conf CONTAINERS_HELPER_BINARY_DIR=$BATS_FILE_TMPDIR/helpers \
    nsenter --net="$NETNS/$HOST" podman --root "$PWD/storage" --runroot "$PWD/run" --tmpdir "$PWD/tmp" \
    --storage-driver vfs --network-config-dir "$PWD/networks" --events-backend none \
    --cgroup-manager cgroupfs --runtime "$BUILD_BIN/runc-like" "$@" 3>&-
}

# podman asks for limits above its own, which root without CAP_SYS_RESOURCE may not give.
start() { # NAME OPTION... : a web server whose page is NAME
  local name=$1
  shift
  podman_here run -d --name "$name" --ulimit nofile=1024:1024 --ulimit nproc=1024:1024 "$@" busybox \
    sh -c 'mkdir -p /www && echo "$1" >/www/index.html && exec httpd -f -p 80 -h /www' server "$name"
}

# For `eventually`: the name server reads its files again some time after it was told to.
answers() { [ "$("$@" 2>/dev/null)" = "$expected" ]; }
address() { podman_here exec "$1" ip -4 addr show eth0 | sed -n 's|.*inet \([0-9.]*\)/.*|\1|p'; }

no_server() { [ -z "$(ip netns pids "$HOST" | xargs -r ps -o comm= -p | grep aardvark)" ]; }

nothing_left() {
  network_state >"$BATS_TEST_TMPDIR/network.now"
  diff "$BATS_TEST_TMPDIR/network.clean" "$BATS_TEST_TMPDIR/network.now" >/dev/null
}

@test "cni: run with a port, two containers, stop, start, rm, and nothing is left" {
  start web -p 8080:80
  start other
  expected=web
  eventually answers neighbour curl -s --max-time 5 http://192.0.2.1:8080/
  eventually answers on_host curl -s --max-time 5 http://127.0.0.1:8080/
  eventually answers podman_here exec other wget -qO- "http://$(address web)/"
  run ! start taken -p 8080:80
  [[ "$output" == *"port 8080/tcp"* ]]
  podman_here rm -f -t 0 taken
  podman_here stop -t 0 web
  podman_here start web
  eventually answers neighbour curl -s --max-time 5 http://192.0.2.1:8080/
  podman_here rm -f -t 0 web other
  eventually nothing_left
}

@test "netavark: run with a port, names, a second network, reload, rm, and nothing is left" {
  local server
  for server in /usr/lib/podman /usr/libexec/podman; do
    [ ! -x "$server/aardvark-dns" ] || ln -sfn "$server/aardvark-dns" "$BATS_FILE_TMPDIR/helpers/aardvark-dns"
  done
  [ -e "$BATS_FILE_TMPDIR/helpers/aardvark-dns" ] || skip "aardvark-dns is not installed"
  podman_here network create inner
  start web -p 8080:80
  start a --network inner --network-alias first
  start b --network inner
  expected=web
  eventually answers neighbour curl -s --max-time 5 http://192.0.2.1:8080/
  eventually answers on_host curl -s --max-time 5 http://127.0.0.1:8080/
  expected=a
  eventually answers podman_here exec b wget -qO- http://a/
  eventually answers podman_here exec b wget -qO- http://first/
  expected=web
  podman_here network connect inner web
  eventually answers podman_here exec b wget -qO- http://web/
  eventually answers neighbour curl -s --max-time 5 http://192.0.2.1:8080/
  podman_here network disconnect inner web
  podman_here network reload web
  eventually answers neighbour curl -s --max-time 5 http://192.0.2.1:8080/
  podman_here rm -f -t 0 web a b
  eventually nothing_left
  eventually no_server
}
