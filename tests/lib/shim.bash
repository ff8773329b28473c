# SPDX-License-Identifier: Apache-2.0
# shim.bash - bundles and clean-up for the tests of the shim. After common.

RUNTIME=${RUNTIME:-runc-like}

# make_bundle [--terminal] ARG... : ./bundle whose program is ARG...
make_bundle() {
  local terminal=false
  [ "$1" = --terminal ] && terminal=true && shift
  rm -rf bundle
  mkdir bundle
  make_busybox_rootfs bundle/rootfs
  (cd bundle && "$RUNTIME" spec) || return 1
  jq --argjson t "$terminal" '.process.args = $ARGS.positional | .process.terminal = $t
    | .root.readonly = false | del(.process.rlimits)' bundle/config.json --args -- "$@" >config.new
  mv config.new bundle/config.json
}

# Nothing on the host knows the container any more. Not the whole host's state is
# compared, so that these tests can run beside others.
assert_nothing_left() { # ID
  [ ! -e "/run/shim/$1" ] || return 1
  ! "$RUNTIME" state "$1" 2>/dev/null || return 1
  ! grep "$BATS_TEST_TMPDIR/bundle" /proc/self/mountinfo || return 1
  [ -z "$(find /sys/fs/cgroup -name "*$1*" 2>/dev/null)" ]
}

gone() { [ ! -e "/run/shim/$1" ]; }

# What a failed test may have left: the container, its shim, their state.
kill_leftover() { # ID
  [ -e "/run/shim/$1" ] || return 0
  "$RUNTIME" delete --force "$1" 2>/dev/null || :
  eventually gone "$1" || rm -rf "/run/shim/$1"
}

# The text of k8s-file logs, partial records joined.
k8s_text() { # FILE...
  awk '{ tag = $3; sub(/^[^ ]+ [^ ]+ [^ ]+ /, ""); printf "%s%s", $0, tag == "P" ? "" : "\n" }' "$@"
}
