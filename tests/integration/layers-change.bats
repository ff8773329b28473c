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
  # No layer holds a socket; that it goes must not show in its directory.
  local when
  when=$(stat -c %y bundle/rootfs/made)
  rm bundle/rootfs/made/socket
  touch -d "$when" bundle/rootfs/made
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

@test "config: every field, and what we do not know stays" {
  need umoci skopeo
  layers config --user 1000:50 --workdir /srv --env A=1 --env B=2 --entrypoint '["/bin/sh","-c"]' \
    --cmd 'echo hi' --label k=v --label l=w --expose 80 --expose 53/udp --volume /data \
    --stop-signal SIGINT --healthcheck 'wget -q localhost' --shell '["/bin/bash","-c"]' \
    --onbuild 'RUN true' --annotation a=b --author me --created 2020-01-02T03:04:05Z base:1 set:1
  layers inspect set:1 >set.json
  [ "$(jq -c .config.config.Entrypoint set.json)" = '["/bin/sh","-c"]' ]
  [ "$(jq -c .config.config.Cmd set.json)" = '["/bin/sh","-c","echo hi"]' ]
  [ "$(jq -c .config.config.ExposedPorts set.json)" = '{"53/udp":{},"80/tcp":{}}' ]
  [ "$(jq -c .config.config.Healthcheck set.json)" = '{"Test":["CMD-SHELL","wget -q localhost"]}' ]
  [ "$(jq -r .config.created set.json)" = 2020-01-02T03:04:05Z ]
  [ "$(jq -r .manifest.annotations.a set.json)" = b ]
  layers config --unset-env A --env B=3 --unset-label k --clear volume --no-history set:1
  layers inspect set:1 >set.json
  [ "$(jq -c .config.config.Env set.json)" = '["B=3"]' ]
  [ "$(jq -c '.config.config | [.Labels, .Volumes, .Shell, .OnBuild]' set.json)" = '[{"l":"w"},null,["/bin/bash","-c"],["RUN true"]]' ]
  umoci stat --image "$LAYERS_STORE:set:1" --json | jq -e '.history | length == 2'
  skopeo inspect --config "oci:$LAYERS_STORE:set:1" | jq -e '.config.User == "1000:50" and .config.StopSignal == "SIGINT"'
  run -1 --separate-stderr layers config --expose 70000 set:1
  [[ "$stderr" == *"--expose '70000'"* ]]
  run -1 --separate-stderr layers config --clear nothing set:1
  [[ "$stderr" == *"no such field"* ]]
}

@test "mount: read-only, writable, and with an upper directory of one's own" {
  layers mount base:1 mount1
  diff -r --no-dereference root mount1
  run -1 touch mount1/file
  layers mount --writable base:1 mount2
  echo new >mount2/new
  rm mount2/usr/share/doc/a
  layers commit mount2 written:1
  layers mount --upper upper written:1 mount3
  [ "$(cat mount3/new)" = new ]
  [ ! -e mount3/usr/share/doc/a ]
  echo more >mount3/more
  # Two layers, read-only: what is mounted is protected from gc.
  layers untag written:1
  layers gc
  layers mount base:1 mount4
  [ "$(cat mount3/usr/share/doc/b)" = b ]
  layers umount mount1 mount2 mount3 mount4
  layers umount mount1
  [ ! -e mount1 ] && [ ! -e mount3 ]
  [ "$(cat upper/more)" = more ]
  layers gc
  [ "$(find "$LAYERS_STORE/bundles" -mindepth 1 | wc -l)" -eq 0 ]
}

@test "images --tree shows which layers are shared" {
  mkdir upper
  echo one >upper/one
  layers commit --base base:1 upper one:1
  echo two >upper/one
  layers commit --base base:1 upper two:1
  layers tag two:1 two:again
  layers images --tree >tree
  [ "$(grep -c '──' tree)" -eq 3 ]
  grep -q '^└── .*  base:1$' tree
  grep -q -E '^    (├|└)── .*  one:1$' tree
  grep -Eq 'two:1, two:again|two:again, two:1' tree
  grep -q 'in 3 layers' tree
}

@test "squash: one layer with the same files" {
  need umoci
  layers bundle base:1 bundle -- true
  rm -r bundle/rootfs/usr/share/doc && echo 1 >bundle/rootfs/one
  layers commit bundle two:1
  layers bundle two:1 bundle2 -- true
  rm bundle2/rootfs/one bundle2/rootfs/etc/issue && mkdir -p bundle2/rootfs/x/y
  layers commit bundle2 three:1
  layers unpack three:1 before
  layers squash three:1 all:1
  layers squash --keep 1 three:1 upper:1
  layers squash --onto base:1 three:1 onto:1
  local image
  for image in all:1 upper:1 onto:1; do
    layers unpack "$image" "out-$image"
    same_trees before "out-$image"
  done
  [ "$(layers inspect all:1 | jq '.manifest.layers | length')" -eq 1 ]
  [ "$(layers inspect upper:1 | jq '.manifest.layers | length')" -eq 2 ]
  [ "$(layers inspect upper:1 | jq '.config.history | length')" -eq 2 ]
  umoci raw unpack --image "$LAYERS_STORE:upper:1" umoci >&3 2>&1
  same_trees before umoci
  run -1 --separate-stderr layers squash --onto three:1 base:1 no:1
  [[ "$stderr" == *"does not lie on 'three:1'"* ]]
}

@test "rebase: the same change on another base" {
  mkdir upper other
  echo change >upper/change
  layers commit --base base:1 upper changed:1
  layers config --env A=1 changed:1
  echo two >other/two
  layers commit --base base:1 other base:2
  layers rebase --from base:1 --onto base:2 changed:1 moved:1
  layers unpack moved:1 out
  [ "$(cat out/two out/change)" = "two
change" ]
  [ "$(layers inspect moved:1 | jq -c '[(.manifest.layers | length), (.config.history | length), .config.config.Env]')" = '[3,4,["A=1"]]' ]
  run -1 --separate-stderr layers rebase --from base:2 --onto base:1 changed:1 no:1
  [[ "$stderr" == *"does not lie on 'base:2'"* ]]
}
