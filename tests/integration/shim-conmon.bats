# SPDX-License-Identifier: Apache-2.0
# conmon's contract, the same cases against conmon (where it is installed) and our
# shim: what an engine sees must not differ.
# shellcheck disable=SC2016,SC2153,SC2154 # the inner shell expands; bats and the library set them
bats_require_minimum_version 1.5.0
load ../lib/common
load ../lib/shim

setup() {
  need jq
  cd "$BATS_TEST_TMPDIR" || return 1
  id=$(unique_id)
  runtime=$(command -v "$RUNTIME")
  mkfifo sync
  exec 7<>sync
}

teardown() {
  "$runtime" delete --force "$id" 2>/dev/null || :
  exec 7>&-
}

# The monitors that are there, as conmon's command line names them.
monitors() {
  command -v shim
  command -v conmon || :
}

# monitor PROGRAM OPTION... : as an engine starts it; $places are the usual options
monitor() {
  local program=$1
  shift
  mkdir -p exits persist
  _OCI_SYNCPIPE=7 "$program" --cid "$id" --cuuid "$id" --runtime "$runtime" --bundle "$PWD/bundle" \
    --container-pidfile "$PWD/pidfile" --exit-dir "$PWD/exits" --full-attach \
    --log-path "k8s-file:$PWD/log" "$@" 3>&- </dev/null
}

heard() { read -r -t 120 line <&7; } # one message of the sync pipe, in $line

start_over() {
  "$runtime" delete --force "$id" 2>/dev/null || :
  rm -rf exits persist log log.1 pidfile conmon.pid marker
}

@test "create, start, exit: pid, log, exit file, exit command" {
  make_bundle sh -c 'echo out; echo err >&2; exit 7'
  local program
  while read -r program; do
    echo "# $program"
    monitor "$program" --api-version --conmon-pidfile "$PWD/conmon.pid" \
      --exit-command /bin/sh --exit-command-arg -c --exit-command-arg 'echo "<$1>" >marker' \
      --exit-command-arg name --exit-command-arg ''
    heard
    [ "$line" = "{\"data\": $(cat pidfile)}" ]
    kill -0 "$(cat conmon.pid)"
    [ "$(tail -c 1 conmon.pid | tr -d '0-9')" = "" ]
    "$runtime" start "$id"
    eventually test -s "exits/$id"
    [ "$(cat "exits/$id"; echo .)" = 7. ]
    eventually test -s marker
    [ "$(cat marker)" = '<>' ]
    [ ! -e bundle/attach ]
    grep -qE '^[0-9T:.-]{29}[+-][0-9:]{5} stdout F out$' log
    grep -qE ' stderr F err$' log
    start_over
  done < <(monitors)
}

@test "a runtime that fails: -1 and its message, the legacy key too" {
  make_bundle /nonexistent
  local program
  while read -r program; do
    echo "# $program"
    monitor "$program" --api-version
    heard
    jq -e '.data == -1 and (.message | contains("nonexistent"))' <<<"$line"
    start_over
    monitor "$program"
    heard
    jq -e '.pid == -1 and (.message | contains("nonexistent"))' <<<"$line"
    [ ! -e "exits/$id" ]
    start_over
  done < <(monitors)
}

@test "exec in the foreground gives the exit code and a log" {
  make_bundle sleep 600
  "$runtime" create --bundle bundle "$id" >/dev/null 2>&1 </dev/null 3>&- 7>&-
  "$runtime" start "$id"
  jq '.process | .args = ["sh", "-c", "echo in; exit 5"]' bundle/config.json >process
  local program status
  while read -r program; do
    echo "# $program"
    rm -f exec.log exec.pid
    status=0
    _OCI_SYNCPIPE=7 "$program" -c "$id" -n "$id" -r "$runtime" -p "$PWD/exec.pid" -e --sync \
      -l "$PWD/exec.log" --log-level error --exec-process-spec "$PWD/process" 3>&- </dev/null ||
      status=$?
    [ "$status" -eq 5 ]
    heard
    [ "$line" = '{"exit_code": 5}' ]
    grep -q ' stdout F in$' exec.log
  done < <(monitors)
}

@test "a timeout kills and is named as engines expect it" {
  make_bundle sleep 600
  "$runtime" create --bundle bundle "$id" >/dev/null 2>&1 </dev/null 3>&- 7>&-
  "$runtime" start "$id"
  jq '.process | .args = ["sleep", "600"]' bundle/config.json >process
  local program
  while read -r program; do
    echo "# $program"
    rm -f exec.log exec.pid
    _OCI_SYNCPIPE=7 "$program" -c "$id" -n "$id" -r "$runtime" -p "$PWD/exec.pid" -e --sync -T 1 \
      -l "$PWD/exec.log" --exec-process-spec "$PWD/process" 3>&- </dev/null || :
    heard
    jq -e '.exit_code == -1 and .message == "command timed out"' <<<"$line"
  done < <(monitors)
}

@test "ctl reopens the log after a rename; winsz and attach are there" {
  make_bundle sh -c 'echo one; read -r l; echo two'
  local program
  while read -r program; do
    echo "# $program"
    monitor "$program" --api-version --stdin
    heard
    "$runtime" start "$id"
    eventually grep -q one log
    [ -p bundle/winsz ]
    [ -S bundle/attach ]
    mv log old
    echo '2 0 0' >bundle/ctl
    eventually test -e log
    kill -KILL "$(cat pidfile)"
    eventually test -s "exits/$id"
    [ "$(cat "exits/$id")" = 137 ]
    rm -f old
    start_over
  done < <(monitors)
}

@test "version and help are what engines parse" {
  run -0 shim --version
  [[ ${lines[0]} =~ ^conmon\ version\ [0-9]+\.[0-9]+\.[0-9]+$ ]]
  ln -s "$(command -v shim)" conmon
  run -0 ./conmon --help
  local option
  for option in api-version bundle cid cuuid name runtime container-pidfile conmon-pidfile log-path \
    log-level log-size-max log-global-size-max log-rotate log-max-files log-allowlist-dir log-tag \
    log-label exit-dir persist-dir exit-command exit-command-arg exit-delay exec exec-process-spec \
    exec-attach stdin leave-stdin-open terminal full-attach socket-dir-path systemd-cgroup \
    runtime-arg runtime-opt no-pivot no-new-keyring restore sdnotify-socket replace-listen-pid \
    no-sync-log sync syslog timeout version; do
    grep -q -e "--$option\\b" <<<"$output" || { echo "--$option is missing"; return 1; }
  done
  [[ $output == *journald* ]]
  run -1 ./conmon --foo
  [ "$output" = "conmon: option parsing failed: Unknown option --foo" ]
}
