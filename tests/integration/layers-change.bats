# SPDX-License-Identifier: Apache-2.0
# layers: images made of images. What we write, umoci reads as we do.
bats_require_minimum_version 1.5.0
load ../lib/common
load ../lib/pipeline

setup() {
  export LAYERS_STORE=$BATS_TEST_TMPDIR/store
  cd "$BATS_TEST_TMPDIR" || return 1
  make_busybox_rootfs root
  mkdir -p root/usr/share/{doc,old} root/opaque/sub
  echo i >root/etc/issue
  echo a >root/usr/share/doc/a
  echo b >root/usr/share/doc/b
  echo c >root/usr/share/old/c
  echo d >root/opaque/sub/d
  echo e >root/opaque/e
  ln root/usr/share/doc/b root/usr/share/doc/b2
  find root -exec touch -h -d @1000000000 {} +
  tar --format=posix --pax-option=delete=atime,delete=ctime -C root -cf root.tar .
  layers import tar:root.tar base:1
}

teardown() {
  local place
  for place in "$BATS_TEST_TMPDIR"/bundle*; do
    [ -d "$place" ] && layers bundle --remove "$place"
  done
  for place in "$BATS_TEST_TMPDIR"/mount*; do
    [ -d "$place" ] && layers umount "$place"
  done
  ! grep -F "$BATS_TEST_TMPDIR" /proc/self/mountinfo
}

same_trees() { # DIR DIR
  diff <("$BATS_TEST_DIRNAME/../lib/tree-manifest" "$1") <("$BATS_TEST_DIRNAME/../lib/tree-manifest" "$2")
}

whole_seconds() { # DIR : as a layer keeps times
  find "$1" -depth -printf '%Ts %p\0' | while IFS= read -rd '' line; do
    touch -h -d "@${line%% *}" "${line#* }"
  done
}

# Everything that a container can do to a tree.
change() { # ROOTFS
  local r=$1
  echo new >"$r/new"
  echo more >>"$r/usr/share/doc/a"
  rm -r "$r/usr/share/old" "$r/bin/nslookup"
  rm -r "$r/opaque" && mkdir "$r/opaque" && echo f >"$r/opaque/f"
  mkdir -p "$r/made/deep" && ln -s deep "$r/made/link" && mkfifo "$r/made/fifo"
  mknod "$r/made/null" c 1 3
  echo twice >"$r/made/one" && ln "$r/made/one" "$r/made/two"
  echo x >"$r/made/$(printf 'long%.0s' {1..50})"
  cp "$r/bin/busybox" "$r/made/setuid" && chmod 4755 "$r/made/setuid"
  setfattr -n user.colour -v blue "$r/made/one"
  setcap cap_net_bind_service=ep "$r/made/deep/../setuid"
  chown 1000:50 "$r/made/deep" && chmod 1777 "$r/made/deep"
  rm "$r/etc/issue" && mkdir "$r/etc/issue" && echo g >"$r/etc/issue/g"
  truncate -s 40M "$r/made/sparse" && echo end >>"$r/made/sparse"
  python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$r/made/socket"
}

@test "commit: an image of a changed bundle unpacks to what the bundle showed" {
  need umoci setcap setfattr
  layers bundle base:1 bundle -- true
  change bundle/rootfs
  layers commit --message 'a change' --author me bundle changed:1
  rm bundle/rootfs/made/socket
  cp -a --sparse=always bundle/rootfs expected
  whole_seconds expected
  layers unpack changed:1 out
  same_trees expected out
  umoci raw unpack --image "$LAYERS_STORE:changed:1" umoci >&3 2>&1
  same_trees umoci out
  [ "$(layers inspect changed:1 | jq -r '.config.history[-1] | .comment + .author')" = "a changeme" ]
  [ "$(layers inspect changed:1 | jq '.manifest.layers | length')" -eq 2 ]
  # What is written and read again through an overlay is the same too.
  layers bundle changed:1 bundle2 -- true
  diff -r --no-dereference -x fifo -x null out bundle2/rootfs
}

