# SPDX-License-Identifier: Apache-2.0
# hook-inject, hook-env, hook-audit, hook-hosts, hook-resolv: what reads or changes a
# container's configuration and files, alone and in real containers.
# shellcheck disable=SC2154 # bats sets output and stderr
bats_require_minimum_version 1.5.0
load ../lib/common
load ../lib/runtime

setup() {
  need jq
  cd "$BATS_TEST_TMPDIR" || return 1
}

teardown() {
  [ -z "${ID:-}" ] || remove_container
}

hook_file() { # NAME WHEN STAGES ARG...
  local name=$1 when=$2 stages=$3
  shift 3
  mkdir -p "${name%/*}"
  jq -n --argjson when "$when" --argjson stages "$stages" --arg path "$(type -P "$1")" \
    '{version: "1.0.0", hook: {$path, args: $ARGS.positional}, $when, $stages}' --args -- "$@" >"$name"
}

on() { # STAGE ARG... : one more hook of the bundle
  local stage=$1
  shift
  configure --arg stage "$stage" --arg path "$BUILD_BIN/$1" \
    '.hooks[$stage] += [{$path, args: $ARGS.positional}]' --args -- "$@"
}

@test "hook-inject: conditions, directories that hide one another, order" {
  hook_file a/20-b.json '{"always": true}' '["createRuntime"]' true b
  hook_file a/10-a.json '{"annotations": {"^team$": "^a"}}' '["createRuntime", "poststop"]' true a
  hook_file a/30-c.json '{"commands": ["/sh$"]}' '["createRuntime"]' true c
  hook_file a/40-d.json '{"always": true}' '["createRuntime"]' true hidden
  hook_file b/40-d.json '{"hasBindMounts": true}' '["createRuntime"]' true d
  config='{"annotations": {"team": "alpha"}, "process": {"args": ["/bin/sh"]}, "mounts": [],
    "hooks": {"createRuntime": [{"path": "/first"}]}}'
  inject() { hook-inject --strict --hooks-dir a --hooks-dir b --hooks-dir not-there; }
  run -0 jq -r '[.hooks.createRuntime[] | .args[1] // "first"] | join(" ")' < <(inject <<<"$config")
  [ "$output" = "first a b c" ]
  run -0 jq -r '[.hooks.createRuntime[] | .args[1] // "first"] | join(" ")' \
    < <(jq '.mounts = [{type: "bind"}] | .annotations = {} | .process.args = ["ls"]' <<<"$config" | inject)
  [ "$output" = "first b d" ]
}

@test "hook-inject: what is wrong is named; without --strict the configuration goes on as it came" {
  hook_file a/h.json '{"always": true}' '["later"]' true
  run -1 --separate-stderr hook-inject --strict --hooks-dir a <<<'{"x": 1}'
  [ -z "$output" ]
  [[ $stderr == *"a/h.json: /stages: unknown stage 'later'"* ]]
  run -0 --separate-stderr hook-inject --hooks-dir a <<<'{"x": 1}'
  [ "$output" = '{"x": 1}' ]
  jq '.stages = ["poststop"] | .hook.path = "/nonexistent"' a/h.json >a/new && mv a/new a/h.json
  run -1 hook-inject --strict --hooks-dir a <<<'{}'
  [[ $output == *"/hook/path: execute '/nonexistent'"*ENOENT* ]]
}

@test "hook-inject and hook-env: a pipeline binds a container to its data, as podman would" {
  make_bundle
  mkdir -p data/web/files/etc/app data/web/env
  printf 'blue\n' >data/web/env/COLOUR
  echo from-set >data/web/files/etc/app/conf
  hook_file hooks.d/env.json '{"annotations": {"^container.data$": "."}}' '["precreate"]' hook-env --data "$PWD/data"
  configure '.annotations["container.data"] = "web"'
  hook-inject --strict --hooks-dir hooks.d <"$B/config.json" >new && mv new "$B/config.json"
  run -0 run_shell 'echo $COLOUR; cat /etc/app/conf; echo x >/etc/app/conf || echo read-only'
  [ "${lines[0]} ${lines[1]} ${lines[3]}" = "blue from-set read-only" ]
}

@test "hook-env: a hook of createRuntime copies the files, and a name cannot lead elsewhere" {
  make_bundle
  mkdir -p data/web/files/etc
  echo copied >data/web/files/etc/conf
  ln -s /etc/passwd "$B/rootfs/etc/conf"
  on createRuntime hook-env --strict --data "$PWD/data" --set web
  passwd=$(md5sum /etc/passwd "$B/rootfs/etc/passwd")
  run -0 run_shell 'cat /etc/conf'
  [ "$output" = copied ]
  [ "$(md5sum /etc/passwd "$B/rootfs/etc/passwd")" = "$passwd" ]
  run -1 hook-env --strict --data data --set ../web <<<'{}'
  [[ $output == *"'../web' is no name of a data set"* ]]
  run -0 --separate-stderr hook-env --data data --set missing <<<'{"x":1}'
  [ "$output" = '{"x":1}' ]
  [[ $stderr == *missing*ENOENT* ]]
}

