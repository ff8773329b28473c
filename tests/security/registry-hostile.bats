# SPDX-License-Identifier: Apache-2.0
# A registry that lies: each lie ends in one clear line, and the store is as before.
bats_require_minimum_version 1.5.0
load ../lib/common
load ../lib/pipeline
load ../lib/registry

setup() {
  [ -z "${VM_RESULTS:-}" ] || skip "the emulated machine talks to a registry in layers-registry"
  need python3 curl
  export LAYERS_STORE=$BATS_TEST_TMPDIR/store
  export HOME=$BATS_TEST_TMPDIR XDG_RUNTIME_DIR=$BATS_TEST_TMPDIR/run REGISTRY_AUTH_FILE='' DOCKER_CONFIG=''
  cd "$BATS_TEST_TMPDIR" || return 1
  local port other
  port=$(free_port)
  other=$(free_port)
  REGISTRY=127.0.0.1:$port
  start_server "http://$REGISTRY/v2/" server.log "$BATS_TEST_DIRNAME/../lib/hostile-registry" "$port" "$other" "$PWD/log"
  : >log
  layers images >list
  printf '{"auths":{"%s":{"auth":"%s"}}}' "$REGISTRY" "$(printf alice:secret | base64)" >auth.json
  export REGISTRY_AUTH_FILE=$PWD/auth.json
  store_listing >before
}

teardown() { stop_servers; }

# refuses MODE WORD... : the pull fails in one line with these words and leaves nothing.
refuses() {
  local mode=$1
  shift
  fails_with 1 layers pull -q --retry 1 "$REGISTRY/$mode:1"
  says "$@"
  store_listing | diff before -
}

@test "bytes that are not what their digest says" {
  refuses wrong-digest "digest does not match"
  refuses other-manifest "digest does not match"
  fails_with 1 layers pull -q "$REGISTRY/honest@sha256:$(printf x | sha256sum | cut -d' ' -f1)"
  says "digest does not match"
}

@test "bodies and headers without end" {
  refuses endless-blob "is longer than the"
  refuses endless-manifest "longer than 4194304 bytes" EFBIG
  refuses huge-manifest "longer than 4194304 bytes"
  refuses endless-headers "header"
  refuses many-blobs "too many"
}

@test "sizes that do not fit" {
  refuses negative "/layers/0/size"
  refuses too-small "is longer than the"
  refuses too-big "ends after"
}

@test "documents of two types, and digests that would be paths (CVE-2021-41190)" {
  refuses two-types "manifests"
  refuses other-type "says it is"
  refuses path-digest "64 lower-case hexadecimal digits"
}

@test "credentials stay with the registry: redirects and foreign layers (CVE-2020-15157)" {
  layers pull -q "$REGISTRY/redirect:1" one
  grep -qx 'other host: /blob nobody' log
  fails_with 1 layers pull -q --retry 0 "$REGISTRY/foreign:1"
  grep -qx 'other host: /asks nobody' log
  run -1 grep -E 'Basic|Bearer' log
}

@test "redirects to files, to themselves, tokens from a file" {
  refuses redirect-file "only http and https"
  refuses loop "redirected too often"
  fails_with 1 layers pull -q "$REGISTRY/bad-realm:1" --creds alice:wrong
  says "not by https"
}

@test "lists without end or at another host, and words that steer the terminal" {
  fails_with 1 layers tags "$REGISTRY/endless"
  says "the list has no end"
  fails_with 1 layers tags "$REGISTRY/elsewhere"
  says "goes on at another host"
  [ "$(layers tags "$REGISTRY/escape" | tr '\n' ' ')" = "?[31mred plain " ]
  refuses escape "?[2Jowned?second line"
}

@test "what breaks off is continued; who cannot continue is asked again; who lies is refused" {
  layers pull -q "$REGISTRY/breaks:1" one
  [ "$(grep -c 'breaks: bytes=' log)" = 3 ]
  [ "$(grep -c 'breaks: whole' log)" = 1 ]
  layers rm one
  layers gc >out
  layers pull -q "$REGISTRY/breaks-without-range:1" two
  layers rm two
  layers gc >out
  store_listing >before
  refuses breaks-and-lies "instead of bytes"
  layers pull -q "$REGISTRY/busy:1" three
  layers verify
}

@test "a large piece of a blob waits for the next run" {
  fails_with 1 layers pull -q --retry 0 "$REGISTRY/always-breaks:1"
  [ "$(find store/tmp -name 'partial-*' -size +1000k | wc -l)" -eq 1 ]
  : >log
  layers pull -q "$REGISTRY/honest:1" one
  [ -z "$(ls store/tmp)" ]
  layers verify
}