@test "diff: whiteouts are minimal, members sorted, and nothing else is in the layer" {
  layers bundle base:1 bundle -- true
  change bundle/rootfs
  layers diff bundle >layer.tar
  tar -tf layer.tar >names
  grep -qx usr/share/.wh.old names
  run ! grep -q usr/share/old/ names
  run ! grep -q 'usr/share/doc/b' names
  grep -qx opaque/.wh.sub names
  grep -qx opaque/.wh.e names
  run ! grep -q '\.wh\.\.wh\.\.opq' names
  grep -qx bin/.wh.nslookup names
  run ! grep -q 'made/socket' names
  [ "$(grep -c '^bin/' names)" -eq 2 ]
  # 40 MB of zeros are not written out.
  [ "$(stat -c %s layer.tar)" -lt 10000000 ]
  layers diff --list bundle >list
  grep -qx 'A /new' list
  grep -qx 'C /usr/share/doc/a' list
  grep -qx 'D /usr/share/old' list
  [ "$(layers diff --json bundle | jq 'length')" -eq "$(wc -l <list)" ]
}

@test "diff: what was copied up and is the same is no change" {
  layers bundle base:1 bundle -- true
  chown -R 0:0 bundle/rootfs/usr
  touch -r root/usr/share/doc/a bundle/rootfs/usr/share/doc/a
  [ -z "$(layers diff --list bundle)" ]
  layers commit bundle same:1
  [ "$(layers inspect same:1 | jq '.manifest.layers | length')" -eq 1 ]
  [ "$(layers inspect same:1 | jq '.config.history[-1].empty_layer')" = true ]
}

@test "commit: places that a runtime mounted on are no change" {
  layers bundle base:1 bundle --network none -- sh -c 'echo hello >/root/file'
  runc-like --root "$BATS_TEST_TMPDIR/state" run --bundle bundle "$(unique_id)" </dev/null
  [ "$(layers diff --list bundle)" = "C /root
A /root/file" ]
}

@test "two trees: the layer leads from one to the other" {
  need umoci setcap setfattr
  cp -a root old
  cp -a root new
  change new
  rm new/made/socket
  whole_seconds new
  layers diff old new >layer.tar
  layers import tar:root.tar one:1
  skopeo copy -q "oci:$LAYERS_STORE:one:1" oci:layout:t
  umoci raw add-layer --image layout:t layer.tar
  layers unpack oci:layout:t out
  same_trees new out
  umoci raw unpack --image layout:t umoci >&3 2>&1
  same_trees new umoci
}

@test "the same change gives the same image, whatever the clock says" {
  local n
  for n in 1 2; do
    layers bundle base:1 "bundle$n" -- true
    echo new >"bundle$n/rootfs/b"
    echo new >"bundle$n/rootfs/a"
    touch -d "@$((1700000000 + n))" "bundle$n/rootfs/a" "bundle$n/rootfs"
    SOURCE_DATE_EPOCH=1500000000 layers commit "bundle$n" "changed:$n"
  done
  [ "$(layers images --json | jq -r '[.[] | select(.name | startswith("changed")).digest] | unique | length')" -eq 1 ]
  layers unpack changed:1 out
  [ "$(stat -c %Y out/a)" -eq 1500000000 ]
}

@test "commit of an upper directory, with every compression" {
  mkdir -p upper/etc
  echo motd >upper/etc/motd
  local kind
  for kind in gzip zstd none; do
    layers commit --base base:1 --compression "$kind" upper "up:$kind"
    layers unpack "up:$kind" "out-$kind"
    [ "$(cat "out-$kind/etc/motd")" = motd ]
    cmp "out-$kind/bin/busybox" root/bin/busybox
  done
  [ "$(layers inspect up:zstd | jq -r '.manifest.layers[1].mediaType')" = application/vnd.oci.image.layer.v1.tar+zstd ]
  layers commit --base scratch upper alone:1
  [ "$(layers inspect alone:1 | jq '.manifest.layers | length')" -eq 1 ]
  run -1 --separate-stderr layers commit upper nothing:1
  [[ "$stderr" == *"--base IMAGE"* ]]
  layers verify
}

@test "skopeo, buildah and podman read a committed image" {
  need skopeo buildah
  layers bundle base:1 bundle -- true
  echo new >bundle/rootfs/new
  rm bundle/rootfs/usr/share/doc/a
  layers commit bundle changed:1
  skopeo copy -q "oci:$LAYERS_STORE:changed:1" dir:copied
  local tool=(buildah --storage-driver vfs --root "$PWD/storage" --runroot "$PWD/run")
  local container
  container=$("${tool[@]}" from oci:store:changed:1)
  local mounted
  mounted=$("${tool[@]}" mount "$container")
  [ "$(cat "$mounted/new")" = new ]
  [ ! -e "$mounted/usr/share/doc/a" ]
  [ -e "$mounted/usr/share/doc/b" ]
  "${tool[@]}" umount "$container"
  "${tool[@]}" rm "$container"
  chattr -R -i storage 2>/dev/null || :
}
