#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What the documentation shows works: every ```sh block of README.md, in order and
# in one scratch directory, and those of each manual page's EXAMPLES likewise.
# Blocks of another kind (```console, ```text, indented) are not run.
bats_require_minimum_version 1.5.0
load ../lib/common

setup() {
  top=$(realpath "$BATS_TEST_DIRNAME/../..")
  cd "$BATS_TEST_TMPDIR" || return
  remember_host_state
  export LAYERS_STORE=$BATS_TEST_TMPDIR/store
}

# What a failed page leaves mounted, so that only one test fails.
teardown() {
  awk -v d="$BATS_TEST_TMPDIR/" 'index($5, d) == 1 { print $5 }' /proc/self/mountinfo | sort -r |
    xargs -r -n 1 umount -l
}

# The sh blocks of a page as one script; with a second argument only those below
# the heading of that name.
sh_blocks() { # FILE [HEADING]
  awk -v heading="${2:-}" '
    /^#+ / && !inside { below = heading == "" || toupper($0) ~ "^#+ " heading }
    /^```sh$/ { inside = 1; next }
    /^```/ { inside = 0; next }
    inside && (below || heading == "") { print }' "$1"
}

run_blocks() { # FILE [HEADING]
  sh_blocks "$@" >blocks.sh
  [ -s blocks.sh ] || return 0
  rm -rf scratch && mkdir scratch
  (cd scratch && bash -eux ../blocks.sh) </dev/null 3>&-
  assert_host_state_unchanged
}

@test "README.md: one pipeline for each executable" {
  sh_blocks "$top/README.md" >blocks
  for program in layers runc-like shim netsetup; do grep -q "^$program\|[|(] *$program\| $program " blocks; done
  run_blocks "$top/README.md"
}

@test "the examples of every manual page" {
  local page
  for page in "$top"/man/*.md; do
    [ -e "$page" ] || continue
    echo "# $page"
    run_blocks "$page" EXAMPLES
  done
}
