# SPDX-License-Identifier: Apache-2.0
# conmon's contract, observed from outside: each case is carried out with conmon and
# with our shim, what an engine sees is written down, and the two transcripts must
# be equal. A difference that is meant stands in the test, beside its reason.
#
# The runtime is a script that records how it was called and leaves a process.
# shellcheck disable=SC2016,SC2034,SC2154 # inner shells expand; bats sets its variables
bats_require_minimum_version 1.5.0
load ../lib/common

setup() {
  need conmon perl
  cd "$BATS_TEST_TMPDIR" || return 1
  cat >runtime <<'END'
#!/bin/bash
# Records its call, then fails as told or leaves the program as a container.
printf '%s\n' "$@" >argv
{ echo "LISTEN_PID is mine: $([ "${LISTEN_PID:-}" = $$ ] && echo yes || echo no)"
  echo "fd 9: $(readlink /proc/$$/fd/9 | sed 's,.*/,,')"
  echo "MARK: ${MARK:-}"
} >called
awk '/^SigIgn/ {print "SIGPIPE ignored:", substr($2, length($2) - 3, 1)}' /proc/$$/status >ignored
[ -z "${FAIL:-}" ] || { printf '%b' "$FAIL" >&2; exit 1; }
while [ $# -gt 0 ]; do [ "$1" = --pid-file ] && pidfile=$2; shift; done
setsid bash -c "$PROGRAM" <&0 9>&- & # without <&0 it would be /dev/null
printf '%s' $! >"$pidfile"
END
  chmod +x runtime
  id=$(unique_id)-0123456789abcdef
}

teardown() {
  local pid
  for pid in "$BATS_TEST_TMPDIR"/*/pidfile; do
    [ ! -s "$pid" ] || kill -KILL -- "-$(cat "$pid")" 2>/dev/null || :
  done
}

# both CASE : the function CASE, in a directory of its own for each monitor; MONITOR
# is its path. The transcripts are compared.
both() {
  local name
  for name in conmon shim; do
    mkdir -p "$name"/{bundle,exits,persist}
    cp runtime "$name"
    (
      set +e # what fails is seen in the transcript
      cd "$name" || exit
      MONITOR=$(command -v "$name")
      [ "$name" = conmon ] || { ln -s "$MONITOR" monitor-conmon; mkdir m; ln -s "$MONITOR" m/conmon; MONITOR=$PWD/m/conmon; }
      export MONITOR MARK=through
      "$1"
    ) >"$name.seen" 2>&1
    # conmon speaks of what this host may not do
    sed -i -e '/oom_score_adj/,/^$/d' -e "s,$PWD/$name,HERE,g" -e "s,$id,ID,g" -e "s,^\[conmon:[a-z]\]:\? ,conmon: ," \
      -e 's,\\/,/,g' "$name.seen" # JSON may escape a slash
  done
  diff -u conmon.seen shim.seen
}

# As engines start it; the sync pipe is fd 7, its reader's end `said`.
monitor() {
  mkfifo sync 2>/dev/null || :
  exec 7<>sync
  _OCI_SYNCPIPE=7 "$MONITOR" -c "$id" -u "$id" -r "$PWD/runtime" -b "$PWD/bundle" \
    -p "$PWD/pidfile" --exit-dir "$PWD/exits" --full-attach "$@" 9<runtime </dev/null 3>&-
}
# One message, with the number that is the container's pid made a word.
said() {
  local line
  read -r -t 30 line <&7
  sed "s/: $(cat "$PWD/pidfile" 2>/dev/null || echo none)\b/: PID/" <<<"$line"
}
ended() { eventually test -s "exits/$id"; printf 'exit file: %s.\n' "$(cat "exits/$id"; stat -c ' %a' "exits/$id")"; }
shown_log() { sed -E 's/^[0-9T:.-]{29}[+-][0-9:]{5} /TIME /' "$@"; }

# A client of the attach socket: prints what it gets, one packet a line; sends its input.
client() { # SOCKET [QUIET: do not shut down]
  perl -MSocket -e '
    $| = 1;
    my ($path, $stay) = @ARGV;
    socket(S, PF_UNIX, SOCK_SEQPACKET, 0) or die; connect(S, pack_sockaddr_un($path)) or die "$!";
    print "connected\n";
    while (sysread(STDIN, $in, 8192)) { send(S, $in, 0) }
    shutdown(S, 1) unless $stay;
    while (defined(my $n = sysread(S, $b, 20000))) {
      last if !$n;
      $t = substr($b, 1); $t =~ s/\n/\\n/g; $t = length($t) . " bytes" if length($t) > 100;
      printf "stream %d: %s\n", ord($b), $t;
    }
    print "closed\n"' "$@"
}

create_words() {
  local -a variants=("" "-s" "--no-pivot --no-new-keyring" "--runtime-arg --root=/x --runtime-opt --preserve-fds --runtime-opt 3"
    "--restore HERE --runtime-opt --tcp-established" "--log-level DEBUG --log-size-max 1000 -n name")
  local words
  mkfifo go
  # conmon 2.1 records -1 for a container that ends before its first look
  export PROGRAM='read -r l <go'
  for words in "${variants[@]}"; do
    rm -rf exits/*
    # shellcheck disable=SC2086 # words
    monitor --api-version 1 -l "k8s-file:$PWD/log" $words -P "$PWD/conmon.pid"
    said
    echo "pid file of the monitor: $(sed 's/[0-9]\+/PID/' conmon.pid; tail -c 1 conmon.pid | tr 0-9 '#')"
    echo >go
    ended
    cat argv called
  done
}
@test "create and restore: the runtime's words, its environment and descriptors, the answers" {
  both create_words
  grep -q -- --image-path shim.seen
  grep -q 'fd 9: runtime' shim.seen
}

exec_words() {
  export PROGRAM='echo in the log; exit 5'
  echo '{}' >spec
  mkfifo sync
  exec 7<>sync
  # CRI-O's own, without bundle and uuid
  _OCI_SYNCPIPE=7 "$MONITOR" -c "$id" -n name -r "$PWD/runtime" -p "$PWD/pidfile" -e -l "$PWD/log" \
    --socket-dir-path "$PWD/sockets" --log-level info --sync --log-global-size-max 16777216 -T 100 -s \
    --exec-process-spec "$PWD/spec" --runtime-arg --root=/x 9<runtime </dev/null 3>&-
  echo "status $?"
  said
  cat argv called
  shown_log log
}
@test "exec in the foreground, as CRI-O does it" { both exec_words; }

attached_exec() {
  export PROGRAM='echo started; exit 6'
  echo '{}' >spec
  mkdir -p session
  mkfifo start attachpipe
  mkfifo sync
  exec 7<>sync 8<>attachpipe 6<>start
  _OCI_SYNCPIPE=7 _OCI_ATTACHPIPE=8 _OCI_STARTPIPE=6 "$MONITOR" --api-version 1 -c "$id" -u session \
    -r "$PWD/runtime" -b "$PWD/session" -p "$PWD/pidfile" --exit-dir "$PWD/exits" --full-attach -l none \
    -e --exec-attach --exec-process-spec "$PWD/spec" 9<runtime </dev/null 3>&- &
  local starter=$! message
  [ ! -e session/attach ] && echo "waits for the first byte"
  printf x >&6
  wait "$starter"
  read -r -t 60 message <&8
  echo "attach pipe: $message"
  [ ! -e argv ] && echo "the runtime has not run"
  client "$PWD/session/attach" </dev/null >heard &
  local listener=$!
  eventually grep -qs connected heard
  printf x >&6
  said
  said
  wait "$listener"
  cat heard argv
  ended
}
@test "exec with attach: both bytes of the start pipe, the order of messages" { both attached_exec; }

wrong_words() {
  local words
  touch file
  while read -r words; do
    echo "## $words"
    # shellcheck disable=SC2086 # words
    "$MONITOR" $words </dev/null 2>&1
    echo "status $?"
  done <<'END'
--foo
-c x
-c x -u y
-c x -u y -r /bin/true
-c x -u y -r /bin/true -l nodriver:x
-c x -u y -r /bin/true -l k8s-file
-c x -u y -r /bin/true -l k8s-file:
-c x -u y -r /bin/true -l :
-c x -u y -r /bin/true -l log --log-tag t
-c x -u y -r /bin/true -l log --log-level nonsense
-c x -u y -r /bin/true -l log -e
-c x -u y -r /bin/true -l log --exec-attach
-c x -u y -r /bin/true -l log -e --exec-process-spec f --exec-attach
-c x -u y -r /bin/true -l log -e --exec-process-spec f --restore d
--api-version -u y
END
}
@test "wrong command lines: the same words" { both wrong_words; }

failing_runtime() {
  export PROGRAM=true FAIL
  local text
  for text in 'no "way" \\\\ /x\ttab\001\177\n' ''; do
    FAIL=$text
    monitor --api-version -l none --exit-command /bin/sh --exit-command-arg -c \
      --exit-command-arg "echo ran >$PWD/marker"
    if [ -n "$text" ]; then said; fi
    eventually test -e marker && rm marker
    [ ! -e "exits/$id" ] && echo "no exit file"
    monitor -l none
    if [ -n "$text" ]; then said; fi
  done
}
@test "a runtime that fails: its text, escaped; the exit command runs, there is no exit file" {
  both failing_runtime
}

streams() {
  export PROGRAM='read -r l; echo "out $l"; echo "err $l" >&2; echo; printf "no end"; cat >/dev/null; exit 3'
  monitor --api-version -i -l "k8s-file:$PWD/log" --persist-dir "$PWD/persist"
  said
  stat -c '%F %a' bundle/attach bundle/ctl bundle/winsz
  (echo line; eventually grep -q 'no end' log) | client "$PWD/bundle/attach" >heard
  ended
  cat persist/exit; echo; ls bundle
  # The two streams have no order between them.
  grep -v '^stream 2' heard | sort
  awk '/^stream 2/ {printf "%s", substr($0, 11)} END {print ""}' heard # in how many packets, nobody knows
  shown_log log | sort
}
@test "attach and the log: streams, partial lines, the end of standard input, files" { both streams; }

stays_open() {
  export PROGRAM='trap "" HUP; read -r l; echo "got $l"; read -r l; echo "and $l"; read -r l || echo closed'
  monitor --api-version -i --leave-stdin-open -l "k8s-file:$PWD/log"
  said
  client "$PWD/bundle/attach" <<<one >/dev/null &
  eventually grep -q 'got one' log
  client "$PWD/bundle/attach" <<<two >/dev/null &
  eventually grep -q 'and two' log
  kill -0 "$(cat pidfile)" && echo "it runs on"
  kill -TERM -- "-$(cat pidfile)"
  ended
}
@test "--leave-stdin-open: a client's end is not the container's" { both stays_open; }

large_packets() {
  export PROGRAM='read -r l; head -c 20000 /dev/zero | tr "\0" x; cat >/dev/null'
  monitor --api-version -i -l none
  said
  echo go | client "$PWD/bundle/attach" >heard
  ended
  # How the kernel cuts the pipe is nobody's contract; what clients can read is.
  awk '/bytes$/ {if ($3 > 8192) print "too large"; sum += $3} END {print sum}' heard
}
@test "no packet is larger than clients read" { both large_packets; }

ends() {
  mkfifo go
  for PROGRAM in 'exit 0' 'exit 255' 'kill -KILL $$' 'kill -SEGV $$'; do
    export PROGRAM="read -r l <go; $PROGRAM"
    rm -f exits/*
    monitor --api-version -l none --exit-command /bin/sh --exit-command-arg -c \
      --exit-command-arg "echo \"<\$1> \$MARK\" >$PWD/marker; readlink /proc/self/fd/0 >>$PWD/marker" --exit-command-arg name --exit-command-arg ''
    said
    echo >go
    ended
    eventually grep -qs null marker
    cat marker; rm marker
    ls bundle
  done
}
@test "exit files for codes and signals; the exit command's words and environment" { both ends; }

foreground() {
  export PROGRAM='exit 9'
  monitor --api-version --sync -l none -P "$PWD/conmon.pid"
  echo "status $?"
  [ ! -e conmon.pid ] && echo "no pid file"
}
@test "--sync: the container's status, no pid file" { both foreground; }

signals() {
  export PROGRAM='trap "exit 11" TERM; echo ready; while :; do sleep 0.1; done'
  monitor --api-version -l "k8s-file:$PWD/log" -P "$PWD/conmon.pid"
  said
  eventually grep -q ready log
  kill -TERM "$(cat conmon.pid)"
  ended
}
@test "SIGTERM for the monitor goes to the container" { both signals; }

crio_links() {
  mkdir sockets
  export PROGRAM='read -r l'
  mkfifo sync
  exec 7<>sync
  _OCI_SYNCPIPE=7 "$MONITOR" -b "$PWD/bundle" -c "$id" --exit-dir "$PWD/exits" -l "$PWD/log" --log-level info \
    -n name -P "$PWD/conmon.pid" -p "$PWD/pidfile" --persist-dir "$PWD/persist" -r "$PWD/runtime" \
    --runtime-arg --root=/x --socket-dir-path "$PWD/sockets" --syslog -u "$id" -s --log-size-max 100000 \
    --no-sync-log --leave-stdin-open -i 9<runtime </dev/null 3>&-
  said
  cat argv
  readlink "sockets/$id"
  test -S "sockets/$id/attach" && echo socket
  echo done | client "sockets/$id/attach"
  ended
  cat persist/exit; echo
  # The link into the socket directory goes with our shim; conmon leaves it.
}
@test "CRI-O's create: the old key, the socket directory" { both crio_links; }

listen_pid() {
  mkfifo go
  export PROGRAM='read -r l <go'
  LISTEN_PID=1 monitor --api-version -l none --replace-listen-pid
  said
  echo >go
  ended
  cat called
  rm -f exits/*
  LISTEN_PID=1 monitor --api-version -l none
  said
  echo >go
  ended
  cat called
}
@test "LISTEN_PID: the runtime's when asked, untouched otherwise" {
  both listen_pid
  grep -q 'mine: yes' shim.seen
  grep -q 'mine: no' shim.seen
}

notifications() {
  export PROGRAM='read -r l'
  mkdir -p bundle/notify
  perl -MSocket -e 'socket(S, PF_UNIX, SOCK_DGRAM, 0); unlink "host"; bind(S, pack_sockaddr_un("host")) or die;
    open(F, ">ready"); close F;
    recv(S, $m, 4096, 0); $m =~ s/\n/;/g; print "$m\n"' >notified &
  local listener=$!
  eventually test -e ready
  monitor --api-version -i -l none --sdnotify-socket "$PWD/host"
  said
  stat -c '%F %a' bundle/notify/notify.sock
  perl -MSocket -e 'socket(S, PF_UNIX, SOCK_DGRAM, 0); for (@ARGV) { send(S, "$_\n", 0, pack_sockaddr_un("bundle/notify/notify.sock")) or die }' \
    MAINPID=1 FDSTORE=1 $'MAINPID=7\nREADY=1\nBARRIER=1'
  wait "$listener"
  cat notified
  kill -TERM -- "-$(cat pidfile)"
  ended
}
@test "sd_notify: readiness goes on, the rest does not" { both notifications; }

limited() {
  export PROGRAM='for i in 1 2 3 4 5 6 7 8 9; do echo "line $i"; done; exit 0'
  monitor --api-version -l "k8s-file:$PWD/log" --log-global-size-max 100000
  said
  ended
  shown_log log
  ls log*
}
@test "a limit that is not reached changes nothing" { both limited; }

reopened() {
  export PROGRAM='echo one; read -r l; echo two; read -r l'
  monitor --api-version -i --leave-stdin-open -l "k8s-file:$PWD/log"
  said
  eventually grep -q one log
  mv log log.old
  echo '2 0 0' >bundle/ctl
  eventually test -e log
  client "$PWD/bundle/attach" <<<go >/dev/null &
  eventually grep -q two log
  kill -TERM -- "-$(cat pidfile)"
  ended
  shown_log log.old log
}
@test "ctl: reopen after a rename, as the kubelet does" { both reopened; }

broken_pipe() {
  export PROGRAM='read -r l; echo alive; exit 2'
  mkfifo sync
  exec 7<>sync
  monitor --api-version -i -l "k8s-file:$PWD/log"
  said
  exec 7<&-
  client "$PWD/bundle/attach" <<<go >/dev/null
  ended
  shown_log log
}
@test "an engine that has gone away hurts nobody" { both broken_pipe; }

# ---- differences that are meant ----

@test "meant: the runtime begins with default signals, under conmon it ignores SIGPIPE" {
  started() { export PROGRAM='exit 9'; monitor --sync -l none; cat ignored; }
  both started || :
  grep -q 'ignored: 1' conmon.seen
  grep -q 'ignored: 0' shim.seen
}

@test "meant: the exit command's failure is the monitor's, conmon 2.1 hides it" {
  failing() {
    export PROGRAM='exit 9'
    monitor --sync -l none --exit-command /bin/sh --exit-command-arg -c --exit-command-arg 'exit 44'
    echo "status $?"
  }
  both failing || :
  grep -q 'status 9' conmon.seen
  grep -q 'status 44' shim.seen
}

@test "meant: a rotated log is kept, conmon destroys it" {
  rotated() {
    export PROGRAM='i=0; while [ $i -lt 200 ]; do echo "line $i"; i=$((i + 1)); done; exit 0'
    monitor --api-version -l "k8s-file:$PWD/log" --log-size-max 4000 --log-max-files 1 2>/dev/null ||
      monitor --api-version -l "k8s-file:$PWD/log" --log-size-max 4000 # 2.1 has no --log-max-files
    said
    ended
  }
  both rotated || : # conmon 2.1 does not know the option
  [ "$(stat -c %s shim/log)" -le 4000 ]
  [ -s shim/log.1 ]
  tail -n 1 shim/log.1 | grep -qE "stdout F line"
  [ ! -e conmon/log.1 ]
}

@test "meant: one client that does not read does not stop the others, nor the container" {
  mkdir -p shim/{bundle,exits}
  cp runtime shim
  cd shim
  MONITOR=$(command -v shim)
  export MONITOR PROGRAM='read -r l; seq 1 200000; exit 4'
  monitor --api-version -i -l "k8s-file:$PWD/log"
  said
  perl -MSocket -e 'socket(S, PF_UNIX, SOCK_SEQPACKET, 0); connect(S, pack_sockaddr_un("bundle/attach")) or die;
    send(S, "go\n", 0); open(F, ">stuck"); close F; sleep 600' 3>&- 7>&- &
  local stuck=$!
  eventually test -s "exits/$id"
  [ "$(cat "exits/$id")" = 4 ]
  [ "$(grep -c ' stdout F ' log)" -eq 200000 ]
  kill "$stuck"
}
