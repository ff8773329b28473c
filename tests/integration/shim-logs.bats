# SPDX-License-Identifier: Apache-2.0
# The logs of the shim: rotation, compression, sinks, and `shim logs`.
# shellcheck disable=SC2016 # the shell within the container is to expand
# shellcheck disable=SC2154 # bats sets output, stderr and stderr_lines
bats_require_minimum_version 1.5.0
load ../lib/common
load ../lib/shim

setup() {
  need jq perl
  cd "$BATS_TEST_TMPDIR" || return 1
  id=$(unique_id)
}

teardown() {
  kill_leftover "$id"
  rm -rf "$BATS_TEST_TMPDIR/bundle"
}

shim_run() { shim run --runtime "$RUNTIME" --bundle bundle "$@" 3>&-; }
tidy_log() { [ ! -e k.log.zst.new ] && [ -e k.log.2.zst ] && [ ! -e k.log.2 ]; }

@test "rotated files are compressed, and everybody reads them in order" {
  need zstd
  make_bundle sh -c 'read -r l; seq 1 30000; read -r l; echo end'
  shim_run --detach -i --log k8s-file:k.log --log-size-max 100000 --log-max-files 99 --log-compress "$id"
  shim logs --follow "$id" >followed 3>&- &
  local follower=$!
  mkfifo in
  shim attach "$id" <in >/dev/null 3>&- &
  exec 5>in
  echo go >&5
  eventually grep -qE '^30000$' followed
  eventually tidy_log
  zstd -tq k.log.*.zst
  ls k.log.1
  shim logs "$id" | cmp - <(seq 1 30000)
  [ "$(shim logs --tail 2 "$id")" = $'29999\n30000' ]
  [ "$(shim logs --grep '^1234.$' "$id" | wc -l)" -eq 10 ]
  [ "$(shim logs --since 1h "$id" | wc -l)" -eq 30000 ]
  [ -z "$(shim logs --until 1h "$id")" ]
  echo >&5
  exec 5>&-
  wait "$follower"
  cmp followed <(seq 1 30000; echo end)
}

@test "logs: since and until by the records' own times, one stream, a tail that follows" {
  make_bundle sh -c 'echo a; echo b >&2; read -r l; echo c; exit 0'
  shim_run --detach -i --log json:j.log --keep "$id"
  eventually grep -qs '"a' j.log
  eventually grep -qs '"b' j.log
  shim logs -f --tail 0 "$id" >followed 3>&- &
  local follower=$!
  watches() { grep -qs inotify "/proc/$follower"/fdinfo/*; }
  eventually watches
  shim attach "$id" < <(echo go) >/dev/null || :
  wait "$follower"
  [ "$(cat followed)" = c ]
  run -0 --separate-stderr shim logs --stream stderr "$id"
  [ "$output" = "" ]
  [ "$stderr" = b ]
  local time
  time=$(jq -r 'select(.log == "c\n").time' j.log)
  [ "$(shim logs --since "$time" "$id")" = c ]
  [ "$(shim logs --until "$time" "$id" 2>/dev/null)" = a ]
  [ "$(shim logs -t --since "$time" "$id")" = "$time c" ]
  run -1 shim logs --since yesterday "$id"
  [[ $output == *"is no time"* ]]
  "$RUNTIME" delete --force "$id"
  rm -rf "/run/shim/$id"
}

@test "labels and tag stand in the json log as docker writes them" {
  make_bundle echo hi
  shim_run --log json:j.log --log-tag web --log-label team=x --log-label app=y "$id"
  grep -qE '^\{"log":"hi\\n","stream":"stdout","attrs":\{"app":"y","tag":"web","team":"x"\},"time":"[0-9T:.-]+Z"\}$' j.log
}

@test "syslog: RFC 5424 over the local socket; a service that comes late is waited for" {
  make_bundle sh -c 'echo one; echo two >&2'
  shim_run --detach --events events --log "syslog:$PWD/devlog" --log-tag web "$id"
  eventually grep -q log-blocked events
  perl -MSocket -e 'socket(S, PF_UNIX, SOCK_DGRAM, 0); bind(S, pack_sockaddr_un("devlog")) or die;
    for (1, 2) { recv(S, $m, 65536, 0); print "$m\n" }' >got
  grep -qE "^<29>1 [0-9-]+T[0-9:]+\.[0-9]{6}Z [^ ]+ web $id stdout - one$" got
  grep -qE "^<27>1 .* stderr - two$" got
  eventually gone "$id"
}

@test "a program gets every line, also when it dies in between; several logs at once" {
  make_bundle sh -c 'read -r l; seq 1 20000; exit 4'
  # It ends after 500 lines each time; no line is read that is not written.
  printf '%s\n' '#!/bin/bash' 'for i in {1..5000}; do read -r line || exit 0; echo "$line"; done >>lines' >reader
  chmod +x reader
  shim_run --detach -i --events events --log "|$PWD/reader" --log k8s-file:k.log --log "|cat >copy" "$id"
  shim attach "$id" < <(echo go) >/dev/null || :
  eventually gone "$id"
  cmp lines <(seq 1 20000)
  cmp copy <(seq 1 20000)
  k8s_text k.log | cmp - <(seq 1 20000)
  grep -q log-program-ended events
}

@test "journald: each line is an entry with its priority and the container's names" {
  [ -S /run/systemd/journal/socket ] || skip "no journald runs here"
  make_bundle sh -c 'echo journal-out; echo journal-err >&2'
  shim_run --log journald --log-tag web --log-label TEAM=x "$id"
  entries() { journalctl -o json CONTAINER_ID_FULL="$id" >entries; [ "$(wc -l <entries)" -eq 2 ]; }
  eventually entries
  jq -es 'map({(.MESSAGE): [.PRIORITY, .CONTAINER_TAG, .TEAM, .SYSLOG_IDENTIFIER]}) | add ==
    {"journal-out": ["6", "web", "x", "web"], "journal-err": ["3", "web", "x", "web"]}' entries
}
