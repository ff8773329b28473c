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
  rm -rf "${BATS_TEST_TMPDIR:?}"/{ours,umoci,copy}
}

# The number of names of a file that overlayfs shows counts those that a layer
# above has deleted; everything else must be equal.
without_link_counts() { sed -E 's/^(file .*) [0-9]+$/\1/'; }

# Unpacks with both and compares; then the same through overlayfs.
compare() { # OCI_LAYOUT[:TAG] for umoci, SOURCE for us
  umoci raw unpack --image "$1" umoci
  "$manifest" umoci >expected
  layers import "$2" debian:test
  layers unpack debian:test ours
  "$manifest" ours | diff expected -
  layers bundle debian:test bundle -- true
  "$manifest" bundle/rootfs | without_link_counts | diff <(without_link_counts <expected) -
}

@test "gzip layers by umoci, with everything that a layer can hold" {
  image=$(debian_image umoci)
  compare "$image:debian" "oci:$image:debian"
}

@test "zstd layers by buildah and skopeo" {
  image=$(debian_image zstd)
  # umoci reads no zstd: the same layers as gzip for its sake.
  skopeo copy -q --dest-compress-format gzip "oci:$image:debian" oci:copy:debian
  compare copy:debian "oci:$image:debian"
}

@test "a docker archive" {
  image=$(debian_image docker)
  skopeo copy -q "docker-archive:$image" oci:copy:debian
  compare copy:debian "docker-archive:$image"
}

@test "the store is a layout that skopeo and umoci read" {
  image=$(debian_image umoci)
  layers import "oci:$image:debian" debian:again
  skopeo inspect "oci:$LAYERS_STORE:debian:again" | jq -e '.Layers | length == 5'
  umoci stat --image "$LAYERS_STORE:debian:again" --json | jq -e .history
}