@test "hook-audit: one line beside the events, and text for a person" {
  make_bundle
  configure '.mounts += [{destination: "/host", source: "/", options: ["rbind"]}]'
  on createRuntime hook-audit --strict --to "$PWD/events"
  run -0 run_shell true
  jq -es --arg id "$ID" 'length == 1 and (.[0] | .id == $id and .source == "audit" and .data.risk == "critical"
    and (.data.host_mounts[] | select(.source == "/")).writable and .data.seccomp == null)' events
  run -0 hook-audit --bundle "$B" --text
  [ "${lines[0]}" = "risk: critical" ]
  [[ ${lines[1]} == *"the whole host can be written: '/' is mounted on '/host'"* ]]
  # A line that is limited keeps the judgement.
  mkfifo fifo
  exec 8<>fifo
  configure '.mounts += [range(100) | {destination: "/m\(.)", source: "/usr/share/a-rather-long-name/\(.)", options: ["bind"]}]'
  hook-audit --strict --to fifo < <(jq -n --arg bundle "$B" '{id: "x", $bundle}')
  read -r line <&8
  exec 8>&-
  jq -e '.data.risk == "critical" and .data.host_mounts == 101' <<<"$line"
}

@test "hook-audit: a bundle that is not there, or is wrong" {
  run -1 hook-audit --strict --to e <<<'{"id": "x", "bundle": "/nonexistent"}'
  [[ $output == *"/nonexistent/config.json"*ENOENT* ]]
  mkdir bad
  echo '{"mounts": 7}' >bad/config.json
  run -1 hook-audit --strict --bundle bad
  [[ $output == *"bad/config.json: /mounts: expected an array"* ]]
}

member() { # NETWORK ID NAME ADDRESS
  mkdir -p "net/members/$1/$2"
  jq -n --arg network "$1" --arg id "$2" --arg name "$3" --arg address "$4/24" \
    '{$id, $network, $name, aliases: [], addresses: [{$address}]}' >"net/members/$1/$2/eth0"
}

@test "hook-hosts: members find one another, also those that came earlier; nobody else's file changes" {
  make_bundle
  names=(--netsetup-dir "$PWD/net" --state-dir "$PWD/served")
  member demo "$ID" web 10.0.0.2
  on createRuntime hook-hosts --strict "${names[@]}" --add gateway:10.0.0.1
  on poststop hook-hosts --strict "${names[@]}"
  start_sleeper
  run -0 rt exec "$ID" cat /etc/hosts
  [[ $output == *"127.0.0.1"*localhost*"10.0.0.2"*web*"10.0.0.1"*gateway* ]]
  # A second one joins: the first sees its name.
  mkdir -p second/rootfs
  echo '{"root": {"path": "rootfs"}}' >second/config.json
  member demo second db 10.0.0.3
  member other third far 10.9.0.9
  hook-hosts --strict "${names[@]}" < <(jq -n --arg bundle "$PWD/second" '{id: "second", status: "creating", $bundle}')
  run -0 rt exec "$ID" cat /etc/hosts
  [[ $output == *"10.0.0.3"*db* && $output != *10.9.0.9* ]]
  rm -r net/members/demo/second
  hook-hosts --strict "${names[@]}" < <(jq -n --arg bundle "$PWD/second" '{id: "second", status: "stopped", $bundle}')
  run -0 rt exec "$ID" cat /etc/hosts
  [[ $output != *10.0.0.3* && $output == *10.0.0.2* ]]
  rt delete --force "$ID"
  [ "$(ls served)" = lock ]
  ! grep 10.0.0.2 "$B/rootfs/etc/hosts"
}

@test "hook-hosts and hook-resolv: a file of the host that is mounted is left alone" {
  make_bundle
  echo mine >hosts
  configure --arg f "$PWD/hosts" '.mounts += [{destination: "/etc/hosts", source: $f, options: ["bind"]}]'
  member demo x x 10.0.0.2
  run -1 hook-hosts --strict --netsetup-dir net --state-dir served \
    < <(jq -n --arg bundle "$B" '{id: "x", $bundle}')
  [[ $output == *"'/etc/hosts' is '$PWD/hosts' of the host: it is left as it is"* ]]
  [ "$(cat hosts)" = mine ]
}

@test "hook-resolv: from the command line, from the network, from the host; through no link" {
  make_bundle
  on createRuntime hook-resolv --strict --netsetup-dir "$PWD/net" --option ndots:2
  member demo "$ID" web 10.0.0.2
  mkdir -p net/networks
  echo '{"name": "demo", "dns": {"nameservers": ["10.0.0.1"], "domain": "lan"}}' >net/networks/demo.conflist
  ln -s /../../../../../../etc/hosts "$B/rootfs/etc/resolv.conf"
  hosts=$(md5sum /etc/hosts)
  run -0 run_shell 'cat /etc/resolv.conf'
  [ "$output" = "search lan
nameserver 10.0.0.1
options ndots:2" ]
  [ "$(md5sum /etc/hosts)" = "$hosts" ]
  configure '.hooks.createRuntime[0].args += ["--nameserver", "192.0.2.9"]'
  run -0 run_shell 'cat /etc/resolv.conf'
  [[ $output == *"nameserver 192.0.2.9"* && $output != *10.0.0.1* ]]
}
