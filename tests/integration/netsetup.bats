#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# netsetup on hosts of its own: each test's "host" is a network namespace, beside it
# a neighbouring machine on a wire; containers are namespaces too.
bats_require_minimum_version 1.5.0
load ../lib/common
load ../lib/network

setup() {
  need ip nft curl busybox nc jq
  make_host
}
teardown() { remove_host; }

@test "up gives an address, a default route, lo and the host's MTU, and says so as CNI does" {
  container c1
  ip -n "$HOST" link set wire mtu 1400
  ip -n "$HOST" route add default via 192.0.2.2
  remember_host
  netsetup up "$NETNS/c1-$T" web1 >result
  jq -e '.cniVersion == "1.1.0" and .ips[0].address == "10.89.0.2/24" and
    .ips[0].gateway == "10.89.0.1" and .routes[0].dst == "0.0.0.0/0" and
    (.interfaces[2] | .name == "eth0" and .mac == "02:6e:0a:59:00:02" and .mtu == 1400)' result
  jq -e --arg netns "$NETNS/c1-$T" '.interfaces[2].sandbox == $netns' result
  in_container c1 ip -j link show eth0 |
    jq -e '.[0] | .address == "02:6e:0a:59:00:02" and .mtu == 1400 and (.flags | index("UP"))'
  in_container c1 ip -j link show lo | jq -e '.[0].flags | index("UP")'
  in_container c1 ip route show default | grep -q 'via 10.89.0.1 dev eth0'
  on_host ip -j -d link show nsbr0 | jq -e '.[0].linkinfo.info_kind == "bridge"'
  netsetup down web1
  assert_host_as_remembered
}

@test "a published port answers on every address of the host, to a neighbour, a container and itself" {
  container c1 && container c2
  netsetup up --publish 8080:80 "$NETNS/c1-$T" web1
  netsetup up "$NETNS/c2-$T" cli1
  serve c1 80 hello
  [ "$(on_host curl -sm 10 http://127.0.0.1:8080/)" = hello ]
  [ "$(on_host curl -sm 10 http://10.89.0.1:8080/)" = hello ]
  [ "$(on_host curl -sm 10 http://10.89.0.2/)" = hello ]
  [ "$(neighbour curl -sm 10 http://192.0.2.1:8080/)" = hello ]
  [ "$(in_container c2 curl -sm 10 http://192.0.2.1:8080/)" = hello ]
  [ "$(in_container c2 curl -sm 10 http://10.89.0.1:8080/)" = hello ]
  [ "$(in_container c1 curl -sm 10 http://192.0.2.1:8080/)" = hello ]
}

@test "a container leaves with the host's address" {
  container c1
  netsetup up "$NETNS/c1-$T" web1
  serve_neighbour 80 outside
  # The neighbour has no route to 10.89.0.0/24: an answer proves the masquerade.
  [ "$(in_container c1 curl -sm 10 http://192.0.2.2/)" = outside ]
}

@test "UDP ports are published" {
  container c1
  netsetup up --publish 5300:53/udp "$NETNS/c1-$T" dns1
  udp_answers() { [ "$(printf 'ask\n' | "$@" nc -u -w 2 "$address" 5300)" = answer ]; }
  serve_udp c1 53 answer
  address=127.0.0.1 && eventually udp_answers on_host
  address=192.0.2.1 && eventually udp_answers neighbour
}

@test "a UDP client that keeps sending reaches the container that has the port now" {
  container c1 && container c2 && container c3
  netsetup up "$NETNS/c3-$T" other # so that the next two get different addresses
  ask() { printf 'ask\n' | neighbour nc -u -p 4000 -w 1 192.0.2.1 5300 || :; }
  ask
  netsetup up --publish 5300:53/udp "$NETNS/c1-$T" dns1
  serve_udp c1 53 first
  eventually_answers() { [ "$(ask)" = "$1" ]; }
  eventually eventually_answers first
  netsetup down dns1
  netsetup up --publish 5300:53/udp "$NETNS/c2-$T" dns2
  serve_udp c2 53 second
  eventually eventually_answers second
}

@test "a range publishes every port of it, to the port with the same distance" {
  container c1
  netsetup up --publish 8000-8009:90-99 "$NETNS/c1-$T" web1
  serve c1 97 seven
  [ "$(neighbour curl -sm 10 http://192.0.2.1:8007/)" = seven ]
  run ! neighbour curl -sm 10 http://192.0.2.1:8006/
  netsetup down web1
  assert_host_clean
}

