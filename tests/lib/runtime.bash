# SPDX-License-Identifier: Apache-2.0
# runtime.bash - a bundle of its own for each test of runc-like, and short words
# for what the tests say often. After common:  load ../lib/runtime

make_bundle() {
  ROOT=$BATS_TEST_TMPDIR/state
  B=$BATS_TEST_TMPDIR/bundle
  ID=$(unique_id)
  mkdir -p "$B"
  make_busybox_rootfs "$B/rootfs"
  runc-like spec --bundle "$B"
  configure '.process.terminal = false | .root.readonly = false'
}

remove_container() { rt delete --force "$ID" || :; }

rt() { runc-like --root "$ROOT" "$@"; }

configure() { # JQ FILTER...
  jq "$@" <"$B/config.json" >"$B/config.new" && mv "$B/config.new" "$B/config.json"
}

command_is() { # WORD... : the container's program
  configure --args '.process.args = $ARGS.positional' -- "$@"
}

run_shell() { # SCRIPT : the container's program is a shell that runs it
  command_is sh -c "$1"
  rt run --bundle "$B" "$ID" </dev/null
}

start_sleeper() {
  command_is sh -c 'trap "exit 3" TERM; while :; do sleep 1 & wait; done'
  rt create --bundle "$B" "$ID" </dev/null >"$BATS_TEST_TMPDIR/out" 2>&1
  rt start "$ID"
}

status_of() { rt state "$ID" | jq -r .status; }
has_status() { [ "$(status_of)" = "$1" ]; }

mount_is() { # JSON : one more mount
  configure --argjson mount "$1" '.mounts += [$mount]'
}

# Nothing of this test is mounted, in a cgroup or in the state directory.
assert_nothing_left() {
  ! grep "$BATS_TEST_TMPDIR" /proc/self/mountinfo || return 1
  [ -z "$(find /sys/fs/cgroup -name "*$ID*" 2>/dev/null)" ]
  [ -z "$(ls "$ROOT" 2>/dev/null)" ]
}
