# SPDX-License-Identifier: Apache-2.0
# Hostile images against the whole program; the attacks on extraction itself have
# their unit tests in tests/unit/layers/layer_applier_test.cc.
bats_require_minimum_version 1.5.0
load ../lib/common
load ../lib/pipeline

setup() {
  need python3
  export LAYERS_STORE=$BATS_TEST_TMPDIR/store
  cd "$BATS_TEST_TMPDIR" || return 1
  mkdir outside
  echo secret >outside/secret
  chmod 600 outside/secret
  layers images >/dev/null
}

teardown() {
  if [ -d "$BATS_TEST_TMPDIR/bundle" ]; then layers bundle --remove "$BATS_TEST_TMPDIR/bundle"; fi
  [ "$(cat "$BATS_TEST_TMPDIR/outside/secret")" = secret ]
  [ "$(stat -c '%a %h' "$BATS_TEST_TMPDIR/outside/secret")" = '600 1' ]
  [ "$(ls "$BATS_TEST_TMPDIR/outside")" = secret ]
  ! grep -F "$BATS_TEST_TMPDIR" /proc/self/mountinfo
}

# image NAME CONFIG LAYER...: an OCI layout in ./layout with these layers (tar files,
# plain) and the members CONFIG (JSON) of the configuration.
image() {
  python3 - "$@" <<'PY'
import hashlib, json, os, sys
name, config, layers = sys.argv[1], json.loads(sys.argv[2]), sys.argv[3:]
os.makedirs("layout/blobs/sha256", exist_ok=True)
def put(data, kind):
    digest = hashlib.sha256(data).hexdigest()
    open("layout/blobs/sha256/" + digest, "wb").write(data)
    return {"mediaType": kind, "digest": "sha256:" + digest, "size": len(data)}
base = "application/vnd.oci.image."
tars = [put(open(l, "rb").read(), base + "layer.v1.tar") for l in layers]
document = {"os": "linux", "architecture": os.environ.get("ARCH", "amd64"), "config": config,
            "rootfs": {"type": "layers", "diff_ids": [t["digest"] for t in tars]}}
manifest = put(json.dumps({"schemaVersion": 2, "config": put(json.dumps(document).encode(), base + "config.v1+json"),
                           "layers": tars}).encode(), base + "manifest.v1+json")
manifest["annotations"] = {"org.opencontainers.image.ref.name": name}
json.dump({"schemaVersion": 2, "manifests": [manifest]}, open("layout/index.json", "w"))
json.dump({"imageLayoutVersion": "1.0.0"}, open("layout/oci-layout", "w"))
PY
}

# layer FILE PYTHON: a tar whose members are added by the code (t: the archive; add(name, type, link, data, mode)).
layer() {
  python3 - "$1" <<PY
import io, sys, tarfile
with tarfile.open(sys.argv[1], "w", format=tarfile.PAX_FORMAT) as t:
    def add(name, type=tarfile.REGTYPE, link="", data=b"", mode=0o755):
        m = tarfile.TarInfo(name); m.type = type; m.linkname = link; m.size = len(data); m.mode = mode
        t.addfile(m, io.BytesIO(data))
    DIR, SYM, LNK, CHR, FIFO = tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE
    outside = "$PWD/outside"
$2
PY
}

root_layer() {
  layer "$1" '
    for d in ("bin", "etc", "proc", "sys", "dev"): add(d, DIR)
    add("etc/passwd", data=b"root:x:0:0::/root:/bin/sh\n")'
}

@test "CVE-2014-6407: links of one layer do not redirect the next" {
  layer one.tar '
    add("d", SYM, outside); add("f", SYM, outside + "/secret"); add("up", SYM, "../../../../../..")'
  layer two.tar '
    add("d/x", data=b"x"); add("f", data=b"x"); add("up/y", data=b"y")
    add(".wh.nothing"); add("d/.wh.secret"); add("d/.wh..wh..opq")'
  image t '{}' one.tar two.tar
  layers unpack oci:layout:t out
  layers import oci:layout:t t
  layers bundle t bundle
}

@test "CVE-2021-29136: the root is not replaced by a link" {
  layer one.tar '
    add(".", SYM, outside)'
  image t '{}' one.tar
  fails_with 1 layers unpack oci:layout:t out
  [ ! -e out ]
  layers import oci:layout:t t
  fails_with 1 layers bundle t bundle
  [ ! -e bundle ]
}

@test "CVE-2021-32760: a hard link to a link does not change the link's target" {
  layer one.tar '
    add("p", SYM, outside + "/secret"); add("q", LNK, "p", mode=0o777)'
  image t '{}' one.tar
  layers unpack oci:layout:t out
}

@test "CVE-2025-47290: a directory that becomes a link is not used any more" {
  layer one.tar '
    add("foo", DIR); add("foo/a", data=b"1"); add("foo", SYM, outside); add("foo/x", data=b"2")
    add("foo", DIR); add("foo/b", data=b"3")'
  image t '{}' one.tar
  layers unpack oci:layout:t out
  [ "$(cat out/foo/b)" = 3 ]
}

