# SPDX-License-Identifier: Apache-2.0
# commit.sh - ten files changed in a tree of 50,000: commit of a bundle, and umoci
# repack, which compares the whole tree.

have umoci || return
tree=$BENCH_TMP/tree
mkdir -p "$tree"
(cd "$tree" && for d in $(seq 250); do mkdir "$d"; (cd "$d" && seq 200 | split -l 1 -a 3 -); done)
tar -C "$tree" -cf "$BENCH_TMP/tree.tar" .
rm -rf "$tree"
export LAYERS_STORE=$BENCH_TMP/commit-store
layers import "tar:$BENCH_TMP/tree.tar" many:1 >/dev/null
umoci_layout=$BENCH_TMP/commit-layout
umoci init --layout "$umoci_layout"
umoci new --image "$umoci_layout:many"
umoci raw add-layer --image "$umoci_layout:many" "$BENCH_TMP/tree.tar"
layers bundle many:1 "$BENCH_TMP/commit-bundle" -- true
umoci unpack --image "$umoci_layout:many" "$BENCH_TMP/commit-umoci"
for n in $(seq 10); do
  for rootfs in commit-bundle commit-umoci; do echo changed >"$BENCH_TMP/$rootfs/rootfs/$n/xaaa"; done
done
compare commit -r 5 -w 1 -s 50 -- \
  ours layers commit "$BENCH_TMP/commit-bundle" changed:1 \
  :: umoci umoci repack --image "$umoci_layout:changed" "$BENCH_TMP/commit-umoci"
layers bundle --remove "$BENCH_TMP/commit-bundle"
budget 'commit, 10 of 50,000 files' \
  "$(over "$(figure commit ours median_ms)" "$(figure commit umoci median_ms)")" '<=' 0.2 'x umoci repack'
