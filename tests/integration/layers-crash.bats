# SPDX-License-Identifier: Apache-2.0
# kill -9 at many moments of pull, import, bundle and gc: what is left is a store that
# verify accepts, and the next run goes on.
bats_require_minimum_version 1.5.0
load ../lib/common
load ../lib/pipeline
load ../lib/registry

setup() {
  need docker-registry python3
  export LAYERS_STORE=$BATS_TEST_TMPDIR/store
  export HOME=$BATS_TEST_TMPDIR XDG_RUNTIME_DIR=$BATS_TEST_TMPDIR/run REGISTRY_AUTH_FILE=
  cd "$BATS_TEST_TMPDIR" || return 1
  # Six layers of noise, as docker would save them.
  python3 - <<'PY'
import hashlib, io, json, random, tarfile
random.seed(1)
ids, names = [], []
def member(tar, name, data):
    info = tarfile.TarInfo(name); info.size = len(data); tar.addfile(info, io.BytesIO(data))
with tarfile.open("image.tar", "w") as out:
    for i in range(6):
        raw = io.BytesIO()
        with tarfile.open(fileobj=raw, mode="w") as layer:
            for n in range(10):
                member(layer, f"layer{i}/file{n}", random.randbytes(20000))
        data = raw.getvalue()
        ids.append("sha256:" + hashlib.sha256(data).hexdigest()); names.append(f"{i}.tar")
        member(out, f"{i}.tar", data)
    member(out, "c.json", json.dumps({"os": "linux", "architecture": "amd64",
                                      "rootfs": {"type": "layers", "diff_ids": ids}}).encode())
    member(out, "manifest.json", json.dumps([{"Config": "c.json", "RepoTags": ["noise:1"], "Layers": names}]).encode())
PY
}

teardown() {
  stop_servers
  if [ -d "$BATS_TEST_TMPDIR/bundle" ]; then layers bundle --remove "$BATS_TEST_TMPDIR/bundle"; fi
}

# How long the command takes when nobody kills it, in milliseconds.
duration_of() { # CMD...
  local begin=$EPOCHREALTIME
  "$@" >out 2>&1 || return 1
  echo $(((${EPOCHREALTIME/./} - ${begin/./}) / 1000 + 1))
}

# Kills the command after a part of its time, again and again; each time the store is whole.
kill_at() { # TIMES CMD...
  local times=$1 whole i killed=0
  shift
  whole=$(duration_of "$@")
  reset_store
  for ((i = 0; i < times; i++)); do
    local after=$((whole * i * 1000 / times))
    local status=0
    timeout -s KILL "$((after / 1000000)).$(printf %06d $((after % 1000000 + 1)))" "$@" >out 2>&1 || status=$?
    [ "$status" -ne 137 ] || killed=$((killed + 1))
    layers verify >verified || { cat out verified; return 1; }
    jq -e .manifests "$LAYERS_STORE/index.json" >index || return 1
    # Often from the beginning, often from what was left.
    [ $((i % 3)) -ne 0 ] || reset_store
  done
  echo "# killed $killed of $times" >&3
  [ "$killed" -gt 0 ]
}

reset_store() { rm -rf "$LAYERS_STORE"; }

@test "pull: killed at any moment, the next one continues" {
  layers import docker-archive:image.tar noise:1
  start_registry
  layers push -q noise:1 "$REGISTRY/noise:1"
  reset_store
  kill_at 45 layers pull -q -j 2 "$REGISTRY/noise:1"
  layers pull -q "$REGISTRY/noise:1"
  layers verify
  layers unpack noise:1 tree
  [ "$(find tree -type f | wc -l)" -eq 60 ]
  layers gc
  [ -z "$(ls store/tmp)" ]
}

@test "import: killed at any moment" {
  kill_at 30 layers import docker-archive:image.tar noise:1
  layers import docker-archive:image.tar noise:1
  layers verify
  layers gc
  [ -z "$(ls store/tmp)" ]
}

@test "gc: killed at any moment, the images stay" {
  garbage() {
    [ -e "$LAYERS_STORE/index.json" ] || { layers import docker-archive:image.tar noise:1; layers tag noise:1 kept:1; }
    local i
    for i in 1 2 3 4 5 6 7 8 9; do
      head -c 100000 /dev/urandom >"$LAYERS_STORE/blobs/sha256/$(printf "%s$i" "$(head -c 64 /dev/zero | tr '\0' 0)" | tail -c 64)"
      mkdir -p "$LAYERS_STORE/layers/diff/left$i/a/b"
    done
    layers gc
  }
  export -f garbage
  kill_at 30 bash -c garbage
  garbage
  layers unpack noise:1 tree
  [ "$(find store/blobs/sha256 -type f | wc -l)" -eq 8 ]
}

@test "unpack: killed at any moment, the target is not taken for a whole one" {
  layers import docker-archive:image.tar noise:1
  local whole n status # not i: run changes it
  whole=$(duration_of layers unpack noise:1 tree)
  rm -r tree
  for ((n = 0; n < 20; n++)); do
    status=0
    timeout -s KILL "0.$(printf %06d $((whole * n * 1000 / 20 % 1000000 + 1)))" layers unpack noise:1 tree >out 2>&1 || status=$?
    # Whoever finds what a killed one left is told so, and nothing is mixed.
    if [ "$status" -ne 0 ] && [ -n "$(ls tree 2>/dev/null)" ]; then fails_with 1 layers unpack noise:1 tree; fi
    rm -rf tree
    layers verify >out
  done
  layers bundle noise:1 bundle -- true
  layers bundle --remove bundle
}

@test "commit: killed at any moment, the image is whole or not there" {
  layers import docker-archive:image.tar noise:1
  layers bundle noise:1 bundle -- true
  head -c 2000000 /dev/urandom >bundle/rootfs/new
  rm -r bundle/rootfs/layer3
  local whole i after status killed=0
  whole=$(duration_of layers commit bundle changed:1)
  layers untag changed:1
  for ((i = 0; i < 30; i++)); do
    after=$((whole * i * 1000 / 30)) status=0
    timeout -s KILL "$((after / 1000000)).$(printf %06d $((after % 1000000 + 1)))" layers commit bundle changed:1 >out 2>&1 || status=$?
    [ "$status" -ne 137 ] || killed=$((killed + 1))
    layers verify >verified || { cat out verified; return 1; }
    [ "$status" -ne 0 ] || layers untag changed:1
  done
  echo "# killed $killed of 30" >&3
  [ "$killed" -gt 0 ]
  # The bundle was only read; nothing of the dead stays.
  layers commit bundle changed:1
  layers bundle --remove bundle
  layers rm noise:1
  layers gc
  [ -z "$(ls store/tmp)" ]
  layers unpack changed:1 tree
  [ "$(stat -c %s tree/new)" -eq 2000000 ] && [ ! -e tree/layer3 ] && [ -e tree/layer5/file9 ]
  [ "$(find store/blobs/sha256 -type f | wc -l)" -eq 9 ]
}
