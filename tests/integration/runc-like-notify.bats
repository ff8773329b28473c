#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# NOTIFY_SOCKET: the container's word that it is ready reaches the service manager.
bats_require_minimum_version 1.5.0

load ../lib/common
load ../lib/runtime

setup() {
  need perl
  make_bundle
  export NOTIFY_SOCKET=$BATS_TEST_TMPDIR/host.sock
  # The host's perl, for it can write to a socket of this kind.
  local dir
  for dir in /usr /lib /lib64; do
    [ ! -e "$dir" ] || mount_is '{"destination":"'$dir'","source":"'$dir'","options":["rbind","ro","copy-symlink"]}'
  done
  mkdir -p "$B/rootfs/tell"
  cat >"$B/rootfs/tell/perl" <<'PERL'
use Socket;
socket(my $s, PF_UNIX, SOCK_DGRAM, 0) or die $!;
connect($s, pack_sockaddr_un($ENV{NOTIFY_SOCKET})) or die "$ENV{NOTIFY_SOCKET}: $!";
send($s, $_, 0) for @ARGV;
1;
PERL
  # A service manager: prints each message.
  perl -e '
    use Socket;
    $| = 1;
    socket(my $s, PF_UNIX, SOCK_DGRAM, 0) or die $!;
    bind($s, pack_sockaddr_un($ENV{NOTIFY_SOCKET})) or die $!;
    while (defined recv($s, my $text, 4096, 0)) { print "$text\n" }
  ' >"$BATS_TEST_TMPDIR/heard" 3>&- &
  manager=$!
  eventually test -S "$NOTIFY_SOCKET"
}

teardown() {
  [ -z "${manager:-}" ] || { kill "$manager" 2>/dev/null; wait "$manager" || :; }
  [ -z "${ROOT:-}" ] || remove_container
}

heard() { grep -qx "$1" "$BATS_TEST_TMPDIR/heard"; }

@test "start waits for READY, and names the process to watch" {
  command_is /usr/bin/perl -e '
    require "/tell/perl"; sleep 1000' 'STATUS=nearly' $'READY=1\nMAINPID=1'
  rt create --bundle "$B" "$ID" </dev/null >/dev/null 2>&1
  rt start "$ID"
  eventually heard "MAINPID=$(rt state "$ID" | jq .pid)"
  heard READY=1
  eventually heard BARRIER=1
  ! heard MAINPID=1 || return 1
  ! heard STATUS=nearly
}

@test "start of a container that ends without a word comes back" {
  command_is true
  rt create --bundle "$B" "$ID" </dev/null >/dev/null 2>&1
  rt start "$ID"
  ! heard READY=1
}

@test "run passes on what the service says of itself, and stays the process to watch" {
  command_is /usr/bin/perl /tell/perl $'READY=1\nMAINPID=1' 'STATUS=up' STOPPING=1
  rt run --bundle "$B" "$ID" </dev/null
  eventually heard STOPPING=1
  heard READY=1 && heard STATUS=up
  ! heard MAINPID=1 || return 1
  command_is /usr/bin/perl -e 'require "/tell/perl"; sleep 1000' READY=1
  rt run --detach --bundle "$B" "$ID" </dev/null >/dev/null 2>&1
  eventually heard "MAINPID=$(rt state "$ID" | jq .pid)"
}
