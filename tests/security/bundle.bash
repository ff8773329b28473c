# SPDX-License-Identifier: Apache-2.0
# bundle.bash - a bundle to attack: a root filesystem of its own and the default
# configuration, changed by a jq filter. After: load ../lib/common

# Makes $PWD/$1 with rootfs and config.json; stdio is inherited, the command is true.
make_bundle() { # DIR [JQ-FILTER]
  mkdir -p "$1"
  [ -d "$1/rootfs" ] || make_busybox_rootfs "$1/rootfs"
  rm -f "$1/config.json"
  runc-like spec --bundle "$1"
  change_config "$1" '.process.terminal = false | .process.args = ["true"] | .root.readonly = false'
  change_config "$1" "${2:-.}"
}

change_config() { # DIR JQ-FILTER
  jq "$2" "$1/config.json" >"$1/config.new" && mv "$1/config.new" "$1/config.json"
}

# The command of the container as a shell line.
shell_line() { # DIR LINE
  jq --arg line "$2" '.process.args = ["sh", "-c", $line]' "$1/config.json" >"$1/config.new" &&
    mv "$1/config.new" "$1/config.json"
}

# A directory of the host that no container may see or change.
make_decoy() { # DIR
  mkdir -p "$1"
  echo secret-of-the-host >"$1/secret"
  touch "$1/ptmx" "$1/null" "$1/console"
  decoy_state "$1" >"$1.before"
}
decoy_state() { find "$1" -printf '%P %y %m %U %s %l\n' | sort; (cd "$1" && find . -type f -exec sha256sum {} + | sort); }
decoy_unchanged() { # DIR
  decoy_state "$1" >"$1.after"
  diff -u "$1.before" "$1.after"
}

# Mounts that an attack could make: on the test's own files and on those of the
# host. Others that come and go meanwhile are not its.
host_mounts() { awk '{print $5}' /proc/self/mountinfo | grep -E "^($PWD|/etc|/proc|/sys|/dev)(/|$)" | sort || :; }

# Ends whatever a test left of its containers, by the ids it used.
sweep_containers() { # ID...
  local one
  for one in "$@"; do runc-like delete --force "$one" 2>/dev/null || :; done
}
