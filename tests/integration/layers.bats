# SPDX-License-Identifier: Apache-2.0
# layers alone: what goes into the store comes out again, and what fails leaves nothing.
bats_require_minimum_version 1.5.0
load ../lib/common
load ../lib/pipeline

setup() {
  export LAYERS_STORE=$BATS_TEST_TMPDIR/store
  cd "$BATS_TEST_TMPDIR" || return 1
  if ! [ -f "$BATS_FILE_TMPDIR/root.tar" ]; then
    make_busybox_rootfs "$BATS_FILE_TMPDIR/root"
    tar --format=posix -C "$BATS_FILE_TMPDIR/root" -cf "$BATS_FILE_TMPDIR/root.tar" .
  fi
  root=$BATS_FILE_TMPDIR/root
  archive=$BATS_FILE_TMPDIR/root.tar
}

teardown() {
  local bundle
  for bundle in "$BATS_TEST_TMPDIR"/bundle*; do
    [ -d "$bundle" ] && layers bundle --remove "$bundle"
  done
  # Mounts are all of the host that this program touches.
  ! grep -F "$BATS_TEST_TMPDIR" /proc/self/mountinfo
}

same_trees() { # DIR DIR
  diff <("$BATS_TEST_DIRNAME/../lib/tree-manifest" "$1") <("$BATS_TEST_DIRNAME/../lib/tree-manifest" "$2")
}

# Blobs, unpacked layers and half-made things of the store.
store_files() { find "$LAYERS_STORE"/{blobs/sha256,layers/diff,layers/chain,bundles,tmp} -mindepth 1 -maxdepth 1 | wc -l; }

@test "a tar of every compression comes out as it went in" {
  gzip -k -c "$archive" >a.tar.gz
  zstd -q -c "$archive" >a.tar.zst
  xz -0 -c "$archive" >a.tar.xz
  bzip2 -1 -c "$archive" >a.tar.bz2
  cp "$archive" a.tar
  local kind
  for kind in tar tar.gz tar.zst tar.xz tar.bz2; do
    layers import "tar:a.$kind" "image:${kind//./-}"
    layers unpack "image:${kind//./-}" "out-$kind"
    same_trees "$root" "out-$kind"
  done
}

@test "what a blob is compressed with is decided by its bytes, not its name" {
  gzip -c "$archive" >lying.tar.zst
  layers import tar:lying.tar.zst image
  layers unpack image out
  same_trees "$root" out
}

@test "standard input is a source" {
  layers import tar:- piped <"$archive"
  gzip -c "$archive" | layers import tar:- piped:2
  [ "$(layers images -q | sort | tr '\n' ' ')" = "piped:2 piped:latest " ]
}

@test "an image goes through skopeo, umoci and our archives unchanged" {
  need skopeo umoci
  layers import "tar:$archive" busybox:1
  skopeo copy -q "oci:$LAYERS_STORE:busybox:1" docker-archive:d.tar:busybox:d
  skopeo copy -q "oci:$LAYERS_STORE:busybox:1" oci-archive:o.tar:o
  skopeo copy -q "oci:$LAYERS_STORE:busybox:1" oci:plain:p
  layers import docker-archive:d.tar
  layers import oci-archive:o.tar
  gzip -c o.tar | layers import oci-archive:- piped:1
  layers import oci:plain:p
  local image
  for image in busybox:d o:o piped:1 plain:p; do
    layers unpack "$image" "out-$image"
    same_trees "$root" "out-$image"
  done
  umoci raw unpack --image plain:p umoci >&3 2>&1
  same_trees umoci out-plain:p
}

@test "unpack takes an OCI layout as it stands" {
  need skopeo
  layers import "tar:$archive" busybox:1
  skopeo copy -q "oci:$LAYERS_STORE:busybox:1" oci:plain:p
  LAYERS_STORE=$PWD/untouched layers unpack oci:plain:p out
  same_trees "$root" out
  [ ! -e untouched ]
}

@test "layers above: whiteouts, opaque directories, links to lower files, replaced types" {
  need umoci
  umoci init --layout layout
  umoci new --image layout:t
  mkdir -p one/{keep,gone,opaque/sub,type} two/opaque
  echo a >one/keep/a; echo b >one/gone/b; echo c >one/opaque/c; echo d >one/opaque/sub/d
  echo x >one/type/file; echo lone >one/lone
  ln one/keep/a one/keep/a2
  tar --format=posix -C one -cf one.tar .
  echo new >two/opaque/new
  umoci raw add-layer --image layout:t one.tar
  umoci insert --image layout:t --opaque two/opaque /opaque
  umoci insert --image layout:t --whiteout /gone
  umoci insert --image layout:t --whiteout /lone
  umoci insert --image layout:t one/keep/a /type
  layers unpack oci:layout:t out
  umoci raw unpack --image layout:t reference
  same_trees reference out
  layers import oci:layout:t multi
  layers bundle multi bundle -- true
  diff -r reference bundle/rootfs
  [ ! -e bundle/rootfs/gone ]
  [ ! -e bundle/rootfs/opaque/c ]
  [ "$(cat bundle/rootfs/opaque/new)" = new ]
}