@test "a thousand ports are one transaction, up and down" {
  container c1
  netsetup up --publish 20000-20999:1000-1999 "$NETNS/c1-$T" many1
  [ "$(on_host nft -j list map inet netsetup anyports4 | jq '[.nftables[] | .map?.elem? // empty][0] | length')" -eq 1000 ]
  netsetup down many1
  assert_host_clean
}

@test "a port published on one address answers on that address only" {
  container c1 && container c2
  netsetup up --publish 192.0.2.1:8080:80 "$NETNS/c1-$T" web1
  netsetup up --publish 127.0.0.1:8080:80 "$NETNS/c2-$T" web2
  serve c1 80 wire
  serve c2 80 local
  [ "$(neighbour curl -sm 10 http://192.0.2.1:8080/)" = wire ]
  [ "$(on_host curl -sm 10 http://127.0.0.1:8080/)" = local ]
  [ "$(on_host curl -sm 10 http://192.0.2.1:8080/)" = wire ]
  run ! on_host curl -sm 10 http://10.89.0.1:8080/
}

@test "members find one another by name, in a file that stays the same" {
  container c1 && container c2
  printf '127.0.0.1 localhost\n' >hosts1
  local inode
  inode=$(stat -c %i hosts1)
  netsetup up --name web --alias www --hosts "$PWD/hosts1" "$NETNS/c1-$T" one
  netsetup up --name db --hosts "$PWD/hosts2" "$NETNS/c2-$T" two
  grep -qx $'10.89.0.2\tweb www' hosts1 && grep -qx $'10.89.0.3\tdb' hosts1
  grep -qx $'10.89.0.2\tweb www' hosts2
  grep -q '^127.0.0.1' hosts1 && grep -q '^127.0.0.1' hosts2
  netsetup down one
  [ "$(cat hosts1)" = '127.0.0.1 localhost' ] && [ "$(stat -c %i hosts1)" = "$inode" ]
  run ! grep -q web hosts2
  grep -q db hosts2
  netsetup down two
  [ ! -e hosts2 ]
  assert_host_clean
}

@test "a name that another member has is refused" {
  container c1 && container c2
  netsetup up --name web "$NETNS/c1-$T" one
  remember_host
  run -1 netsetup up --name web "$NETNS/c2-$T" two
  [[ "$output" == *"name 'web' is in use by container 'one'"* ]] && [ "${#lines[@]}" -eq 1 ]
  assert_host_as_remembered
}

@test "a port that another container has is refused, whichever address either is on" {
  container c1 && container c2
  netsetup up --publish 8080:80 --publish 127.0.0.1:9090:90 "$NETNS/c1-$T" first
  remember_host
  local publish
  for publish in 8080:80 192.0.2.1:8080:80 9090:90 127.0.0.1:9090:1; do
    run -1 netsetup up --network other --publish "$publish" "$NETNS/c2-$T" second
    [[ "$output" == *"container 'first'"*"has it already"* ]] && [ "${#lines[@]}" -eq 1 ]
    assert_host_as_remembered
  done
  # Another address, or another protocol, is another port.
  netsetup up --publish 192.0.2.1:9090:90 --publish 8080:80/udp "$NETNS/c2-$T" second
}

@test "a port that a program of the host listens on is refused" {
  container c1
  remember_host
  serve_host 8080 host
  run -1 netsetup up --publish 8000:80 --publish 8080:80 "$NETNS/c1-$T" web1
  [[ "$output" == *"port 8080/tcp: a program of this host uses the port"* ]] && [ "${#lines[@]}" -eq 1 ]
  run -1 netsetup up --publish 192.0.2.99:8081:80 "$NETNS/c1-$T" web1
  [[ "$output" == *"the host has no address 192.0.2.99"* ]]
  assert_host_as_remembered
  [ "$(on_host curl -sm 10 http://127.0.0.1:8080/)" = host ]
}

