#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# netsetup by the name netavark, called as podman calls its network helper. The name
# server is a script that says what it was asked.
bats_require_minimum_version 1.5.0
load ../lib/common
load ../lib/network

setup() {
  make_host
  STATE=/run/netsetup # podman does not name another
  network_state >"$BATS_TEST_TMPDIR/network.clean"
  ln -s "$BUILD_BIN/netsetup" netavark
  printf '#!/bin/sh\necho "$@" >>"%s/server.log"\n' "$PWD" >server
  chmod +x server
  container c1 && container c2
}
teardown() {
  [ -n "${HOST-}" ] || return 0
  for id in one two; do netsetup down "$id" || :; done
  remove_host
}

# The request for container ID with NETWORKS ("name":{...},...) and INFO likewise.
helper() { # COMMAND NAMESPACE ID NETWORKS INFO [PORTS] [MEMBERS]
  printf '{"container_id":"%s","container_name":"%s","port_mappings":[%s],"networks":{%s},"network_info":{%s}%s}' \
    "$3" "$3" "${6-}" "$4" "$5" "${7-}" >request
  call "$1" "$NETNS/$2-$T" <request
}
call() { on_host "$PWD/netavark" --config "$PWD/config" --rootless=false --aardvark-binary="$PWD/server" "$@"; }

join() { printf '"%s":{"interface_name":"%s","static_ips":["%s"],"aliases":["%s"]}' "$@"; } # NETWORK INTERFACE IP ALIAS
info() { # NETWORK SUBNET-START [MEMBERS]
  printf '"%s":{"name":"%s","id":"0","driver":"bridge","network_interface":"br-%s","ipv6_enabled":false,
    "subnets":[{"subnet":"%s.0/24","gateway":"%s.1","lease_range":{"start_ip":"%s.9","end_ip":"%s.9"}}],
    "ipam_options":{"driver":"host-local"}%s}' "$1" "$1" "$1" "$2" "$2" "$2" "$2" "${3:+,$3}"
}
nothing_left() {
  network_state >network.now
  diff "$BATS_TEST_TMPDIR/network.clean" network.now >/dev/null
}
refused() { # WORD ARGUMENTS-OF-HELPER... : says why, in podman's form, and makes nothing
  local word=$1
  shift
  run -1 helper setup "$@"
  jq -e --arg word "$word" 'keys == ["error"] and (.error | contains($word))' <<<"$output"
  assert_host_as_remembered
}

@test "setup answers as podman expects, teardown can be repeated and leaves nothing" {
  local port='{"container_port":80,"host_ip":"","host_port":8080,"protocol":"tcp,udp","range":2}'
  helper setup c1 one "$(join pods eth0 10.7.0.5 x)" "$(info pods 10.7.0)" "$port" >status
  jq -e '.pods == {"dns_search_domains":[],"dns_server_ips":[],"interfaces":{"eth0":{
    "mac_address":"02:6e:0a:07:00:05","subnets":[{"ipnet":"10.7.0.5/24","gateway":"10.7.0.1"}]}}}' status
  serve c1 81 here
  [ "$(neighbour curl -s --max-time 5 http://192.0.2.1:8081/)" = here ]
  [ "$(netsetup ls --json | jq -c '[.[].ports[]] | length')" -eq 4 ]
  helper teardown c1 one "$(join pods eth0 10.7.0.5 x)" "$(info pods 10.7.0)" "$port"
  helper teardown c1 one "$(join pods eth0 10.7.0.5 x)" "$(info pods 10.7.0)" "$port"
  eventually nothing_left
}

