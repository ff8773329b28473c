#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The plugins by the names that lists use, called as libcni calls them: configuration
# and previous result on standard input, everything else in the environment.
bats_require_minimum_version 1.5.0
load ../lib/common
load ../lib/network

setup() {
  make_host
  mkdir plugins
  local name
  for name in bridge portmap firewall tuning host-local loopback; do ln -s "$BUILD_BIN/netsetup" "plugins/$name"; done
  container c1 && container c2
}
teardown() { remove_host; }

# The configuration of TYPE is PLUGIN_FIELDS ("key": value, ...), the previous result
# in the file result; so is the new one.
plugin() { # COMMAND TYPE ID NAMESPACE [FIELDS]
  printf '{"cniVersion":"%s","name":"pods","type":"%s","stateDir":"%s"%s%s}' "${VERSION:-1.0.0}" "$2" "$STATE" \
    "${5:+,$5}" "$([ -s result ] && printf ',"prevResult":%s' "$(cat result)")" >config
  CNI_COMMAND=$1 CNI_CONTAINERID=$3 CNI_NETNS=$NETNS/$4-$T CNI_IFNAME=eth0 CNI_PATH=$PWD/plugins CNI_ARGS=${ARGS-} \
    on_host "$PWD/plugins/$2" <config >answer || { cat answer && return 1; }
  [ "$1" != ADD ] || cp answer result
}
refused() { # CODE WORD TYPE FIELDS : ADD fails so, and nothing is made
  run -1 plugin ADD "$3" refused c2 "$4"
  jq -e --argjson code "$1" --arg word "$2" '.code == $code and (.details | contains($word))' <<<"$output"
}

BRIDGE='"bridge":"pods0","isGateway":true,"ipMasq":true,"hairpinMode":true,
  "ipam":{"type":"host-local","ranges":[[{"subnet":"10.3.0.0/24"}]],"routes":[{"dst":"0.0.0.0/0"}]}'
PORTS='"runtimeConfig":{"portMappings":[{"hostPort":8080,"containerPort":80,"protocol":"tcp"}]}'
nothing_on_host() { [ ! -e "$STATE/networks" ] && ! on_host ip link show pods0 2>/dev/null; }

@test "bridge, portmap, firewall and tuning are a chain, up and down, in any order of down" {
  local type
  plugin ADD bridge pod1 c1 "$BRIDGE"
  plugin ADD portmap pod1 c1 "$PORTS"
  plugin ADD firewall pod1 c1 '"ingressPolicy":"same-bridge"'
  plugin ADD tuning pod1 c1 '"mac":"02:00:00:00:00:09","mtu":1300,"promisc":true,"allmulti":true,"txQLen":77,
    "sysctl":{"net.ipv4.conf.IFNAME.arp_filter":"1","net.core.somaxconn":"300"}'
  jq -e '.ips[0].address == "10.3.0.2/24" and .interfaces[2].mac == "02:00:00:00:00:09"' result
  [[ $(in_container c1 ip link show eth0) == *PROMISC*"mtu 1300"*"qlen 77"*02:00:00:00:00:09* ]]
  [ "$(in_container c1 cat /proc/sys/net/ipv4/conf/eth0/arp_filter /proc/sys/net/core/somaxconn)" = $'1\n300' ]
  serve c1 80 here
  [ "$(neighbour curl -s --max-time 5 http://192.0.2.1:8080/)" = here ]
  on_host nft list set inet netsetup guarded | grep -q pods0
  plugin CHECK bridge pod1 c1 "$BRIDGE"
  plugin CHECK portmap pod1 c1 "$PORTS"
  plugin CHECK firewall pod1 c1 '"ingressPolicy":"same-bridge"'
  plugin CHECK tuning pod1 c1 '"mtu":1300,"mac":"02:00:00:00:00:09"'
  run -1 plugin CHECK tuning pod1 c1 '"mtu":1400'
  run -1 plugin CHECK tuning pod1 c1 '"sysctl":{"net.core.somaxconn":"5"}'
  rm result
  plugin DEL portmap pod1 c1 "$PORTS"
  run ! neighbour curl -s --max-time 1 http://192.0.2.1:8080/
  for type in tuning firewall portmap bridge bridge tuning; do plugin DEL "$type" pod1 c1 "$BRIDGE"; done
  eventually nothing_on_host
  assert_host_clean
}

@test "ingressPolicy isolated: members do not see one another" {
  plugin ADD bridge pod1 c1 "$BRIDGE"
  plugin ADD firewall pod1 c1 '"ingressPolicy":"isolated"'
  rm result
  plugin ADD bridge pod2 c2 "$BRIDGE"
  plugin ADD firewall pod2 c2 '"ingressPolicy":"isolated"'
  run ! in_container c2 busybox ping -c 1 -W 1 10.3.0.2
  in_container c2 busybox ping -c 1 -W 5 10.3.0.1
}

@test "a port that another container has is refused, and the loser keeps its network" {
  plugin ADD bridge pod1 c1 "$BRIDGE"
  plugin ADD portmap pod1 c1 "$PORTS"
  rm result
  plugin ADD bridge pod2 c2 "$BRIDGE"
  remember_host
  run -1 plugin ADD portmap pod2 c2 "$PORTS"
  jq -e '.msg | contains("pod1")' <<<"$output"
  assert_host_as_remembered
  plugin CHECK bridge pod2 c2 "$BRIDGE"
}

@test "tuning undoes what it changed when a later step fails" {
  plugin ADD bridge pod1 c1 "$BRIDGE"
  run -1 plugin ADD tuning pod1 c1 '"mtu":1300,"sysctl":{"net.core.somaxconn":"300","net.ipv4.no.such":"1"}'
  [ "$(in_container c1 cat /proc/sys/net/core/somaxconn)" != 300 ]
  [[ $(in_container c1 ip link show eth0) != *"mtu 1300"* ]]
}