@test "a wanted address is given, unless it is taken, the gateway's or elsewhere" {
  container c1 && container c2
  netsetup up --ip 10.89.0.77 "$NETNS/c1-$T" one | jq -e '.ips[0].address == "10.89.0.77/24"'
  remember_host
  run -1 netsetup up --ip 10.89.0.77 "$NETNS/c2-$T" two
  [[ "$output" == *"address 10.89.0.77 is in use by container 'one'"* ]]
  run -1 netsetup up --ip 10.89.0.1 "$NETNS/c2-$T" two
  [[ "$output" == *"is the gateway"* ]]
  run -1 netsetup up --ip 10.9.9.9 "$NETNS/c2-$T" two
  [[ "$output" == *"10.9.9.9 is not one of network 'default' (10.89.0.0/24)"* ]]
  assert_host_as_remembered
}

@test "an exhausted subnet says so and leaves nothing" {
  container c1 && container c2
  netsetup up --network tiny --subnet 10.5.0.0/30 "$NETNS/c1-$T" one
  remember_host
  run -1 netsetup up --network tiny "$NETNS/c2-$T" two
  [[ "$output" == *"no free address in 10.5.0.1-10.5.0.2"*ENOSPC* ]]
  assert_host_as_remembered
  netsetup down one
  assert_host_clean
}

@test "networks get subnets and bridges of their own, which are free again afterwards" {
  container c1 && container c2 && container c3
  netsetup up --network red "$NETNS/c1-$T" one | jq -e '.ips[0].address == "10.89.1.2/24"'
  netsetup up --network blue "$NETNS/c2-$T" two | jq -e '.ips[0].address == "10.89.2.2/24"'
  netsetup networks --json | jq -e '[.[].plugins[0].bridge] == ["nsbr2", "nsbr1"]'
  netsetup down one
  netsetup up --network green "$NETNS/c3-$T" three | jq -e '.ips[0].address == "10.89.1.2/24"'
}

@test "a subnet that the host or another network uses is refused" {
  container c1 && container c2
  netsetup up "$NETNS/c1-$T" one
  remember_host
  run -1 netsetup up --network x --subnet 192.0.2.0/25 "$NETNS/c2-$T" two
  [[ "$output" == *"overlaps address 192.0.2.1 of this host"* ]]
  run -1 netsetup up --network x --subnet 10.89.0.128/25 "$NETNS/c2-$T" two
  [[ "$output" == *"overlaps network 'default'"* ]]
  run -1 netsetup up --subnet 10.7.0.0/24 "$NETNS/c2-$T" two
  [[ "$output" == *"network 'default' exists with 10.89.0.0/24, not 10.7.0.0/24"* ]]
  run -1 netsetup up --network x --bridge wire "$NETNS/c2-$T" two
  [[ "$output" == *"'wire' exists and is no bridge"* ]]
  assert_host_as_remembered
}

@test "what cannot be is refused with one line and leaves nothing" {
  container c1
  in_container c1 ip link add eth0 type veth peer name other
  touch file
  remember_host
  local arguments
  while read -ra arguments; do
    run -1 netsetup up "${arguments[@]}"
    [ "${#lines[@]}" -eq 1 ] && [[ "$output" == netsetup:* ]] || { echo "${arguments[*]}: $output"; false; }
    assert_host_as_remembered
  done <<CASES
--network ../x $NETNS/c1-$T one
--network a/b $NETNS/c1-$T one
$NETNS/c1-$T ../one
$NETNS/c1-$T a/b
$NETNS/c1-$T one
$NETNS/nowhere-$T one
/proc/self/ns/pid one
$PWD/file one
/dev/null one
/proc/self/ns/net one
--publish 70000:80 $NETNS/c1-$T one
--publish 80:80/icmp $NETNS/c1-$T one
--publish 80:80 --publish 80:81 $NETNS/c1-$T one
--name a/b $NETNS/c1-$T one
--subnet 10.0.0.1/24 $NETNS/c1-$T one
--interface much-too-long-a-name $NETNS/c1-$T one
--config $PWD/missing.conflist $NETNS/c1-$T one
--config $PWD/file $NETNS/c1-$T one
--hosts $PWD/no/such/dir $NETNS/c1-$T one
--pid 999999999 one
CASES
  run -2 netsetup up --no-such-option one
}

@test "down succeeds on whatever is gone already, as often as it is called" {
  container c1 && container c2 && container c3
  netsetup up --publish 8080:80 "$NETNS/c1-$T" one
  netsetup up --publish 8081:80 "$NETNS/c2-$T" two
  netsetup up --publish 8082:80 "$NETNS/c3-$T" three
  ip netns del "c1-$T"
  netsetup down one
  in_container c2 ip link del eth0
  netsetup down two
  on_host nft delete table inet netsetup
  on_host ip link del nsbr0
  netsetup down three
  netsetup down three
  netsetup down never-was
  assert_host_clean
}

