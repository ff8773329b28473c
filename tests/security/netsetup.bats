#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What public vulnerabilities of container networking taught, one test each.
bats_require_minimum_version 1.5.0
load ../lib/common
load ../lib/network

setup() {
  need ip nft curl busybox nc jq
  make_host
}
teardown() { remove_host; }

@test "CVE-2020-10749: router advertisements from a container do not configure the host" {
  container c1 && container c2
  netsetup up "$NETNS/c1-$T" one
  [ "$(on_host cat /proc/sys/net/ipv6/conf/nsbr0/accept_ra)" = 0 ]
  # Without an address of its own an interface takes part in no IPv6 at all.
  [ -z "$(on_host ip -6 addr show dev nsbr0)" ]
  [ -z "$(on_host ip -6 addr show dev "$(netsetup inspect one | jq -r '.[0].hostInterface')")" ]
  netsetup up --network dual-stack --config "$BATS_TEST_DIRNAME/../../contrib/netsetup/dual-stack.conflist" \
    "$NETNS/c2-$T" two
  [ "$(on_host cat /proc/sys/net/ipv6/conf/dual0/accept_ra)" = 0 ]
}

@test "CVE-2021-20206: no name can be a path" {
  container c1
  remember_host
  local name
  for name in ../../x .. . a/b ''; do
    run ! netsetup up --network "$name" "$NETNS/c1-$T" one
    run ! netsetup up "$NETNS/c1-$T" "$name"
    run ! netsetup up --interface "$name" "$NETNS/c1-$T" one
    run ! env CNI_COMMAND=ADD CNI_CONTAINERID="$name" CNI_NETNS="$NETNS/c1-$T" CNI_IFNAME=eth0 \
      ip netns exec "$HOST" netsetup <<<'{"cniVersion":"1.0.0","name":"n","type":"netsetup"}'
  done
  assert_host_as_remembered
}

@test "CVE-2020-8558: neighbours and containers do not reach what the host serves to itself" {
  container c1
  netsetup up --publish 8080:80 "$NETNS/c1-$T" one
  serve_host 9999 private
  ip -n "$NEIGHBOUR" route add 127.0.0.0/8 via 192.0.2.1 table 7
  neighbour ip rule add to 127.0.0.0/8 priority 1 table 7
  neighbour ip rule del table local && neighbour ip rule add priority 9 table local
  run ! neighbour curl -sm 2 http://127.0.0.1:9999/
  run ! in_container c1 curl -sm 2 --interface eth0 http://127.0.0.1:9999/
  [ "$(on_host curl -sm 10 http://127.0.0.1:9999/)" = private ]
}

@test "moby 45610: a port published on 127.0.0.1 is not reached from the wire" {
  container c1
  netsetup up --publish 127.0.0.1:8080:80 "$NETNS/c1-$T" one
  serve c1 80 local
  [ "$(on_host curl -sm 10 http://127.0.0.1:8080/)" = local ]
  ip -n "$NEIGHBOUR" route add 127.0.0.0/8 via 192.0.2.1 table 7
  neighbour ip rule add to 127.0.0.0/8 priority 1 table 7
  neighbour ip rule del table local && neighbour ip rule add priority 9 table local
  run ! neighbour curl -sm 2 http://127.0.0.1:8080/
  run ! neighbour curl -sm 2 http://192.0.2.1:8080/
  # Nor by a route to the container itself.
  ip -n "$NEIGHBOUR" route add 10.89.0.0/24 via 192.0.2.1
  run ! neighbour curl -sm 2 http://10.89.0.2/
}

@test "CVE-2025-67499: a published port catches only traffic for the host" {
  container c1 && container c2
  netsetup up --publish 8080:80 "$NETNS/c1-$T" one
  netsetup up "$NETNS/c2-$T" two
  serve c1 80 inside
  serve_neighbour 8080 outside
  [ "$(in_container c2 curl -sm 10 http://192.0.2.2:8080/)" = outside ]
  [ "$(on_host curl -sm 10 http://192.0.2.2:8080/)" = outside ]
}

@test "CVE-2019-9946: rules of others that come first still come first" {
  container c1
  on_host nft -f - <<'RULES'
table ip first {
  chain c {
    type nat hook prerouting priority -150
    tcp dport 8080 dnat to 192.0.2.2:8080
  }
}
RULES
  netsetup up --publish 8080:80 "$NETNS/c1-$T" one
  serve c1 80 inside
  on_host nft -j list chain ip first c | jq -e '[.nftables[].rule? // empty] | length == 1'
  on_host nft list chain inet netsetup prerouting | grep -q 'priority dstnat'
}

@test "names and comments cannot change the rules" {
  container c1
  run ! netsetup up --name 'a" drop #' "$NETNS/c1-$T" one
  run ! netsetup up --publish 8080:80 "$NETNS/c1-$T" 'x" drop #'
  assert_host_clean
}

@test "files of the state directory are the owner's alone, and no link is followed" {
  container c1
  netsetup up --hosts "$PWD/hosts" "$NETNS/c1-$T" one
  [ -z "$(find "$STATE" -perm /077)" ]
  ln -s "$PWD/victim" "$STATE/leases/default/10.89.0.3"
  container c2
  netsetup up "$NETNS/c2-$T" two | jq -e '.ips[0].address == "10.89.0.4/24"'
  [ ! -e victim ]
}
