# SPDX-License-Identifier: Apache-2.0
# network.bash - hosts and containers as network namespaces, for tests of netsetup:
#   neighbour 192.0.2.2 ──wire── 192.0.2.1 host ── what netsetup makes ── containers
# Servers and namespaces are ended by remove_host.

NETNS=/run/netns

make_host() {
  cd "$BATS_TEST_TMPDIR" || return
  T=$$-$BATS_TEST_NUMBER
  HOST=host-$T NEIGHBOUR=neighbour-$T STATE=$BATS_TEST_TMPDIR/state
  namespaces=() pids=()
  ip netns add "$HOST" && namespaces+=("$HOST")
  ip netns add "$NEIGHBOUR" && namespaces+=("$NEIGHBOUR")
  # No address of its own that appears at some later moment.
  ip -n "$HOST" -batch - <<WIRE
link set lo up
link add wire type veth peer name wire netns $NEIGHBOUR
link set wire addrgenmode none
addr add 192.0.2.1/24 dev wire
addr add 2001:db8::1/64 dev wire nodad
link set wire up
WIRE
  ip -n "$NEIGHBOUR" -batch - <<WIRE
link set lo up
addr add 192.0.2.2/24 dev wire
addr add 2001:db8::2/64 dev wire nodad
link set wire up
WIRE
  network_state >"$BATS_TEST_TMPDIR/network.clean"
}

remove_host() {
  local one
  for one in "${pids[@]}"; do kill -KILL "$one" 2>/dev/null || :; done
  for one in "${namespaces[@]}"; do
    # Also what a server has started: killing the server does not end it.
    ip netns pids "$one" 2>/dev/null | xargs -r kill -KILL 2>/dev/null || :
    ip netns del "$one" 2>/dev/null || :
  done
}

container() { # NAME
  ip netns add "$1-$T" && namespaces+=("$1-$T")
}

on_host() { ip netns exec "$HOST" "$@"; }
neighbour() { ip netns exec "$NEIGHBOUR" "$@"; }
in_container() { # NAME CMD...
  local name=$1
  shift
  ip netns exec "$name-$T" "$@"
}
netsetup() { ip netns exec "$HOST" netsetup --state-dir "$STATE" "$@"; }

# A web server whose page is TEXT; back when it answers.
serve_in() { # NAMESPACE PORT TEXT
  mkdir -p "www-$1-$2"
  printf '%s\n' "$3" >"www-$1-$2/index.html"
  ip netns exec "$1" busybox httpd -f -p "$2" -h "www-$1-$2" 3>&- &
  pids+=($!)
  ip -n "$1" link set lo up
  eventually ip netns exec "$1" curl -sfo /dev/null --max-time 5 "http://127.0.0.1:$2/"
}
serve() { serve_in "$1-$T" "$2" "$3"; }
serve_neighbour() { serve_in "$NEIGHBOUR" "$@"; }
serve_host() { serve_in "$HOST" "$@"; }

# Answers each first datagram of a client with TEXT.
serve_udp() { # CONTAINER PORT TEXT
  ip netns exec "$1-$T" bash -c 'while printf "%s\n" "$2" | nc -u -l -w 1 "$1"; do :; done' udp "$2" "$3" \
    >/dev/null 3>&- &
  pids+=($!)
}

# What netsetup may touch of the host.
network_state() {
  echo '# links and addresses'
  ip -n "$HOST" -o addr show | awk '{print $2, $3, $4}' | sort
  ip -n "$HOST" -o link show | awk -F '[:@ ]+' '{print $2}' | sort
  echo '# routes'
  # Whether a bridge has a carrier by now is a matter of moments.
  { ip -n "$HOST" route && ip -n "$HOST" -6 route; } | sed 's/ linkdown//; s/ *$//'
  echo '# nftables'; on_host nft -s list ruleset | grep -v '^#' || :
  echo '# state'; find "$STATE" -mindepth 1 2>/dev/null | grep -v "^$STATE/lock$" | sort || :
}
remember_host() { network_state >"$BATS_TEST_TMPDIR/network.before"; }
assert_host_as_remembered() {
  network_state >"$BATS_TEST_TMPDIR/network.after"
  diff -u "$BATS_TEST_TMPDIR/network.before" "$BATS_TEST_TMPDIR/network.after"
}
# As it was when the test began.
assert_host_clean() {
  network_state >"$BATS_TEST_TMPDIR/network.after"
  diff -u "$BATS_TEST_TMPDIR/network.clean" "$BATS_TEST_TMPDIR/network.after"
}
