#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Real programs in a real image: Debian, made of layers by umoci, run from the
# overlay that layers mounts.
bats_require_minimum_version 1.5.0
load ../lib/common
load ../lib/pipeline

setup_file() {
  export LAYERS_STORE=$BATS_FILE_TMPDIR/store
  local image
  image=$(debian_image umoci)
  layers import "oci:$image:debian" debian:1
}

setup() {
  cd "$BATS_TEST_TMPDIR" || return
  remember_host_state
  id=$(unique_id)
}

teardown() { sweep "$id"; }

in_debian() { # ARG...
  layers bundle debian:1 "$id" -- "$@"
  run -0 shim run --bundle "$id" --log none "$id"
  layers bundle --remove "$id"
}

@test "apt-get --version" {
  in_debian apt-get --version
  [[ "$output" == apt\ * ]]
  assert_host_state_unchanged
}

@test "perl -v" {
  in_debian perl -v
  [[ "$output" == *"This is perl 5"* ]]
}

@test "a shell: the image's environment, directory and default command" {
  in_debian sh -c 'echo "$LANG $PWD $(id -u)"; . /etc/os-release; echo "$ID"'
  [ "$output" = "C.UTF-8 /root 0"$'\n'debian ]
  layers bundle debian:1 "$id"
  [ "$(jq -c .process.args "$id/config.json")" = '["/bin/bash"]' ]
  [ "$(jq -r '.annotations["org.example.made-by"]' "$id/config.json")" = umoci ]
  layers bundle --remove "$id"
}

@test "what later layers removed or replaced is gone" {
  in_debian sh -c 'ls -d /opt/gone /usr/share/doc /opt/many/hardlink /etc/motd /opt/data/old 2>/dev/null
    cat /opt/data/inner/file /opt/many/relative; test -L /usr/share/misc && echo link; stat -c %a /root'
  [ "$output" = "new"$'\n'"now a file"$'\n'"link"$'\n'711 ]
}

@test "dpkg finds its packages intact" {
  in_debian dpkg --verify coreutils
  [ "$(grep -v /usr/share/ <<<"$output")" = "" ]
}

@test "as a user of the image, who may not write elsewhere" {
  layers bundle debian:1 "$id" --user nobody -- sh -c 'id -un; touch /etc/mine 2>/dev/null || echo refused'
  run -0 shim run --bundle "$id" --log none "$id"
  [ "$output" = "nobody"$'\n'refused ]
  layers bundle --remove "$id"
}

@test "what it writes stays in its own bundle" {
  in_debian sh -c 'rm -r /usr/bin/perl /var/lib/dpkg && echo changed >/etc/hostname.new'
  in_debian sh -c 'ls /usr/bin/perl && ls -d /var/lib/dpkg && ! ls /etc/hostname.new 2>/dev/null'
  assert_host_state_unchanged
}
