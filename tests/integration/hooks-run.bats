# SPDX-License-Identifier: Apache-2.0
# hook-notify and hook-seccomp: what goes on beside a container.
# shellcheck disable=SC2154 # bats sets output and stderr
bats_require_minimum_version 1.5.0
load ../lib/common
load ../lib/runtime

setup() {
  need jq
  cd "$BATS_TEST_TMPDIR" || return 1
  pids=()
}

teardown() {
  local one
  for one in "${pids[@]}"; do kill "$one" 2>/dev/null || :; done
  [ -z "${ID:-}" ] || remove_container
}

state() { jq -cn --arg id "$1" '{$id, status: "created", pid: 7, bundle: "/b", annotations: {team: "a"}}'; }
notify() { hook-notify --strict --state-dir "$PWD/notes" "$@"; }
lines_are() { [ "$(cat "$1" 2>/dev/null | wc -l)" -eq "$2" ]; }
dropped_are() { [ "$(notify --dropped)" = "$1" ]; }

@test "hook-notify: a program gets the chosen events; what is too many is suppressed and counted" {
  printf '#!/bin/sh\ncat >>%s/got\n' "$PWD" >program
  chmod +x program
  local i
  for i in 1 2 3; do notify --program "$PWD/program" --rate 2/3600 --event made < <(state "c$i"); done
  notify --program "$PWD/program" --on stopped --event made < <(state unwanted)
  eventually lines_are got 2
  jq -es 'all(.[]; .event == "made" and .source == "notify" and .data.annotations.team == "a")' got
  eventually grep -qx 1 notes/rate-*[0-9]
}

@test "hook-notify: tries again, and what it gives up is counted" {
  printf '#!/bin/sh\necho >>%s/tried\nlines=$(wc -l <%s/tried)\n[ "$lines" -ge 3 ]\n' "$PWD" "$PWD" >program
  chmod +x program
  notify --program "$PWD/program" --pause 1 --retries 5 < <(state web)
  eventually lines_are tried 3
  printf '#!/bin/sh\nexit 1\n' >program
  notify --program "$PWD/program" --pause 1 --retries 2 < <(state web)
  eventually dropped_are 1
  lines_are tried 3
}

@test "hook-notify: a webhook; one that hangs does not keep the container" {
  make_bundle
  # Answers once, and keeps what it was sent.
  printf 'HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n' >answer
  port=$((20000 + RANDOM % 10000))
  nc -l 127.0.0.1 "$port" <answer >request 3>&- &
  pids+=($!)
  eventually listens "$port"
  notify --url "http://127.0.0.1:$port/hook" --header 'X-Team: a' --pause 1 < <(state web)
  eventually grep -q '"id":"web"' request
  grep -q '^POST /hook ' request
  grep -qi '^content-type: application/json' request
  grep -q '^X-Team: a' request
  # A webhook that takes the connection and never answers.
  mkfifo silence
  exec 8<>silence
  nc -lk 127.0.0.1 $((port + 1)) <&8 >/dev/null 3>&- &
  pids+=($!)
  eventually listens $((port + 1))
  configure --arg hook "$BUILD_BIN/hook-notify" --arg url "http://127.0.0.1:$((port + 1))/" --arg notes "$PWD/notes" '
    .hooks.createRuntime = [{path: $hook, args: ["hook-notify", "--strict", "--url", $url, "--timeout", "1",
      "--retries", "0", "--state-dir", $notes]}]'
  run -0 run_shell 'echo ran'
  [ "$output" = ran ]
  eventually dropped_are 1
  exec 8>&-
}
listens() { ss -Htln "sport = :$1" | grep -q .; }

@test "hook-notify: words that are wrong" {
  run -1 notify < <(state web)
  [[ $output == *"one of --url and --program is needed"* ]]
  run -1 notify --program /bin/true --rate many < <(state web)
  [[ $output == *"--rate: 'many' is not N/SECONDS"* ]]
  run -1 notify --program /bin/true <<<'{}'
  [[ $output == *"/id: missing"* ]]
}

learn_here() { hook-seccomp --prepare --strict --name "$1" --profiles "$PWD/profiles" --state-dir "$PWD/s" "${@:2}"; }

# prepare NAME OPTION... : the bundle is learnt from at its next run
prepare() {
  cp "$B/config.json" config.before
  learn_here "$@" <config.before >"$B/config.json"
}
written() { [ "profiles/$1.report.json" -nt "$B/config.json" ]; }
enforce() { # NAME
  jq --slurpfile profile "profiles/$1.json" '.linux.seccomp = $profile[0]' config.before >"$B/config.json"
}

@test "hook-seccomp: what was learnt is enough, and the rest is denied" {
  make_bundle
  command_is sh -c 'ls / >/dev/null; id -u'
  prepare simple
  run -0 rt run --bundle "$B" "$ID" </dev/null
  [ "$output" = 0 ]
  eventually written simple
  jq -e '.defaultAction == "SCMP_ACT_ERRNO" and .architectures == ["SCMP_ARCH_X86_64"]
    and ([.syscalls[].names[]] | index("getdents64") and (index("mount") | not))' profiles/simple.json
  jq -e '.archMap[0].architecture == "SCMP_ARCH_X86_64"' profiles/simple.docker.json
  [ -z "$(ls s)" ]
  enforce simple
  run -0 rt run --bundle "$B" "$ID" </dev/null
  [ "$output" = 0 ]
  command_is sh -c 'mkdir /tmp/x || echo denied'
  run -0 rt run --bundle "$B" "$ID" </dev/null
  [[ $output == *denied* ]]
}

