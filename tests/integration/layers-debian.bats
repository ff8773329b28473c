# SPDX-License-Identifier: Apache-2.0
# Images that our code did not write: a Debian root file system in several layers,
# by umoci, buildah and skopeo. What we unpack is what umoci unpacks, file by file.
bats_require_minimum_version 1.5.0
load ../lib/common
load ../lib/pipeline

setup_file() {
  export LAYERS_STORE=$BATS_FILE_TMPDIR/store
}

setup() {
  need umoci skopeo getfattr
  manifest=$BATS_TEST_DIRNAME/../lib/tree-manifest
  cd "$BATS_TEST_TMPDIR" || return 1
}

teardown() {
  [ ! -d "$BATS_TEST_TMPDIR/bundle" ] || layers bundle --remove "$BATS_TEST_TMPDIR/bundle"
  # Gigabytes would be left until the end of the file otherwise.
  rm -rf "${BATS_TEST_TMPDIR:?}/ours"
}

# The number of names of a file that overlayfs shows counts those that a layer
# above has deleted; everything else must be equal.
without_link_counts() { sed -E 's/^(file .*) [0-9]+$/\1/'; }

# What we unpack against what umoci unpacks of the same; then through overlayfs.
compare() { # KIND SOURCE
  local expected
  expected=$(debian_image "$1-manifest")
  layers import "$2" debian:test
  layers unpack debian:test ours
  "$manifest" ours | diff "$expected" -
  layers bundle debian:test bundle -- true
  "$manifest" bundle/rootfs | without_link_counts | diff <(without_link_counts <"$expected") -
}

@test "gzip layers by umoci, with everything that a layer can hold" {
  compare umoci "oci:$(debian_image umoci):debian"
}

@test "zstd layers by buildah and skopeo" {
  compare zstd "oci:$(debian_image zstd):debian"
}

@test "a docker archive" {
  compare docker "docker-archive:$(debian_image docker)"
}

@test "the store is a layout that skopeo and umoci read" {
  image=$(debian_image umoci)
  layers import "oci:$image:debian" debian:again
  skopeo inspect "oci:$LAYERS_STORE:debian:again" | jq -e '.Layers | length == 5'
  umoci stat --image "$LAYERS_STORE:debian:again" --json | jq -e .history
}