@test "a hard link to a file of a lower layer is the same file" {
  need umoci
  mkdir one
  echo text >one/a
  tar --format=posix -C one -cf one.tar .
  python3 - <<'PY'
import tarfile
with tarfile.open("link.tar", "w") as t:
    m = tarfile.TarInfo("b"); m.type = tarfile.LNKTYPE; m.linkname = "a"; t.addfile(m)
PY
  umoci init --layout layout
  umoci new --image layout:t
  umoci raw add-layer --image layout:t one.tar
  umoci raw add-layer --image layout:t link.tar
  layers unpack oci:layout:t out
  [ "$(stat -c %i out/a)" = "$(stat -c %i out/b)" ]
  layers import oci:layout:t linked
  layers bundle linked bundle -- true
  [ "$(cat bundle/rootfs/b)" = text ]
  [ "$(find "$LAYERS_STORE/layers/chain" -mindepth 1 -maxdepth 1 | wc -l)" -eq 1 ]
}

@test "bundle makes a root, a configuration and the files of /etc" {
  layers import "tar:$archive" busybox:1
  layers bundle busybox:1 bundle --name web --env A=b --user alice --memory 64m \
    --volume /tmp:/data:ro --hook poststart=/bin/true,-x -- sh -c 'echo hi'
  [ "$(jq -r '.process.args | join(" ")' bundle/config.json)" = 'sh -c echo hi' ]
  [ "$(jq -c .process.user bundle/config.json)" = '{"uid":1000,"gid":1000,"additionalGids":[50]}' ]
  [ "$(jq .linux.resources.memory.limit bundle/config.json)" = 67108864 ]
  [ "$(jq -r .hostname bundle/config.json)" = web ]
  [ "$(jq -r '.hooks.poststart[0].args | join(" ")' bundle/config.json)" = '/bin/true -x' ]
  jq -e '.process.env | index("A=b")' bundle/config.json
  [ "$(cat bundle/hostname)" = web ]
  grep -q localhost bundle/hosts
  echo changed >bundle/rootfs/etc/passwd
  layers unpack busybox:1 out
  same_trees "$root" out
}

@test "bundle with a network calls netsetup before start and after stop" {
  layers import "tar:$archive" busybox:1
  layers bundle busybox:1 bundle --name web --network front --publish 8080:80
  local hook='netsetup hook --network front --name web --hosts hosts --publish 8080:80'
  [ "$(jq -r '.hooks.createRuntime[0].args | .[0] |= sub(".*/"; "") | join(" ")' bundle/config.json)" = "$hook" ]
  [ "$(jq -r '.hooks.poststop[0].args | .[0] |= sub(".*/"; "") | join(" ")' bundle/config.json)" = "$hook" ]
}

@test "two bundles of one image share its layers and nothing else" {
  layers import "tar:$archive" busybox:1
  layers bundle busybox:1 bundle1
  layers bundle busybox:1 bundle2
  [ "$(find "$LAYERS_STORE/layers/diff" -mindepth 1 -maxdepth 1 | wc -l)" -eq 1 ]
  echo one >bundle1/rootfs/file
  [ ! -e bundle2/rootfs/file ]
}

@test "bundle --remove may be repeated, and removes nothing that is no bundle" {
  layers import "tar:$archive" busybox:1
  layers bundle busybox:1 bundle
  layers bundle --remove bundle
  [ ! -e bundle ]
  layers bundle --remove bundle
  mkdir precious
  fails_with 1 layers bundle --remove precious
  [ -d precious ]
}

@test "a bundle in use, or a directory that is not empty, is not overwritten" {
  layers import "tar:$archive" busybox:1
  layers bundle busybox:1 bundle
  fails_with 1 layers bundle busybox:1 bundle
  [[ $stderr == *"not empty"* ]]
  mkdir full
  touch full/file
  fails_with 1 layers unpack busybox:1 full
  [ "$(ls full)" = file ]
}

