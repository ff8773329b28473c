# SPDX-License-Identifier: Apache-2.0
# unpack.sh - a Debian image of one gzip layer of 100 MB, with every digest verified,
# into a directory on tmpfs: ours, umoci, tar (which verifies nothing), and
# unpack_floor.c, which inflates, hashes and writes and does nothing else.

large=$(../lib/debian-image large) || { echo "  (no Debian image: left out)"; return; }
layout=$BENCH_TMP/layout
cp -r "$large" "$layout"
blob() { echo "$layout/blobs/sha256/${1#sha256:}"; }
manifest=$(blob "$(jq -r '.manifests[0].digest' "$layout/index.json")")
layer=$(blob "$(jq -r '.layers[0].digest' "$manifest")")
target=$BENCH_TMP/target

words=()
have umoci && words+=(:: umoci -b "rm -rf $target-umoci" umoci raw unpack --image "$layout:large" "$target-umoci")
words+=(:: tar -b "rm -rf $target-tar; mkdir $target-tar" tar -xzf "$layer" -C "$target-tar" --xattrs --same-owner)
words+=(:: floor -b "rm -f $target-floor" "$BENCH_FLOORS/unpack_floor" "$layer" "$target-floor")
compare unpack -r 7 -w 1 -s 45 -- \
  ours -b "rm -rf $target-ours" layers unpack "oci:$layout:large" "$target-ours" "${words[@]}"
rm -rf "$target"-*

ours=$(figure unpack ours median_ms)
budget 'unpack, 100 MB gzip layer' "$(over "$ours" "$(figure unpack umoci median_ms)")" '<=' 0.25 'x umoci'
budget 'unpack, 100 MB gzip layer' "$(over "$ours" "$(figure unpack tar median_ms)")" '<=' 0.55 'x tar -xzf'
budget 'unpack, 100 MB gzip layer' "$(over "$ours" "$(figure unpack floor median_ms)")" '<=' 1.3 'x the two-core bound'
budget 'unpack, peak memory' "$(over "$(figure unpack ours rss_kib)" 1024)" '<=' 32 MiB

# What is unpacked already costs nothing again.
export LAYERS_STORE=$BENCH_TMP/store
layers import "oci:$layout:large" large:1 >/dev/null
layers bundle large:1 "$BENCH_TMP/first" -- true && layers bundle --remove "$BENCH_TMP/first"
compare 'bundle again' -r 30 -w 2 -s 10 -- \
  ours -a "layers bundle --remove $BENCH_TMP/again" layers bundle large:1 "$BENCH_TMP/again" -- true
layers rm large:1