@test "the same id can come back, also when its namespace vanished without a word" {
  container c1 && container c2
  netsetup up --publish 8080:80 "$NETNS/c1-$T" one
  run -1 netsetup up "$NETNS/c1-$T" one
  [[ "$output" == *"container 'one' is in network 'default' already, as eth0"* ]]
  ip netns del "c1-$T"
  eventually gone_on_host 06:6e:0a:59:00:02
  netsetup up --publish 8080:80 "$NETNS/c2-$T" one
  netsetup down one
  assert_host_clean
}

gone_on_host() { ! on_host ip link | grep -q "$1"; }

@test "gc finds what dead containers left, and what lost records left" {
  container c1 && container c2 && container c3
  netsetup up --publish 8080:80 "$NETNS/c1-$T" dead
  netsetup up --publish 8081:80 "$NETNS/c2-$T" lost
  netsetup up --publish 8082:80 "$NETNS/c3-$T" alive
  ip netns del "c1-$T"
  eventually gone_on_host 06:6e:0a:59:00:02
  rm -r "$STATE/members/default/lost"
  run -0 netsetup gc
  [[ "$output" == *"member default/dead/eth0"* && "$output" == *"port 8081/tcp of default/lost/eth0"* ]]
  [[ "$output" == *"lease 10.89.0.3 of lost"* ]]
  netsetup check alive
  [ "$(find "$STATE/leases/default" -name '10.*' -printf '%f\n')" = 10.89.0.4 ]
  [ -z "$(netsetup gc)" ]
  netsetup down alive
  assert_host_clean
}

@test "gc finds everything when the whole state directory was lost" {
  container c1
  netsetup up --publish 8080:80 "$NETNS/c1-$T" one
  rm -r "$STATE"
  netsetup gc
  assert_host_clean
}

# Each system call that changes something, and none twice: at the nth of them the
# program dies, until it has no nth.
@test "killed at every step, what is left is found by gc" {
  need strace
  container c1
  local step status=137
  for ((step = 1; status == 137; step++)); do
    status=0
    on_host strace -qq -o /dev/null -e "inject=sendto,renameat,pwrite64,unlinkat:signal=KILL:when=$step" \
      netsetup --state-dir "$STATE" up --publish 8080:80 --name n --hosts "$PWD/h" "$NETNS/c1-$T" victim \
      >/dev/null 2>&1 || status=$?
    netsetup gc >/dev/null
    netsetup down victim
    rm -f h
    assert_host_clean
  done
  [ "$status" -eq 0 ]
  [ "$step" -gt 20 ]
}

@test "the OCI hook connects on creating and disconnects on stopped" {
  mkdir bundle
  unshare -n bash -c 'read -r' <> <(:) &
  local pid=$!
  pids+=("$pid")
  eventually has_own_netns "$pid"
  hook() { printf '{"ociVersion":"1.0.2","id":"box1","status":"%s","pid":%d,"bundle":"%s"}' "$1" "$2" "$PWD/bundle" |
    netsetup hook --name box --publish 8080:80 --hosts hosts; }
  [ -z "$(hook creating "$pid")" ]
  grep -qx $'10.89.0.2\tbox' bundle/hosts
  nsenter -t "$pid" -n ip -j addr show eth0 | jq -e '.[0].addr_info[0].local == "10.89.0.2"'
  kill -KILL "$pid"
  hook stopped 0
  hook stopped 0
  assert_host_clean
  run -1 hook paused "$$"
  run -1 hook creating 0
}

has_own_netns() { [ "$(readlink "/proc/$1/ns/net")" != "$(readlink /proc/self/ns/net)" ]; }

@test "networks are walls: only published ports get through" {
  container c1 && container c2
  netsetup up --network red --publish 8080:80 "$NETNS/c1-$T" one
  netsetup up --network blue "$NETNS/c2-$T" two
  serve c1 80 red
  serve c1 81 secret
  run ! in_container c2 curl -sm 2 http://10.89.1.2:81/
  [ "$(in_container c2 curl -sm 10 http://192.0.2.1:8080/)" = red ]
  # Not even by a route to the container's subnet.
  ip -n "$NEIGHBOUR" route add 10.89.0.0/16 via 192.0.2.1
  run ! neighbour curl -sm 2 http://10.89.1.2:81/
  [ "$(neighbour curl -sm 10 http://192.0.2.1:8080/)" = red ]
}