@test "a bundle that fails half-way leaves nothing" {
  layers import "tar:$archive" busybox:1
  fails_with 1 layers bundle busybox:1 bundle --user mallory
  [[ $stderr == *"no user 'mallory'"* ]]
  [ ! -e bundle ]
  [ "$(ls "$LAYERS_STORE/bundles" | wc -l)" -eq 0 ]
  fails_with 1 layers bundle busybox:1 bundle --workdir /proc/self
  [ ! -e bundle ]
}

@test "rm keeps what a bundle or another image needs" {
  layers import "tar:$archive" one
  layers tag one two
  layers bundle one bundle
  layers rm one
  layers unpack two out
  layers rm two
  [ -x bundle/rootfs/bin/busybox ]
  [ "$(store_files)" -gt 0 ]
  layers bundle --remove bundle
  layers gc
  [ "$(store_files)" -eq 0 ]
}

@test "names: tag, untag, moved names, short and digest forms" {
  layers import "tar:$archive" docker.io/library/web:1
  layers tag web:1 other
  digest=$(layers images --json | jq -r '.[0].digest')
  layers inspect "$digest" >/dev/null
  layers inspect "${digest:7:12}" | jq -e .config.rootfs
  layers untag other
  run -1 layers inspect other
  [[ $output == *"no image 'other'"* ]]
  run -1 layers inspect web:2
  [[ $output == *"did you mean"* ]]
}

@test "damage is found by verify and named" {
  layers import "tar:$archive" web
  layers verify
  local blob
  blob=$(find "$LAYERS_STORE/blobs/sha256" -size +100k)
  printf X | dd of="$blob" bs=1 seek=5000 conv=notrunc status=none
  run -1 layers verify
  [[ $output == *"does not match"* ]]
  fails_with 1 layers unpack web out
  [ ! -e out ]
}

@test "what is no image ends in one line and leaves no trace" {
  layers images >/dev/null
  head -c 100000 /dev/urandom >noise
  : >empty
  fails_with 1 layers import tar:noise x
  fails_with 1 layers import tar:empty x
  fails_with 1 layers import docker-archive:noise
  fails_with 1 layers import "docker-archive:$archive"
  fails_with 1 layers import oci-archive:noise x
  fails_with 1 layers import oci:. x
  fails_with 1 layers import nonsense x
  fails_with 1 layers import tar:noise '../x'
  [ "$(store_files)" -eq 0 ]
}

@test "two processes that unpack one image at once agree" {
  layers import "tar:$archive" web
  local pids=() n
  for n in 1 2 3 4; do
    layers bundle web "bundle$n" -- true 3>&- &
    pids+=($!)
  done
  for n in "${pids[@]}"; do wait "$n"; done
  [ "$(find "$LAYERS_STORE/layers/diff" -mindepth 1 -maxdepth 1 | wc -l)" -eq 1 ]
  [ "$(ls "$LAYERS_STORE/tmp" | wc -l)" -eq 0 ]
}

@test "what a killed process left is removed by the next gc" {
  layers import "tar:$archive" web
  mkdir -p "$LAYERS_STORE/tmp/left/root"
  layers gc
  [ "$(ls "$LAYERS_STORE/tmp" | wc -l)" -eq 0 ]
  layers verify
}

@test "the store is for its owner alone" {
  layers import "tar:$archive" web
  [ "$(stat -c %a "$LAYERS_STORE")" = 700 ]
  layers bundle web bundle
  [ "$(stat -c %a bundle)" = 700 ]
}

@test "a platform that an index does not have is named with those that it has" {
  need skopeo
  layers import "tar:$archive" web
  skopeo copy -q "oci:$LAYERS_STORE:web:latest" oci:plain:p
  local manifest index
  manifest=$(jq -c '.manifests[0] | del(.annotations) | .platform = {os: "linux", architecture: "s390x"}' plain/index.json)
  index=$(printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[%s]}' "$manifest")
  printf %s "$index" >plain/blobs/sha256/"$(printf %s "$index" | sha256sum | cut -d' ' -f1)"
  printf '{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.index.v1+json","digest":"sha256:%s","size":%s,"annotations":{"org.opencontainers.image.ref.name":"p"}}]}' \
    "$(printf %s "$index" | sha256sum | cut -d' ' -f1)" "${#index}" >plain/index.json
  fails_with 1 layers import oci:plain:p copy
  [[ $stderr == *"it has: linux/s390x"* ]]
  layers import --platform linux/s390x oci:plain:p copy
}

@test "events are JSON lines" {
  layers --events events import "tar:$archive" web
  [ "$(jq -r 'select(.event == "import") | .source + " " + .id' events)" = "layers web:latest" ]
}