@test "host-local gives addresses to plugins of others" {
  local ipam='"ipam":{"type":"host-local","subnet":"10.4.0.0/24","rangeStart":"10.4.0.5","rangeEnd":"10.4.0.6",
    "gateway":"10.4.0.9","routes":[{"dst":"0.0.0.0/0"}],"dataDir":"'$PWD/leases'"}'
  plugin ADD host-local pod1 c1 "$ipam"
  jq -e '.ips[0] == {"address":"10.4.0.5/24","gateway":"10.4.0.9"} and .routes[0].dst == "0.0.0.0/0"' result
  ARGS=IP=10.4.0.6 plugin ADD host-local pod2 c2 "$ipam"
  jq -e '.ips[0].address == "10.4.0.6/24"' result
  run -1 plugin ADD host-local pod3 c2 "$ipam"
  jq -e '.code == 11' <<<"$output"
  plugin CHECK host-local pod1 c1 "$ipam"
  plugin DEL host-local pod1 c1 "$ipam"
  run -1 plugin CHECK host-local pod1 c1 "$ipam"
  VERSION=1.1.0 plugin GC host-local '' c1 "$ipam,\"cni.dev/valid-attachments\":[]"
  [ -z "$(ls leases/pods | grep '^10')" ]
}

@test "loopback; about; versions; an unknown type" {
  plugin ADD loopback pod1 c1
  jq -e '.interfaces[0].name == "lo" and .ips[0].address == "127.0.0.1/8"' result
  in_container c1 busybox ping -c 1 -W 5 127.0.0.1
  plugin CHECK loopback pod1 c1
  plugin DEL loopback pod1 c1
  run -0 plugins/firewall
  [[ "${lines[0]}" == "CNI firewall plugin v1."* ]]
  [[ "${lines[1]}" == "CNI protocol versions supported: 0.1.0, "*", 1.1.0" ]]
  ln -s "$BUILD_BIN/netsetup" plugins/frob
  run -1 plugin ADD frob pod1 c1 && jq -e '.code == 7' <<<"$output"
}

@test "what is not supported is refused by name" {
  plugin ADD bridge pod1 c1 "$BRIDGE"
  remember_host
  local field
  for field in '"vlan":7' '"vlanTrunk":[{"id":1}]' '"preserveDefaultVlan":true' '"macspoofchk":true' '"enabledad":true' \
    '"forceAddress":true' '"disableContainerInterface":true' '"promiscMode":true'; do
    refused 7 "$(tr -d '"' <<<"${field%%:*}")" bridge "$BRIDGE,$field"
  done
  refused 7 ipRanges bridge "$BRIDGE,\"runtimeConfig\":{\"ipRanges\":[[{\"subnet\":\"10.3.0.0/24\"}]]}"
  for field in '"conditionsV4":["-d","1.2.3.4"]' '"conditionsV6":["a"]' '"masqAll":true' '"markMasqBit":5' \
    '"externalSetMarkChain":"KUBE"' '"snat":false' '"backend":"magic"'; do
    refused 7 "$(tr -d '"' <<<"${field%%:*}")" portmap "$PORTS,$field"
  done
  for field in '"iptablesAdminChainName":"X"' '"firewalldZone":"home"' '"backend":"magic"' '"ingressPolicy":"odd"'; do
    refused 7 "$(tr -d '"' <<<"${field%%:*}")" firewall "$field"
  done
  for field in '"dataDir":"/x"' '"mac":"odd"' '"mtu":5' '"sysctl":{"kernel.panic":"1"}' \
    '"sysctl":{"net/../kernel/panic":"1"}'; do
    refused 7 "$(tr -d '"' <<<"${field%%:*}")" tuning "$field"
  done
  refused 7 resolvConf host-local '"ipam":{"type":"host-local","subnet":"10.4.0.0/24","resolvConf":"/etc/resolv.conf"}'
  assert_host_as_remembered
}

@test "bridge: dns, wishes, routes and a default gateway" {
  plugin ADD bridge pod1 c1 '"bridge":"pods0","isDefaultGateway":true,"mtu":1400,"metric":9,"portIsolation":true,
    "dns":{"nameservers":["10.3.0.1"],"domain":"pods","search":["pods"],"options":["ndots:2"]},
    "args":{"cni":{"ips":["10.3.0.8"],"mac":"02:00:00:00:00:08"}},
    "ipam":{"type":"host-local","subnet":"10.3.0.0/24","routes":[{"dst":"10.9.0.0/16","gw":"10.3.0.7","priority":5}]}'
  jq -e '.dns == {"nameservers":["10.3.0.1"],"domain":"pods","search":["pods"],"options":["ndots:2"]} and
    .ips[0].address == "10.3.0.8/24" and .interfaces[2].mac == "02:00:00:00:00:08"' result
  in_container c1 ip route show default | grep -q 'via 10.3.0.1 .*metric 9'
  in_container c1 ip route show 10.9.0.0/16 | grep -q 'via 10.3.0.7 .*metric 5'
  [[ $(in_container c1 ip link show eth0) == *"mtu 1400"* ]]
  plugin ADD portmap pod1 c1 '"runtimeConfig":{"portMappings":[{"hostIP":"192.0.2.1","hostPort":8080,"containerPort":80}]}'
  on_host nft list map inet netsetup ports4 | grep -q '192.0.2.1 . tcp . 8080'
  refused 7 table bridge '"bridge":"pods0","ipam":{"type":"host-local","subnet":"10.3.0.0/24","routes":[{"dst":"10.9.0.0/16","table":7}]}'
}
