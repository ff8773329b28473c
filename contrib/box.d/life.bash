# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154,SC2016 # what box sets; programs for jq
# What can be done with a container that is there.

# Calls a function for each operand, with ID and DIR set; goes on after one that fails.
each() { # FUNCTION NAME...
  local name status=0
  [ $# -gt 1 ] || usage "expected a container"
  for name in "${@:2}"; do
    (find_container "$name" && "$1" "$name" && echo "$name") || status=1
  done
  return "$status"
}

#: start NAME...                         start what was created or has ended
cmd_start() {
  parse "" "$@"
  each start_one "${REST[@]}"
}
start_one() { is_running || start_container || return; }

#: stop [-t SECONDS] NAME...             stop it; kill it after that time (10)
cmd_stop() {
  parse "t:time=" "$@"
  STOP_TIME=$(value_of --time 10)
  each stop_one "${REST[@]}"
}
stop_one() { ! is_running || end_container "$STOP_TIME"; }

#: restart [-t SECONDS] NAME...          stop and start
cmd_restart() {
  parse "t:time=" "$@"
  STOP_TIME=$(value_of --time 10)
  each restart_one "${REST[@]}"
}
restart_one() { stop_one && start_one; }

#: kill [-s SIGNAL] NAME...              send a signal (KILL)
cmd_kill() {
  parse "s:signal=" "$@"
  KILL_SIGNAL=$(value_of --signal KILL)
  each kill_one "${REST[@]}"
}
kill_one() { # NAME
  need_running "$1"
  runc-like kill "$ID" "$KILL_SIGNAL"
}

#: rm [-f] NAME...                       remove it; -f: also if it runs
cmd_rm() {
  parse "f:force v:volumes" "$@"
  each rm_one "${REST[@]}"
}
rm_one() { # NAME
  if is_running && ! has --force; then
    die "container '$1' runs; stop it with: box stop $1, or remove it with: box rm -f $1"
  fi
  remove_container
}

# By its shim; by the runtime when that was killed.
end_container() { # SECONDS
  local state
  state=$(shim ps --json | jq -r --arg id "$ID" 'select(.id == $id) | .status')
  if [ "$state" != lost ] && [ -n "$state" ]; then
    shim stop --time "$1" "$ID" >/dev/null || [ ! -e "$running/$ID" ]
  fi
  if is_running; then runc-like delete --force "$ID" && rm -rf "${running:?}/$ID"; fi
}

# It can be repeated, and finds little after a run that failed.
remove_container() {
  local link
  if is_running; then end_container 0 || return; fi
  layers bundle --remove "$DIR/bundle" || return
  for link in "$BOX_DIR"/names/*; do
    [ "$(readlink "$link")" != "../containers/$ID" ] || rm "$link"
  done
  rm -rf --one-file-system "$DIR"
}

#: wait NAME...                          wait for the end, print the exit status
cmd_wait() {
  parse "" "$@"
  operands 1 1000 "a container"
  local name status
  for name in "${REST[@]}"; do
    find_container "$name"
    if is_running && status=$(shim wait "$ID" 2>/dev/null; exit 0) && [ -n "$status" ]; then
      echo "$status"
    else
      exit_status
    fi
  done
}

#: logs [-f] [--tail N] [-t] [--since TIME] NAME   what it has written
cmd_logs() {
  parse "f:follow n:tail= t:timestamps since= until= grep= stream=" "$@"
  operands 1 1 "one container"
  find_container "${REST[0]}"
  if [ ! -e "$DIR/json.log" ]; then return; fi
  local place=${running%/}
  is_running || place=$DIR/ended
  shim logs --state-dir "$place" "${OPTIONS[@]}" "$ID"
}

#: exec [-d] [-i] [-t] [-e K=V] [-w DIR] [-u USER] NAME COMMAND...   one more process in it
cmd_exec() {
  parse "+ d:detach i:interactive t:tty e:env= w:workdir= u:user=" "$@"
  [ "${#REST[@]}" -ge 2 ] || usage "expected a container and a command"
  find_container "${REST[0]}"
  need_running "${REST[0]}"
  local i words=() value
  for ((i = 0; i < ${#OPTIONS[@]}; i++)); do
    value=${OPTIONS[i + 1]-}
    case ${OPTIONS[i]} in
      --detach | --tty) words+=("${OPTIONS[i]}") ;;
      --env) words+=(--env "$value") && i=$((i + 1)) ;;
      --workdir) words+=(--cwd "$value") && i=$((i + 1)) ;;
      --user) words+=(--user "$(user_number "$value")") && i=$((i + 1)) ;;
    esac
  done
  has --interactive || has --tty || exec </dev/null
  exec shim exec "${words[@]}" "$ID" "${REST[@]:1}"
}

# The container's own programs know its users.
user_number() { # USER[:GROUP]
  case $1 in
    *[!0-9:]*) shim exec "$ID" id -u "${1%%:*}" </dev/null 2>/dev/null ||
      die "exec: user '$1': the container has no such user, or no program 'id'; give a number" ;;
    *) echo "$1" ;;
  esac
}

#: attach [--no-stdin] NAME              its output from now on, and input to it
cmd_attach() {
  parse "no-stdin detach-keys= sig-proxy" "$@"
  operands 1 1 "one container"
  find_container "${REST[0]}"
  need_running "${REST[0]}"
  local words=()
  if has --no-stdin; then words+=(--no-stdin); fi
  exec shim attach "${words[@]}" --detach-keys "$(value_of --detach-keys ctrl-p,ctrl-q)" "$ID"
}

#: top NAME                              its processes
cmd_top() {
  parse "" "$@"
  operands 1 1 "one container"
  find_container "${REST[0]}"
  need_running "${REST[0]}"
  runc-like ps "$ID"
}

#: diff NAME                             the files that it has added, changed and deleted
cmd_diff() {
  parse "" "$@"
  operands 1 1 "one container"
  find_container "${REST[0]}"
  layers diff --list "$DIR/bundle"
}

#: commit [-m TEXT] [-a AUTHOR] NAME IMAGE[:TAG]   an image of it as it is now
cmd_commit() {
  parse "m:message= a:author= p:pause" "$@"
  operands 2 2 "a container and a name for the image"
  find_container "${REST[0]}"
  local words=() status=0 paused=
  if has --message; then words+=(--message "$(value_of --message)"); fi
  if has --author; then words+=(--author "$(value_of --author)"); fi
  # Nothing is to change while it is read.
  if is_running && ! has --pause=false && runc-like pause "$ID" 2>/dev/null; then paused=yes; fi
  (naming "${REST[1]}" layers commit "${words[@]}" "$DIR/bundle" "${REST[1]}") || status=$?
  [ -z "$paused" ] || runc-like resume "$ID"
  return "$status"
}
