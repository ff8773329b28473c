# SPDX-License-Identifier: Apache-2.0
# Images in and out by a registry: docker-registry is the other side, skopeo the
# other reader and writer.
bats_require_minimum_version 1.5.0
load ../lib/common
load ../lib/pipeline
load ../lib/registry

setup() {
  need docker-registry skopeo python3
  export LAYERS_STORE=$BATS_TEST_TMPDIR/store
  export HOME=$BATS_TEST_TMPDIR XDG_RUNTIME_DIR=$BATS_TEST_TMPDIR/run REGISTRY_AUTH_FILE=
  cd "$BATS_TEST_TMPDIR" || return 1
  if ! [ -f "$BATS_FILE_TMPDIR/root.tar.gz" ]; then
    make_busybox_rootfs "$BATS_FILE_TMPDIR/root"
    tar --format=posix -C "$BATS_FILE_TMPDIR/root" -czf "$BATS_FILE_TMPDIR/root.tar.gz" .
  fi
  layers import "tar:$BATS_FILE_TMPDIR/root.tar.gz" web:1
  digest=$(layers images --json | jq -r '.[0].digest')
}

teardown() { stop_servers; }

same_as_root() { # DIR
  diff <("$BATS_TEST_DIRNAME/../lib/tree-manifest" "$BATS_FILE_TMPDIR/root") <("$BATS_TEST_DIRNAME/../lib/tree-manifest" "$1")
}

@test "push and pull: the same digest, the same files, nothing sent twice" {
  start_registry
  layers push -q web:1 "docker://$REGISTRY/team/web:2"
  [ "$(layers push --json -q web:1 "$REGISTRY/team/web:2" | jq .transferred)" = 0 ]
  export LAYERS_STORE=$BATS_TEST_TMPDIR/second
  run --separate-stderr layers pull "docker://$REGISTRY/team/web:2"
  [ "$status" -eq 0 ]
  [ "$output" = "$REGISTRY/team/web:2 $digest" ]
  [[ $stderr == *done* ]]
  [ "$(layers pull --json -q "$REGISTRY/team/web:2" | jq -c '[.digest, .transferred]')" = "[\"$digest\",0]" ]
  layers verify
  layers unpack team/web:2 out   # no other registry's is here
  same_as_root out
  layers pull -q "$REGISTRY/team/web@$digest" pinned
  [ "$(layers inspect pinned | jq -r .digest)" = "$digest" ]
  [ -z "$(ls second/tmp)" ]
}

@test "in pieces: chunked uploads arrive whole" {
  start_registry
  layers push -q --chunk-size 200k web:1 "$REGISTRY/web:1"
  skopeo copy -q --src-tls-verify=false "docker://$REGISTRY/web:1" oci:theirs:1
  layers unpack oci:theirs:1 out
  same_as_root out
}

@test "skopeo reads what we push, we read what skopeo pushes, OCI and docker v2s2" {
  start_registry
  layers push -q web:1 "$REGISTRY/ours:1"
  skopeo copy -q --src-tls-verify=false "docker://$REGISTRY/ours:1" oci:theirs:1
  local format
  for format in oci v2s2; do
    skopeo copy -q --format "$format" --dest-tls-verify=false oci:theirs:1 "docker://$REGISTRY/theirs:$format"
    LAYERS_STORE=$BATS_TEST_TMPDIR/$format layers pull -q "$REGISTRY/theirs:$format" it
    LAYERS_STORE=$BATS_TEST_TMPDIR/$format layers unpack it "out-$format"
    same_as_root "out-$format"
  done
}