@test "hook-seccomp: a second run asks only about what is new; exec is learnt from too" {
  make_bundle
  command_is sleep 600
  prepare twice
  rt create --bundle "$B" "$ID" </dev/null >/dev/null 2>&1
  rt start "$ID"
  rt exec "$ID" mkdir /tmp/made
  rt delete --force "$ID"
  eventually written twice
  jq -e '[.syscalls[].names[]] | index("mkdir") or index("mkdirat")' profiles/twice.json
  first=$(jq .asked profiles/twice.report.json)
  cp config.before "$B/config.json"
  command_is sh -c 'mkdir /tmp/again; rmdir /tmp/again 2>/dev/null; :'
  prepare twice
  run -0 rt run --bundle "$B" "$ID" </dev/null
  eventually written twice
  [ "$(jq .asked profiles/twice.report.json)" -lt "$first" ]
}

@test "hook-seccomp: --audit says what a profile would have denied" {
  make_bundle
  echo '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["getuid"], "action": "SCMP_ACT_ERRNO"}]}' >strict.json
  command_is id -u
  prepare audited --audit "$PWD/strict.json"
  run -0 rt run --bundle "$B" "$ID" </dev/null
  [ "$output" = 0 ]
  eventually written audited
  jq -e '.denied | has("getuid") and (keys | length) == 1' profiles/audited.report.json
  run -1 hook-seccomp --audit strict.json --learnt profiles/audited.json
  [ "$output" = getuid ]
  run -0 hook-seccomp --audit profiles/audited.json --learnt profiles/audited.json
  run -1 hook-seccomp --strict --audit nowhere --learnt profiles/audited.json
  [[ $output == *"'nowhere'"*ENOENT* ]]
}

@test "hook-seccomp: a configuration that names no profile stays as it is; a name leads nowhere else" {
  run -0 hook-seccomp --prepare --strict <<<'{"process":{}}'
  [ "$output" = '{"process":{}}' ]
  run -1 hook-seccomp --prepare --strict --name ../x <<<'{}'
  [[ $output == *"'../x' is no name of a profile"* ]]
}

# redis with the host's libraries: its root is the host's /usr, read-only.
redis_bundle() {
  make_bundle
  local dir
  for dir in lib lib64 usr/bin usr/lib data; do mkdir -p "$B/rootfs/$dir"; done
  mkdir data
  configure --arg data "$PWD/data" '
    .mounts += [{destination: "/usr", source: "/usr", options: ["rbind", "ro"]},
      {destination: "/lib", source: "/lib", options: ["rbind", "ro"]},
      {destination: "/lib64", source: "/lib64", options: ["rbind", "ro"]},
      {destination: "/data", source: $data, options: ["rbind"]}]
    | .process.cwd = "/data" | .process.args = ["/usr/bin/redis-server", "--port", "0",
        "--unixsocket", "/data/redis.sock", "--save", "", "--appendonly", "yes", "--daemonize", "no"]'
}
redis() { redis-cli -s "$PWD/data/redis.sock" "$@"; }
answers() { [ "$(redis ping 2>/dev/null)" = PONG ]; }

under_load() { # REQUESTS
  rt create --bundle "$B" "$ID" </dev/null >redis.log 2>&1
  rt start "$ID"
  eventually answers
  redis-benchmark -s "$PWD/data/redis.sock" -n "$1" -c 10 -q -t ping,set,get,incr,lpush,lrange,mset >bench.log
  redis bgrewriteaof
  eventually rewritten
  redis shutdown nosave || :
  eventually has_status stopped
  rt delete "$ID"
}
rewritten() { redis info persistence | grep -q 'aof_rewrite_in_progress:0' && redis info persistence | grep -q 'aof_last_bgrewrite_status:ok'; }

@test "a profile learnt from redis under its benchmark: the same load runs with everything else denied" {
  need redis-server redis-benchmark
  profile=/usr/share/containers/seccomp.json
  [ -e "$profile" ] || skip "the engines' default profile is not installed"
  redis_bundle
  prepare redis
  under_load 300
  eventually written redis
  enforce redis
  rm -rf data/*
  under_load 2000
  grep -q 'MSET' bench.log
  learnt=$(jq '[.syscalls[].names[]] | unique | length' profiles/redis.json)
  default=$(jq '[.syscalls[] | select(.action == "SCMP_ACT_ALLOW").names[]] | unique | length' "$profile")
  echo "learnt $learnt, default $default"
  [ "$learnt" -gt 20 ]
  [ "$learnt" -lt $((default / 2)) ]
  [ "$(wc -c <profiles/redis.docker.json)" -lt "$(wc -c <"$profile")" ]
}
