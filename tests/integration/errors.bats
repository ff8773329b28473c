#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# When things go wrong: one clear line (what, on which object, why, which field,
# what to do), a status that is not 0, and the host as it was before.
bats_require_minimum_version 1.5.0
load ../lib/common
load ../lib/pipeline

setup_file() {
  make_store
  mkdir "$BATS_FILE_TMPDIR/rootfs"
  tar -C "$BATS_FILE_TMPDIR/rootfs" -xf "$BATS_FILE_TMPDIR/busybox.tar"
}

setup() {
  cd "$BATS_TEST_TMPDIR" || return
  remember_host_state
  id=$(unique_id)
  network=n$RANDOM
}

teardown() {
  sweep "$id" "$id-b"
  [ -z "${listener:-}" ] || kill "$listener" 2>/dev/null || :
  umount "$BATS_TEST_TMPDIR/small" 2>/dev/null || :
}

# A bundle without layers: the default spec over the file's own root filesystem.
plain_bundle() { # JQ-FILTER
  mkdir "$id"
  runc-like spec --bundle "$id"
  edit_config "$id" ".root.path = \"$BATS_FILE_TMPDIR/rootfs\" | .process.terminal = false |
    .process.args = [\"true\"] | ${1:-.}"
}

# What a store holds: files, their sizes, the index.
store_state() { find "${1:-$LAYERS_STORE}" -not -name '*lock*' -printf '%P %y %s\n' 2>/dev/null | sort; }

nothing_happened() {
  assert_host_state_unchanged
  [ ! -e "/run/runc-like/$id" ]
  [ ! -e "/run/shim/$id" ]
}

@test "config.json is missing" {
  mkdir "$id"
  fails_with 1 runc-like run --bundle "$id" "$id"
  says "$id/config.json" ENOENT
  fails_with 1 shim run --bundle "$id" --log none "$id"
  says "$id/config.json" ENOENT
  nothing_happened
}

@test "the bundle is missing" {
  fails_with 1 runc-like run --bundle "$PWD/nowhere" "$id"
  says "$PWD/nowhere" ENOENT
  nothing_happened
}

@test "config.json is not JSON" {
  plain_bundle
  printf '{"ociVersion": "1.0.2", "process": {' >"$id/config.json"
  fails_with 1 runc-like run --bundle "$id" "$id"
  says config.json
  fails_with 1 shim run --bundle "$id" --log none "$id"
  says config.json
  nothing_happened
}

@test "a member has the wrong type: the field is named" {
  plain_bundle '.process.rlimits[0].soft = "many"'
  fails_with 1 runc-like run --bundle "$id" "$id"
  says config.json: /process/rlimits/0/soft string
  nothing_happened
}

@test "a mount has a type that the kernel does not know" {
  plain_bundle '.mounts[1].type = "nosuchfs"'
  fails_with 1 runc-like run --bundle "$id" "$id"
  says nosuchfs /mounts/1 ENODEV
  fails_with 1 shim run --bundle "$id" --log none "$id"
  says nosuchfs /mounts/1
  nothing_happened
}

@test "a bind mount has an option that nobody knows: the nearest one is suggested" {
  plain_bundle '.mounts += [{destination: "/x", type: "bind", source: "/etc", options: ["bind", "noexc"]}]'
  fails_with 1 runc-like run --bundle "$id" "$id"
  says "/mounts/$(jq '.mounts | length - 1' "$id/config.json")/options/1: unknown option 'noexc'; did you mean 'noexec'?"
  nothing_happened
}

@test "a file system refuses an option: it is named, and the nearest one suggested" {
  plain_bundle '.mounts[1].options = ["nosuid", "noexc"]'
  fails_with 1 runc-like run --bundle "$id" "$id"
  says "/mounts/1/options/1: unknown option 'noexc'; did you mean 'noexec'?"
  edit_config "$id" '.mounts[1].options = ["nosuid", "mode=rwx"]'
  fails_with 1 runc-like run --bundle "$id" "$id"
  says "/mounts/1/options/1: option 'mode=rwx' is refused" EINVAL
  nothing_happened
}

@test "a mount's source is missing" {
  plain_bundle '.mounts += [{destination: "/data", type: "bind", source: "/no/such/place", options: ["bind"]}]'
  fails_with 1 runc-like run --bundle "$id" "$id"
  says /no/such/place ENOENT /mounts/
  nothing_happened
}

@test "the command does not exist: 127" {
  plain_bundle '.process.args = ["/no/such/command"]'
  fails_with 127 runc-like run --bundle "$id" "$id"
  says /no/such/command ENOENT
  fails_with 127 shim run --bundle "$id" --log none "$id"
  says /no/such/command
  edit_config "$id" '.process.args = ["nosuchcommand"]'
  fails_with 127 runc-like run --bundle "$id" "$id"
  says nosuchcommand PATH
  nothing_happened
}

@test "the command is not executable: 126" {
  plain_bundle '.process.args = ["/etc/passwd"]'
  fails_with 126 runc-like run --bundle "$id" "$id"
  says /etc/passwd EACCES
  fails_with 126 shim run --bundle "$id" --log none "$id"
  says /etc/passwd
  nothing_happened
}

@test "the name is in use: the first container is not touched" {
  layers bundle busybox:1 "$id" -- sleep 600
  shim run --detach --bundle "$id" --log none "$id" 3>&-
  remember_host_state
  fails_with 1 runc-like run --bundle "$id" "$id"
  says "$id" 'already exists'
  fails_with 1 shim run --bundle "$id" --log none "$id"
  says "$id" already
  assert_host_state_unchanged
  [ "$(runc-like state "$id" | jq -r .status)" = running ]
}

@test "the published port is taken" {
  local port
  port=$(free_port)
  nc -lk 0.0.0.0 "$port" </dev/null >/dev/null 3>&- &
  listener=$!
  eventually grep -qi "$(printf ':%04X 00000000:0000 0A' "$port")" /proc/net/tcp
  layers bundle busybox:1 "$id" --network "$network" --publish "$port:80" -- true
  remember_host_state
  fails_with 1 shim run --bundle "$id" --log none "$id"
  says "$port"
  assert_host_state_unchanged
}

@test "the published port is another container's" {
  local port other=$id-b
  port=$(free_port)
  layers bundle busybox:1 "$id" --network "$network" --publish "$port:80" -- sleep 600
  layers bundle busybox:1 "$other" --network "$network" --publish "$port:81" -- true
  shim run --detach --bundle "$id" --log none "$id" 3>&-
  remember_host_state
  fails_with 1 shim run --bundle "$other" --log none "$other"
  says "$port" "$id"
  assert_host_state_unchanged
  layers bundle --remove "$other"
}

# A copy of the image as an OCI layout, to be damaged; sets layout and layer.
damaged_layout() {
  layout=$PWD/layout
  cp -r "$LAYERS_STORE" "$layout"
  local manifest
  manifest=$(jq -r '.manifests[0].digest' "$layout/index.json")
  layer=$layout/blobs/sha256/$(jq -r '.layers[0].digest' "$layout/blobs/sha256/${manifest#*:}" | cut -d: -f2)
  export LAYERS_STORE=$PWD/new
  layers images >/dev/null
  store_state >store.before
}

@test "a layer's digest does not match" {
  damaged_layout
  printf X | dd of="$layer" bs=1 seek=$(($(stat -c %s "$layer") / 2)) conv=notrunc status=none
  fails_with 1 layers import "oci:$layout" copy:1
  says "${layer##*/}"
  store_state | diff -u store.before -
  nothing_happened
}

@test "a layer is truncated" {
  damaged_layout
  truncate -s -100 "$layer"
  fails_with 1 layers import "oci:$layout" copy:1
  says "${layer##*/}"
  store_state | diff -u store.before -
  nothing_happened
}

@test "a tar archive is truncated" {
  export LAYERS_STORE=$PWD/new
  layers images >/dev/null
  store_state >store.before
  head -c 700000 "$BATS_FILE_TMPDIR/busybox.tar" >cut.tar
  fails_with 1 layers import "tar:$PWD/cut.tar" cut:1
  says cut.tar
  store_state | diff -u store.before -
  nothing_happened
}

@test "there is no such image" {
  fails_with 1 layers bundle nosuch:1 "$id"
  says nosuch:1
  [ ! -e "$id" ]
  fails_with 1 layers unpack nosuch:1 "$PWD/out"
  says nosuch:1
  [ ! -e out ]
  fails_with 1 layers import "oci:$PWD/nowhere:tag" x:1
  says "$PWD/nowhere"
  nothing_happened
}

@test "the disk is full: import" {
  mkdir small
  mount -t tmpfs -o size=256k tmpfs small
  export LAYERS_STORE=$PWD/small/store
  layers images >/dev/null
  store_state >store.before
  fails_with 1 layers import "tar:$BATS_FILE_TMPDIR/busybox.tar" big:1
  says ENOSPC
  store_state | diff -u store.before -
  umount small
  nothing_happened
}

@test "the disk is full: unpack" {
  mkdir small
  mount -t tmpfs -o size=256k tmpfs small
  fails_with 1 layers unpack busybox:1 "$PWD/small/out"
  says ENOSPC
  [ -z "$(ls -A small)" ]
  umount small
  nothing_happened
}

@test "a hook fails: the container never starts" {
  plain_bundle '.hooks = {createRuntime: [{path: "/bin/false"}], poststop: [{path: "/bin/true"}]} |
    .process.args = ["touch", "/tmp/started"]'
  fails_with 1 runc-like run --bundle "$id" "$id"
  says /bin/false /hooks/createRuntime/0
  [ ! -e "$BATS_FILE_TMPDIR/rootfs/tmp/started" ]
  nothing_happened
}

@test "wrong usage is 2 (1 from runc-like, as from runc), and names what is wrong" {
  run -1 --separate-stderr runc-like run --nosuchoption
  says nosuchoption
  run -2 --separate-stderr shim nosuchverb
  says nosuchverb
  run -2 --separate-stderr netsetup up
  run -2 --separate-stderr layers import
  nothing_happened
}