@test "CVE-2014-9358: paths in a docker archive stay in the archive" {
  mkdir a
  ln -s "$PWD/outside/secret" a/link.json
  for config in ../../outside/secret /etc/passwd link.json; do
    printf '[{"Config":"%s","RepoTags":["x:1"],"Layers":["../../../etc/passwd"]}]' "$config" >a/manifest.json
    tar -C a -cf a.tar .
    fails_with 1 layers import docker-archive:a.tar
  done
  [ "$(layers images -q | wc -l)" -eq 0 ]
}

@test "CVE-2024-3727: a digest is never a path" {
  root_layer one.tar
  image t '{}' one.tar
  local bad
  for bad in 'sha256:../../../outside/secret' "sha256:$(printf 'A%.0s' {1..64})" 'sha256:abc'; do
    jq --arg d "$bad" '.manifests[0].digest = $d' layout/index.json >index && cp index layout/index.json
    fails_with 1 layers import oci:layout:t t
    fails_with 1 layers unpack oci:layout:t out
  done
}

@test "CVE-2021-41190: a document of two types is neither" {
  root_layer one.tar
  image t '{}' one.tar
  python3 - <<'PY'
import hashlib, json
index = json.load(open("layout/index.json"))
d = index["manifests"][0]
m = json.load(open("layout/blobs/sha256/" + d["digest"][7:]))
m["manifests"] = []
data = json.dumps(m).encode()
d["digest"], d["size"] = "sha256:" + hashlib.sha256(data).hexdigest(), len(data)
open("layout/blobs/sha256/" + d["digest"][7:], "wb").write(data)
json.dump(index, open("layout/index.json", "w"))
PY
  fails_with 1 layers import oci:layout:t t
}

@test "CVE-2017-14992: a bomb ends at the limit, in little memory" {
  head -c 300M /dev/zero | gzip -1 >bomb.tar.gz
  fails_with 1 layers import --max-size 100m tar:bomb.tar.gz x
  (ulimit -v 400000 && layers import --max-size 100m tar:bomb.tar.gz x) && return 1
  [ "$(find "$LAYERS_STORE/blobs/sha256" -type f | wc -l)" -eq 0 ]
}

@test "CVE-2024-9676: the image's passwd is not the host's" {
  layer one.tar '
    for d in ("etc", "proc", "sys", "dev"): add(d, DIR)
    add("etc/passwd", SYM, outside + "/passwd"); add("etc/group", FIFO)'
  echo 'mallory:x:4242:4242::/:/bin/sh' >passwd
  image t '{"User": "mallory"}' one.tar
  cp passwd outside/passwd
  layers import oci:layout:t t
  fails_with 1 layers bundle t bundle
  rm outside/passwd
}

@test "CVE-2024-40635: a user number that does not fit is no root" {
  root_layer one.tar
  image t '{"User": "4294967296"}' one.tar
  layers import oci:layout:t t
  fails_with 1 layers bundle t bundle
  [[ $stderr == *"out of range"* ]]
}

@test "CVE-2024-21626: no working directory in /proc" {
  root_layer one.tar
  image t '{"WorkingDir": "/proc/self/fd/7"}' one.tar
  layers import oci:layout:t t
  fails_with 1 layers bundle t bundle
}

@test "CVE-2026-55686: a working directory through a link is made inside the root" {
  layer one.tar '
    for d in ("proc", "sys", "dev"): add(d, DIR)
    add("work", SYM, outside)'
  image t '{"WorkingDir": "/work/made"}' one.tar
  layers import oci:layout:t t
  layers bundle t bundle
  [ ! -e outside/made ]
  [ -d "bundle/rootfs$PWD/outside/made" ]
}

@test "CVE-2019-16884: no volume over /proc" {
  root_layer one.tar
  image t '{"Volumes": {"/proc": {}}}' one.tar
  layers import oci:layout:t t
  fails_with 1 layers bundle t bundle
}

@test "CVE-2026-41579: no link in the place of /dev" {
  layer one.tar '
    for d in ("proc", "sys"): add(d, DIR)
    add("dev", SYM, outside)'
  image t '{}' one.tar
  layers import oci:layout:t t
  fails_with 1 layers bundle t bundle
  [ ! -e bundle ]
}

@test "CVE-2021-41103: what images hold is out of other users' reach" {
  root_layer one.tar
  image t '{}' one.tar
  layers import oci:layout:t t
  layers bundle t bundle
  [ "$(stat -c %a "$LAYERS_STORE" bundle | sort -u)" = 700 ]
}

@test "CVE-2014-9357: no program is run, whatever the compression" {
  need strace
  root_layer one.tar
  local kind
  for kind in gzip xz zstd bzip2; do
    "$kind" -c one.tar >packed
    strace -f -qq -e trace=execve -o trace layers import tar:packed "x:$kind"
    [ "$(grep -c execve trace)" -eq 1 ]
  done
}