@test "two networks: names, routes, metrics, ports on the one that leads outside" {
  local names='"dns_enabled":true,"network_dns_servers":["9.9.9.9"]' port='{"container_port":80,"host_port":8080,"protocol":"tcp"}'
  local networks infos
  networks="$(join inner eth0 10.8.0.5 in),$(join outer eth1 10.7.0.5 www)"
  infos="$(info inner 10.8.0 "\"internal\":true,$names"),$(info outer 10.7.0 "$names,\"options\":{\"mtu\":\"1400\",
    \"metric\":\"77\",\"isolate\":\"true\",\"mode\":\"managed\"},\"routes\":[{\"destination\":\"10.99.0.0/16\",
    \"gateway\":\"10.7.0.9\",\"metric\":5,\"route_type\":\"unicast\"}]")"
  helper setup c1 one "$networks" "$infos" "$port" ',"dns_servers":["8.8.8.8"]' >status
  jq -e '.outer.dns_server_ips == ["10.7.0.1"] and .outer.dns_search_domains == ["dns.podman"]' status
  [ "$(in_container c1 ip -o route show default | tr -s ' ' | sed 's/ $//')" = 'default via 10.7.0.1 dev eth1 proto static metric 77' ]
  in_container c1 ip route show 10.99.0.0/16 | grep -q 'via 10.7.0.9 .*metric 5'
  [[ $(in_container c1 ip link show eth1) == *"mtu 1400"* ]]
  [[ $(netsetup ls --json | jq -c '[.[] | select(.ports != []) | .network]') == '["outer"]' ]]
  [ "$(cat config/aardvark-dns/outer)" = $'10.7.0.1 9.9.9.9\none 10.7.0.5  one,www 8.8.8.8' ]
  [ -e config/aardvark-dns/inner%int ]
  [ "$(sort -u server.log)" = "--config $PWD/config/aardvark-dns -p 53 run" ]
  call update outer --network-dns-servers 1.1.1.1,2.2.2.2
  [ "$(head -n 1 config/aardvark-dns/outer)" = '10.7.0.1 1.1.1.1,2.2.2.2' ]
  helper setup c2 two "$(join outer eth0 10.7.0.6 www)" "$(info outer 10.7.0 "$names,\"options\":{\"no_default_route\":\"true\"}")" >status
  [ -z "$(in_container c2 ip route show default)" ]
  [ "$(sed 1d config/aardvark-dns/outer)" = $'one 10.7.0.5  one,www 8.8.8.8\ntwo 10.7.0.6  two,www' ]
  helper teardown c1 one "$networks" "$infos"
  [ "$(sed 1d config/aardvark-dns/outer)" = 'two 10.7.0.6  two,www' ]
  helper teardown c2 two "$(join outer eth0 10.7.0.6 www)" "$(info outer 10.7.0)"
  [ ! -e config/aardvark-dns/outer ] && [ ! -e config/aardvark-dns/inner%int ]
  eventually nothing_left
}

@test "what cannot be is refused, and the networks made before it are undone" {
  local options
  remember_host
  refused ipvlan c1 one "$(join a eth0 10.7.0.5 x)" "$(info a 10.7.0 | sed 's/"bridge"/"ipvlan"/')"
  refused dhcp c1 one "$(join a eth0 10.7.0.5 x)" "$(info a 10.7.0 | sed 's/host-local/dhcp/')"
  refused blackhole c1 one "$(join a eth0 10.7.0.5 x)" "$(info a 10.7.0 '"routes":[{"destination":"10.9.0.0/16","route_type":"blackhole"}]')"
  refused static_mac c1 one '"a":{"interface_name":"eth0","static_ips":["10.7.0.5"],"static_mac":"odd"}' "$(info a 10.7.0)"
  for options in '"vlan":"7"' '"vrf":"red"' '"outbound_addr4":"10.0.0.1"' '"outbound_addr6":"::1"' '"mode":"unmanaged"' '"mtu":"x"' '"isolate":"odd"'; do
    refused "$(cut -d'"' -f2 <<<"$options")" c1 one "$(join a eth0 10.7.0.5 x)" "$(info a 10.7.0 "\"options\":{$options}")"
  done
  refused host_interface_name c1 one '"a":{"interface_name":"eth0","static_ips":["10.7.0.5"],"options":{"host_interface_name":"x"}}' "$(info a 10.7.0)"
  refused 10.9.0.5 c1 one "$(join a eth0 10.7.0.5 x),$(join b eth1 10.9.0.5 x)" "$(info a 10.7.0),$(info b 10.8.0)"
  printf '#!/bin/sh\nexit 3\n' >server
  refused 'status 3' c1 one "$(join a eth0 10.7.0.5 x)" "$(info a 10.7.0 '"dns_enabled":true')"
  [ -z "$(ls config/aardvark-dns)" ]
}

@test "version, and a name server that is not there" {
  run -0 call version
  jq -e '.version | startswith("1.")' <<<"$output"
  run -0 call --version
  [[ "$output" == "netavark 1."* ]]
  rm server
  run -0 --separate-stderr helper setup c1 one "$(join a eth0 10.7.0.5 x)" "$(info a 10.7.0 '"dns_enabled":true')"
  jq -e '.a.dns_server_ips == []' <<<"$output"
  [[ "$stderr" == *"without names"* ]]
}
