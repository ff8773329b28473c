# SPDX-License-Identifier: Apache-2.0
# pipeline.bash - for tests that use several of the executables together. In a
# .bats file, after common:
#   load ../lib/pipeline

# A store of the file's own, with the image busybox:1 in it. For setup_file.
make_store() {
  export LAYERS_STORE=$BATS_FILE_TMPDIR/store
  "$BATS_TEST_DIRNAME/../../contrib/busybox-rootfs" >"$BATS_FILE_TMPDIR/busybox.tar"
  layers import "tar:$BATS_FILE_TMPDIR/busybox.tar" busybox:1
}

# The words for `layers import` of a real image; skips, with the reason, where it
# cannot be made.
debian_image() { # KIND
  local path
  path=$("$BATS_TEST_DIRNAME/../lib/debian-image" "$1" 2>"$BATS_FILE_TMPDIR/why") ||
    skip "$(tail -n 1 "$BATS_FILE_TMPDIR/why")"
  echo "$path"
}

# A TCP port on which nothing listens.
free_port() {
  local port
  while port=$((20000 + RANDOM % 10000)) && ss -Htln "sport = :$port" | grep -q .; do :; done
  echo "$port"
}

# fails_with STATUS COMMAND... : it ends with that status, says nothing on standard
# output and exactly one line on standard error, which is left in $stderr.
# shellcheck disable=SC2154 # bats sets status, stderr and stderr_lines
fails_with() {
  local expected=$1
  shift
  run "-$expected" --separate-stderr "$@"
  echo "status $status, standard output: '$output', standard error: '$stderr'"
  [ -z "$output" ] || return 1
  [ "${#stderr_lines[@]}" -eq 1 ]
}

# says TEXT... : each text stands in that line.
says() {
  local text
  for text in "$@"; do
    [[ "$stderr" == *"$text"* ]] || { echo "it does not say '$text'" && return 1; }
  done
}

# edit_config BUNDLE JQ-FILTER
edit_config() {
  jq "$2" "$1/config.json" >"$1/config.new" && mv "$1/config.new" "$1/config.json"
}

# Kills and removes what a failed test has left, so that only one test fails.
sweep() { # ID... : containers whose bundles are in the test's directory
  local id
  for id in "$@"; do
    runc-like delete --force "$id" >/dev/null 2>&1 || :
    layers bundle --remove "$BATS_TEST_TMPDIR/$id" >/dev/null 2>&1 || :
  done
}
