#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# layers: what options do that no other test needs.
bats_require_minimum_version 1.5.0
load ../lib/common
load ../lib/pipeline

setup() {
  [ -z "${VM_RESULTS:-}" ] || skip "the emulated machine sees these commands in layers-change and layers-build"
  export LAYERS_STORE=$BATS_TEST_TMPDIR/store
  cd "$BATS_TEST_TMPDIR" || return 1
  make_busybox_rootfs root
  tar -C root -cf root.tar .
  layers import tar:root.tar base:1
}

teardown() {
  if [ -d bundle ]; then layers bundle --remove bundle; fi
  ! grep -F "$BATS_TEST_TMPDIR" /proc/self/mountinfo
}

@test "bundle: what the command line says stands in config.json" {
  fails_with 1 layers bundle --max-entries 2 base:1 bundle
  says 'entries'
  fails_with 1 layers bundle --max-size 1k base:1 bundle
  says '--max-size'
  layers bundle --hostname front --entrypoint cat --read-only --tty --cpus 0.5 --pids-limit 10 \
    --no-new-privileges --memory 64m --env A=1 --workdir /tmp --user alice \
    --hook poststop=/bin/true,one base:1 bundle -- -n file
  jq -c '[.hostname, .process.args, .root.readonly, .process.terminal, .linux.resources.cpu.quota,
    .linux.resources.pids.limit, .process.noNewPrivileges, .linux.resources.memory.limit,
    .process.cwd, .process.user.uid, .hooks.poststop[0].args]' bundle/config.json >said
  [ "$(cat said)" = '["front",["cat","-n","file"],true,true,50000,10,true,67108864,"/tmp",1000,["/bin/true","one"]]' ]
  jq -e '.process.env | index("A=1")' bundle/config.json
  layers bundle --remove bundle
  layers bundle --entrypoint '' base:1 bundle -- echo x
  [ "$(jq -c .process.args bundle/config.json)" = '["echo","x"]' ]
  layers bundle --remove bundle
  fails_with 1 layers bundle --cpus many base:1 bundle
  says '--cpus'
  [ ! -e bundle ] && [ -z "$(ls "$LAYERS_STORE/bundles")" ]
}

@test "diff and commit: an upper directory, volumes, compression, what the history says" {
  layers config --volume /data base:1 base:1
  layers bundle base:1 bundle -- true
  mkdir bundle/rootfs/data && echo 1 >bundle/rootfs/data/file
  echo 2 >bundle/rootfs/other
  [ "$(layers diff --list bundle | grep -c file)" -eq 0 ]
  [ "$(layers diff --list --include-volumes bundle | grep -c 'A /data/file')" -eq 1 ]
  layers diff bundle --compression gzip --output layer.tar.gz >said
  grep -q sha256: said
  gzip -dc layer.tar.gz | tar -tf - | grep -qx other
  mkdir upper && echo 3 >upper/three
  layers diff --base base:1 upper | tar -xOf - three | grep -qx 3
  layers diff --base base:1 --json upper | jq -e 'tostring | test("three")'
  layers commit --include-volumes --created-by 'by hand' --compression none bundle with:1
  layers unpack with:1 out
  [ "$(cat out/data/file out/other)" = $'1\n2' ]
  layers history with:1 | sed -n 2p | grep -q 'by hand'
  layers squash --created-by squashed --message all --author me --compression zstd with:1 one:1
  layers inspect one:1 | jq -e '.config.history[-1] | .created_by == "squashed" and .comment == "all" and .author == "me"'
  layers config --as-platform linux/arm64/v8 --message other base:1 arm:1
  layers inspect arm:1 | jq -e '.config | .architecture == "arm64" and .variant == "v8" and .history[-1].comment == "other"'
  layers mount --platform linux/arm64 arm:1 mounted
  layers umount mounted
}

@test "build: labels, contexts, files, limits" {
  mkdir context other && echo 1 >other/file
  printf 'FROM base:1 AS one\nARG A\nCOPY --from=more file /file\nRUN echo "$A" >/said && ! wget -qO- http://192.0.2.1/ 2>/dev/null\nFROM one\nRUN false\n' >Other
  layers build -q --file Other --target one --build-arg A=b --label l=m --build-context more=other --network none \
    --iidfile id --compression zstd --no-cache --max-entries 10000 --max-size 1g -t out:1 context
  [ "$(cat id)" = "$(layers inspect out:1 | jq -r .digest)" ]
  [ "$(layers inspect out:1 | jq -r '.config.config.Labels.l')" = m ]
  [ "$(layers inspect out:1 | jq -r '.manifest.layers[-1].mediaType')" = application/vnd.oci.image.layer.v1.tar+zstd ]
  layers unpack --max-entries 10000 --max-size 1g out:1 out
  [ "$(cat out/file out/said)" = $'1\nb' ]
  layers save --json -q --platform "$(layers images --json | jq -r '.[0].platform')" out:1 oci-archive:out.tar | jq -e .digest
  layers save -q --all out:1 oci:all:1
}