@test "beside a FORWARD policy of DROP containers still reach the world and are reached" {
  need iptables-nft
  container c1
  on_host iptables-nft -P FORWARD DROP
  remember_host
  netsetup up --publish 8080:80 "$NETNS/c1-$T" web1 2>warning
  grep -q 'FORWARD is DROP' warning
  serve c1 80 hello
  serve_neighbour 80 outside
  [ "$(neighbour curl -sm 10 http://192.0.2.1:8080/)" = hello ]
  [ "$(in_container c1 curl -sm 10 http://192.0.2.2/)" = outside ]
  on_host iptables-nft -S FORWARD | grep -q -- '-A FORWARD -i nsbr0 .*-j ACCEPT'
  netsetup down web1
  assert_host_as_remembered
}

@test "the rules of others are as they were" {
  container c1
  on_host nft -f - <<'RULES'
table inet other { map ports { type inet_service : ipv4_addr; elements = { 80 : 192.0.2.9 } }
  chain c { type nat hook prerouting priority -150; dnat ip to tcp dport map @ports; }
}
RULES
  remember_host
  netsetup up --publish 8080:80 "$NETNS/c1-$T" web1
  netsetup down web1
  assert_host_as_remembered
}

@test "reload puts the rules back that a flush took" {
  container c1
  netsetup up --publish 8080:80 "$NETNS/c1-$T" web1
  serve c1 80 here
  remember_host
  on_host nft flush table inet netsetup
  [ -z "$(neighbour curl -s --max-time 1 http://192.0.2.1:8080/ || :)" ]
  netsetup reload
  [ "$(neighbour curl -s --max-time 5 http://192.0.2.1:8080/)" = here ]
  on_host nft flush ruleset
  netsetup reload
  netsetup reload
  [ "$(neighbour curl -s --max-time 5 http://192.0.2.1:8080/)" = here ]
  assert_host_as_remembered
  netsetup down web1
  assert_host_clean
}

@test "check says what differs from the record" {
  container c1
  netsetup up --publish 8080:80 "$NETNS/c1-$T" web1
  netsetup check web1
  in_container c1 ip addr del 10.89.0.2/24 dev eth0
  on_host nft flush map inet netsetup anyports4
  run -1 netsetup check web1
  [[ "$output" == *"address 10.89.0.2/24 is missing"* && "$output" == *"port 8080->80/tcp is not published"* ]]
  run -1 netsetup check nobody
}

@test "--dry-run prints the operations and does none" {
  container c1
  remember_host
  run -0 netsetup up --dry-run --publish 8080:80 "$NETNS/c1-$T" web1
  [[ "$output" == *"add element inet netsetup anyports4 { tcp . 8080 : 10.89.0.2 . 80 }"* ]]
  [[ "$output" == *"address add 10.89.0.2/24 dev eth0"* && "$output" == *"type veth peer name eth0"* ]]
  assert_host_as_remembered
}

@test "a configuration list defines a network with both address families" {
  container c1 && container c2
  cat >dual.conflist <<'JSON'
{"cniVersion": "1.0.0", "name": "dual", "plugins": [
  {"type": "netsetup", "bridge": "dual0", "mtu": 1280, "ipam": {"type": "host-local",
   "ranges": [[{"subnet": "10.7.0.0/24", "rangeStart": "10.7.0.50"}], [{"subnet": "fd07::/64"}]],
   "routes": [{"dst": "198.51.100.0/24", "gw": "10.7.0.9"}]}}]}
JSON
  netsetup up --network dual --config dual.conflist --publish 8080:80 "$NETNS/c1-$T" one |
    jq -e '[.ips[].address] == ["10.7.0.50/24", "fd07::2/64"]'
  netsetup up --network dual "$NETNS/c2-$T" two | jq -e '.ips[1].address == "fd07::3/64"'
  in_container c1 ip -6 route show default | grep -q 'via fd07::1'
  in_container c1 ip route show 198.51.100.0/24 | grep -q 'via 10.7.0.9'
  serve c1 80 six
  [ "$(in_container c2 curl -sm 10 'http://[fd07::2]/')" = six ]
  [ "$(in_container c2 curl -sm 10 'http://[fd07::1]:8080/')" = six ]
  [ "$(on_host curl -sm 10 'http://[fd07::1]:8080/')" = six ]
  [ "$(neighbour curl -sm 10 'http://[2001:db8::1]:8080/')" = six ]
  netsetup down one
  netsetup down two
  assert_host_clean
}