@test "blobs that another repository of the registry has are mounted, not sent" {
  start_registry
  layers tag web:1 "$REGISTRY/one:1"
  layers push -q "$REGISTRY/one:1"
  [ "$(layers push -q --json web:1 "$REGISTRY/two:1" | jq .transferred)" = 0 ]
  [ "$(layers copy -q --json "docker://$REGISTRY/one:1" "docker://$REGISTRY/three:1" | jq .transferred)" = 0 ]
  skopeo copy -q --src-tls-verify=false "docker://$REGISTRY/three:1" oci:theirs:1
}

@test "several platforms: one is chosen, or all are copied with their index" {
  start_registry
  layers push -q web:1 "$REGISTRY/web:1"
  skopeo copy -q --src-tls-verify=false "docker://$REGISTRY/web:1" oci:multi:1
  local entry index
  entry=$(jq -c '.manifests[0] | del(.annotations)' multi/index.json)
  index=$(printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[%s,%s]}' \
    "$(jq -c '.platform = {os: "linux", architecture: "s390x"}' <<<"$entry")" \
    "$(jq -c '.platform = {os: "linux", architecture: "arm64", variant: "v8"}' <<<"$entry")")
  printf %s "$index" >multi/blobs/sha256/"$(printf %s "$index" | sha256sum | cut -d' ' -f1)"
  printf '{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.index.v1+json","digest":"sha256:%s","size":%s,"annotations":{"org.opencontainers.image.ref.name":"m"}}]}' \
    "$(printf %s "$index" | sha256sum | cut -d' ' -f1)" "${#index}" >multi/index.json
  layers copy -q --all oci:multi:m "docker://$REGISTRY/multi:1"
  skopeo inspect --raw --tls-verify=false "docker://$REGISTRY/multi:1" | jq -e '.manifests | length == 2'
  fails_with 1 layers pull --platform linux/riscv64 -q "$REGISTRY/multi:1"
  [[ $stderr == *"it has: linux/s390x, linux/arm64/v8"* ]]
  layers pull -q --platform linux/s390x "$REGISTRY/multi:1" one
  layers pull -q --all "$REGISTRY/multi:1" every
  [ "$(layers images --json | jq -r '.[] | select(.name == "one:latest").platform')" = linux/amd64 ]
  layers copy -q --all every "oci-archive:every.tar"
  skopeo inspect --raw oci-archive:every.tar | jq -e '.manifests | length == 2'
  layers gc
  layers unpack --platform linux/arm64 every out
  same_as_root out
}

@test "save and copy: archives and layouts that others read, and the same bytes again" {
  start_registry
  layers save -q web:1 oci-archive:o.tar
  layers save -q web:1 docker-archive:d.tar:example.org/web:9
  layers save -q web:1 oci:layout:v1
  layers save -q web:1 oci:layout:v2
  layers save -q web:1 docker-archive:-:example.org/web:9 | cmp - d.tar
  layers save -q web:1 oci-archive:- | cmp - o.tar
  [ "$(tar xOf d.tar manifest.json | jq -r '.[0].RepoTags[0]')" = example.org/web:9 ]
  local n=0 image
  for image in oci-archive:o.tar docker-archive:d.tar oci:layout:v1 oci:layout:v2; do
    skopeo copy -q "$image" "oci:read:$((++n))"
    layers unpack "oci:read:$n" "out$n"
    same_as_root "out$n"
    layers copy -q "$image" "docker://$REGISTRY/copied:$n"
    layers copy -q "docker://$REGISTRY/copied:$n" "oci:back:$n"
  done
  umoci ls --layout layout | grep -qx v1
  umoci raw unpack --image layout:v2 umoci >&3
  layers copy -q "docker://$REGISTRY/copied:1" docker-archive:d2.tar:example.org/web:9
  cmp d.tar d2.tar
  [ "$(layers copy -q "docker://$REGISTRY/copied:1" again:1 | cut -d' ' -f2)" = "$digest" ]
  [ "$(skopeo inspect --tls-verify=false "docker://$REGISTRY/copied:3" | jq -r .Digest)" = "$digest" ]
  [ -z "$(ls store/tmp)" ]
}

@test "build pulls what it begins from, and with --pull what is newer" {
  start_registry
  layers config --env A=1 web:1 first:1
  layers config --env A=2 web:1 second:1
  layers push -q first:1 "$REGISTRY/base:1"
  export LAYERS_STORE=$BATS_TEST_TMPDIR/second
  mkdir context
  printf 'FROM %s/base:1\nCOPY --from=%s/base:1 /etc/passwd /copy\n' "$REGISTRY" "$REGISTRY" >context/Dockerfile
  made() { layers inspect out:1 | jq -r '.config.config.Env[0]'; }
  fails_with 1 layers build --pull=false -t out:1 context
  [[ $stderr == *"FROM $REGISTRY/base:1"*"no image"* ]]
  layers build -t out:1 context
  [ "$(made)" = A=1 ]
  layers images -q | grep -qx "$REGISTRY/base:1"
  LAYERS_STORE=$BATS_TEST_TMPDIR/store layers push -q second:1 "$REGISTRY/base:1"
  layers build -q -t out:1 context
  [ "$(made)" = A=1 ]
  layers build -q --pull -t out:1 context
  [ "$(made)" = A=2 ]
  # By digest, and another's name.
  printf 'FROM %s/base@%s\n' "$REGISTRY" "$(layers inspect "$REGISTRY/base:1" | jq -r .digest)" >context/Dockerfile
  layers build -q -t out:2 context
  [ "$(layers inspect out:2 | jq -r '.config.config.Env[0]')" = A=2 ]
  [ -z "$(ls "$LAYERS_STORE/tmp")" ]
}

@test "df tells what there is and what gc gives back" {
  layers df --json >full
  [ "$(jq -c '[.images, .blobs.count, .blobs.reclaimable, .layers.count]' full)" = '[1,3,0,0]' ]
  layers bundle web:1 bundle -- true
  layers config --env A=1 web:1 other:1
  layers untag other:1
  layers untag web:1
  layers df --json >used
  layers df | grep -E '^blobs +5 '
  # What the bundle needs stays, what had no other use goes.
  jq -e '.images == 0 and .bundles.count == 1 and .layers.count == 1 and .layers.reclaimable == 0' used
  jq -e '.blobs.reclaimable > 0 and .blobs.reclaimable < .blobs.bytes' used
  layers gc
  layers df --json >less
  [ "$(jq .blobs.bytes less)" -eq $(($(jq .blobs.bytes used) - $(jq .blobs.reclaimable used))) ]
  [ "$(jq .blobs.reclaimable less)" -eq 0 ]
  layers bundle --remove bundle
  layers df --json | jq -e '.layers.reclaimable == .layers.bytes and .layers.bytes > 0'
}

@test "tags and search list, in pages too" {
  start_registry
  layers push -q web:1 "$REGISTRY/team/web:1"
  layers push -q web:1 "$REGISTRY/team/web:2"
  layers push -q web:1 "$REGISTRY/other:1"
  [ "$(layers tags "$REGISTRY/team/web" | tr '\n' ' ')" = "1 2 " ]
  [ "$(layers tags --plain-http --json "$REGISTRY/team/web" | jq length)" -eq 2 ]
  [ "$(layers search "$REGISTRY" web)" = "$REGISTRY/team/web" ]
  [ "$(layers search --json "$REGISTRY" | jq length)" = 2 ]
  fails_with 1 layers tags "$REGISTRY/nothing"
  [[ $stderr == *NAME_UNKNOWN* ]]
  fails_with 1 layers pull "$REGISTRY/team/web:3"
  [[ $stderr == *"no image '$REGISTRY/team/web:3'"*"layers tags"* ]]
}

@test "a mirror is asked first, and the registry itself when it does not have the image" {
  start_registry mirror
  local mirror=$REGISTRY
  layers push -q web:1 "$mirror/cache/team/web:1"
  start_registry origin
  layers push -q web:1 "$REGISTRY/only:1"
  LAYERS_STORE=$BATS_TEST_TMPDIR/second layers pull -q --mirror "$mirror/cache" "$REGISTRY/team/web:1"
  LAYERS_STORE=$BATS_TEST_TMPDIR/second layers pull -q --mirror "$mirror/cache" "$REGISTRY/only:1"
  LAYERS_STORE=$BATS_TEST_TMPDIR/second layers images -q | grep -qx "$REGISTRY/team/web:1"
}

@test "no registry there: one line, at once" {
  fails_with 1 layers pull "127.0.0.1:$(free_port)/web:1"
  [[ $stderr == *ECONNREFUSED* ]]
  fails_with 1 layers pull 'docker://127.0.0.1:5000/../../etc/passwd'
  fails_with 1 layers pull '127.0.0.1:5000/UPPER'
  fails_with 1 layers pull '127.0.0.1:5000/web:-tag'
  fails_with 1 layers pull '127.0.0.1:5000/web@sha256:12'
  fails_with 1 layers pull 'ho%2fst:5000/web:1'
}