@test "leases are those of the plugin host-local, in both directions" {
  [ -x /usr/lib/cni/host-local ] || skip "the CNI plugins are not installed"
  container c1
  cat >net.conflist <<JSON
{"cniVersion": "1.0.0", "name": "shared", "plugins": [{"type": "netsetup", "bridge": "sh0",
 "ipam": {"type": "host-local", "subnet": "10.6.0.0/24", "dataDir": "$PWD/leases"}}]}
JSON
  host_local() { jq -c '{cniVersion, name, type: "x", ipam: .plugins[0].ipam}' net.conflist |
    CNI_COMMAND=$1 CNI_CONTAINERID=$2 CNI_NETNS=/x CNI_IFNAME=eth0 CNI_PATH=/usr/lib/cni /usr/lib/cni/host-local; }
  host_local ADD theirs1 | jq -e '.ips[0].address == "10.6.0.2/24"'
  netsetup up --network shared --config net.conflist "$NETNS/c1-$T" ours1 | jq -e '.ips[0].address == "10.6.0.3/24"'
  host_local ADD theirs2 | jq -e '.ips[0].address == "10.6.0.4/24"'
  netsetup down ours1
  [ ! -e leases/shared/10.6.0.3 ] && [ -e leases/shared/10.6.0.2 ]
  host_local DEL theirs1 && host_local DEL theirs2
  assert_host_clean
}

@test "a hundred at once get a hundred addresses and leave nothing" {
  local i
  for i in {1..100}; do container "p$i"; done
  for i in {1..100}; do
    ip netns exec "$HOST" netsetup --state-dir "$STATE" up --publish "$((10000 + i)):80" \
      "$NETNS/p$i-$T" "par$i" >"out$i" 3>&- &
  done
  for i in $(jobs -p); do wait "$i"; done
  [ "$(cat out* | jq -r '.ips[0].address' | sort -u | wc -l)" -eq 100 ]
  [ "$(netsetup ls | tail -n +2 | wc -l)" -eq 100 ]
  serve p77 80 seventy-seven
  [ "$(neighbour curl -sm 10 http://192.0.2.1:10077/)" = seventy-seven ]
  for i in {1..100}; do
    ip netns exec "$HOST" netsetup --state-dir "$STATE" down "par$i" 3>&- &
  done
  for i in $(jobs -p); do
    [[ " ${pids[*]} " == *" $i "* ]] || wait "$i"
  done
  assert_host_clean
}

# CNI as an engine calls it: environment and standard input.
plugin() { # COMMAND VERSION ID NAMESPACE [PORT]
  printf '{"cniVersion":"%s","name":"pods","type":"netsetup","bridge":"pods0","stateDir":"%s",
    "ipam":{"type":"host-local","subnet":"10.3.0.0/24"},"runtimeConfig":{"portMappings":[
    {"hostPort":%d,"containerPort":80,"protocol":"tcp"}]},"cni.dev/valid-attachments":[
    {"containerID":"keep","ifname":"eth0"}]}' "$2" "$STATE" "${5:-8080}" >config
  CNI_COMMAND=$1 CNI_CONTAINERID=$3 CNI_NETNS=$NETNS/$4-$T CNI_IFNAME=eth0 CNI_PATH=/x \
    CNI_ARGS='IgnoreUnknown=1;K8S_POD_NAME=p' on_host netsetup <config
}

@test "as a CNI plugin it speaks every version, up and down" {
  local version
  container c1
  for version in 0.1.0 0.2.0 0.3.0 0.3.1 0.4.0 1.0.0 1.1.0; do
    plugin ADD "$version" pod1 c1 >result
    jq -e --arg v "$version" '.cniVersion == $v and
      ((.ips // [{address: .ip4.ip}])[0].address | startswith("10.3.0."))' result
    [[ $version < 0.4.0 ]] || plugin CHECK "$version" pod1 c1
    plugin DEL "$version" pod1 c1
    plugin DEL "$version" pod1 c1
    eventually nothing_on_host pods0
  done
  plugin VERSION 1.1.0 '' c1 | jq -e '.supportedVersions | index("0.1.0") and index("1.1.0")'
  assert_host_clean
}

nothing_on_host() { [ ! -e "$STATE/networks" ] && ! on_host ip link show "$1" 2>/dev/null; }

@test "as a CNI plugin it reports errors as CNI does" {
  container c1 && container c2
  plugin ADD 1.1.0 pod1 c1 >result
  remember_host
  run -1 plugin ADD 1.1.0 pod2 c2
  jq -e '.code == 999 and (.msg | contains("pod1"))' <<<"$output"
  run -1 plugin ADD 9.9.9 pod2 c2 8081 && jq -e '.code == 1' <<<"$output"
  run -1 plugin GC 1.0.0 pod2 c2 && jq -e '.code == 1' <<<"$output"
  run -1 plugin ADD 1.1.0 '../x' c2 8081 && jq -e '.code == 4' <<<"$output"
  run -1 plugin ADD 1.1.0 '' c2 8081
  jq -e '.code == 4 and .msg == "required env variables [CNI_CONTAINERID] missing"' <<<"$output"
  run -1 plugin FROB 1.1.0 pod2 c2 && jq -e '.code == 4' <<<"$output"
  run -1 plugin CHECK 1.1.0 pod2 c2
  in_container c1 ip link set eth0 down
  run -1 plugin CHECK 1.1.0 pod1 c1 && jq -e '.msg | contains("eth0 is down")' <<<"$output"
  in_container c1 ip link set eth0 up
  run -1 env CNI_COMMAND=ADD CNI_CONTAINERID=a CNI_NETNS=/x CNI_IFNAME=eth0 netsetup <<<'{'
  jq -e '.code == 6' <<<"$output"
  run -1 env CNI_COMMAND=ADD CNI_CONTAINERID=a CNI_NETNS=/x CNI_IFNAME=eth0 netsetup \
    <<<'{"cniVersion":"1.0.0","name":"../x","type":"netsetup"}'
  jq -e '.code == 7' <<<"$output"
  plugin STATUS 1.1.0 x c1
  assert_host_as_remembered
}

@test "as a CNI plugin, GC removes what is not listed" {
  container c1 && container c2
  plugin ADD 1.1.0 gone c1 8081 >result
  plugin ADD 1.1.0 keep c2 8082 >result
  plugin GC 1.1.0 x c1
  [ "$(netsetup ls --json | jq -r '.[].id')" = keep ]
  plugin DEL 1.1.0 keep c2
  eventually nothing_on_host pods0
  assert_host_clean
}

@test "events tell who came and went" {
  container c1
  RUNC_LIKE_EVENTS=$PWD/events netsetup up --publish 8080:80 "$NETNS/c1-$T" web1
  RUNC_LIKE_EVENTS=$PWD/events netsetup down web1
  jq -se 'map(.event) == ["network-up", "network-down"] and .[0].data.addresses == ["10.89.0.2/24"] and
    .[0].id == "web1" and .[0].source == "netsetup"' events
}

@test "the example networks work" {
  container c1 && container c2
  local examples=$BATS_TEST_DIRNAME/../../contrib/netsetup
  netsetup up --network dual-stack --config "$examples/dual-stack.conflist" "$NETNS/c1-$T" one
  in_container c1 ip -6 route show default | grep -q 'via fd90:90:90::1'
  netsetup up --network internal --config "$examples/internal.conflist" "$NETNS/c2-$T" two
  [ -z "$(in_container c2 ip route show default)" ]
  netsetup down one
  netsetup down two
  assert_host_clean
}

@test "the manual names every option and every command" {
  local page=$BATS_TEST_DIRNAME/../../man/netsetup.8.md word
  for word in $(command netsetup --help | sed -n 's/^  \([a-z]\{2,\}\) .*/`\1`/p') \
    $(for verb in up down ls; do command netsetup "$verb" --help; done | grep -o -- '--[a-z-]*' | sort -u | sed 's/.*/`&`/'); do
    [[ $word == '`--help`' || $word == '`--version`' ]] || grep -qF "$word" "$page" || { echo "$word"; false; }
  done
}
