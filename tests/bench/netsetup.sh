# SPDX-License-Identifier: Apache-2.0
# netsetup.sh - connecting and disconnecting a container with bridge, lease,
# masquerade and one published port: ours as a CNI plugin, the chain of the CNI
# plugins, netavark, and netlink_floor, which sends the bare messages. In network
# and mount namespaces of its own; nothing leaves the machine.

host_setup() {
  mkdir -p /run/netns && mount -t tmpfs netns /run/netns && mount -t sysfs sys /sys
  ip link set lo up
  echo 1 >/proc/sys/net/ipv4/ip_forward
}

cni() { # COMMAND ID: the environment that an engine sets
  printf '%s\n' "CNI_COMMAND=$1" "CNI_CONTAINERID=$2" "CNI_NETNS=/run/netns/$2" CNI_IFNAME=eth0 \
    CNI_PATH=/usr/lib/cni
}

ours_config() {
  cat <<JSON
{"cniVersion":"1.0.0","name":"ours","type":"netsetup","bridge":"ours0","stateDir":"$BENCH_TMP/ours",
 "ipam":{"type":"host-local","subnet":"10.201.0.0/16"},
 "runtimeConfig":{"portMappings":[{"hostPort":8080,"containerPort":80,"protocol":"tcp"}]}}
JSON
}

# The chain as an engine runs it: each plugin gets what the one before it printed.
# Written without jq, whose time would count for the plugins.
write_chain() {
  cat >"$BENCH_TMP/chain" <<CHAIN
#!/bin/bash
export CNI_COMMAND=\$1 CNI_CONTAINERID=\$2 CNI_NETNS=/run/netns/\$2 CNI_IFNAME=eth0 CNI_PATH=/usr/lib/cni
head='"cniVersion":"1.0.0","name":"chain"'
bridge='{'\$head',"type":"bridge","bridge":"chain0","isGateway":true,"ipMasq":true,"hairpinMode":true,
 "ipam":{"type":"host-local","subnet":"10.202.0.0/16","dataDir":"$BENCH_TMP/chain-leases","routes":[{"dst":"0.0.0.0/0"}]}'
port='{'\$head',"type":"portmap","runtimeConfig":{"portMappings":[{"hostPort":8081,"containerPort":80,"protocol":"tcp"}]}'
fire='{'\$head',"type":"firewall"'
saved=$BENCH_TMP/chain-result.\$2
if [ "\$1" = ADD ]; then
  r=\$(/usr/lib/cni/bridge <<<"\$bridge}") || exit
  r=\$(/usr/lib/cni/portmap <<<"\$port,\"prevResult\":\$r}") || exit
  r=\$(/usr/lib/cni/firewall <<<"\$fire,\"prevResult\":\$r}") || exit
  echo "\$r" >"\$saved"
else
  r=\$(<"\$saved")
  /usr/lib/cni/firewall <<<"\$fire,\"prevResult\":\$r}" && /usr/lib/cni/portmap <<<"\$port,\"prevResult\":\$r}" &&
    /usr/lib/cni/bridge <<<"\$bridge,\"prevResult\":\$r}"
fi
CHAIN
  chmod +x "$BENCH_TMP/chain"
}

write_netavark() {
  cat >"$BENCH_TMP/netavark.json" <<'JSON'
{"container_id":"b0b0b0b0b0b0","container_name":"bench","port_mappings":[
 {"container_port":80,"host_ip":"","host_port":8082,"protocol":"tcp","range":1}],
 "networks":{"bench":{"static_ips":["10.203.0.5"],"interface_name":"eth0"}},
 "network_info":{"bench":{"name":"bench","id":"53ce4390f2adb1681eb1a90ec8b48c49c015e0a8d336c197637e7f65e365fa9e",
 "driver":"bridge","network_interface":"bench0","subnets":[{"subnet":"10.203.0.0/16","gateway":"10.203.0.1"}],
 "ipv6_enabled":false,"internal":false,"dns_enabled":false,"ipam_options":{"driver":"host-local"}}}}
JSON
  mkdir -p "$BENCH_TMP/netavark"
}

floor_setup() {
  "$BENCH_FLOORS/netlink_floor" bridge floor0
  nft -f - <<'RULES'
table inet netlink_floor {
  map ports {
    type inet_proto . inet_service : ipv4_addr . inet_service
  }
  chain prerouting {
    type nat hook prerouting priority dstnat
    fib daddr type local dnat ip to meta l4proto . th dport map @ports
  }
}
RULES
}

# One comparison for ADD, one for DEL; what is not measured runs before or after.
compare_all() {
  local add del words_add words_del
  local ours="env CNI_IFNAME=eth0 CNI_PATH=/x CNI_CONTAINERID=o{n} CNI_NETNS=/run/netns/o{n}"
  local peer_netavark="$netavark --config $BENCH_TMP/netavark --file $BENCH_TMP/netavark.json"
  words_add=(ours -b 'ip netns add o{n}' -a "$ours CNI_COMMAND=DEL netsetup <$BENCH_TMP/ours.json; ip netns del o{n}"
    $ours CNI_COMMAND=ADD netsetup)
  words_del=(ours -b "ip netns add o{n}; $ours CNI_COMMAND=ADD netsetup <$BENCH_TMP/ours.json >/dev/null" -a 'ip netns del o{n}'
    $ours CNI_COMMAND=DEL netsetup)
  if have /usr/lib/cni/bridge /usr/lib/cni/portmap /usr/lib/cni/firewall iptables; then
    words_add+=(:: plugins -b 'ip netns add p{n}' -a "$BENCH_TMP/chain DEL p{n}; ip netns del p{n}" "$BENCH_TMP/chain" ADD 'p{n}')
    words_del+=(:: plugins -b "ip netns add p{n}; $BENCH_TMP/chain ADD p{n} >/dev/null" -a 'ip netns del p{n}' "$BENCH_TMP/chain" DEL 'p{n}')
  fi
  if have "$netavark"; then
    words_add+=(:: netavark -b 'ip netns add n{n}' -a "$peer_netavark teardown /run/netns/n{n}; ip netns del n{n}"
      $peer_netavark setup '/run/netns/n{n}')
    words_del+=(:: netavark -b "ip netns add n{n}; $peer_netavark setup /run/netns/n{n} >/dev/null" -a 'ip netns del n{n}'
      $peer_netavark teardown '/run/netns/n{n}')
  fi
  words_add+=(:: floor -b 'ip netns add f{n}' -a "$BENCH_FLOORS/netlink_floor del floor0 {n}; ip netns del f{n}"
    "$BENCH_FLOORS/netlink_floor" add floor0 '/run/netns/f{n}' '{n}')
  words_del+=(:: floor -b "ip netns add f{n}; $BENCH_FLOORS/netlink_floor add floor0 /run/netns/f{n} {n}" -a 'ip netns del f{n}'
    "$BENCH_FLOORS/netlink_floor" del floor0 '{n}')
  compare 'ADD' -r 30 -w 2 -s 25 -i "$BENCH_TMP/ours.json" -- "${words_add[@]}"
  compare 'DEL' -r 30 -w 2 -s 25 -i "$BENCH_TMP/ours.json" -- "${words_del[@]}"
}

# Milliseconds of `up` for each of 500 containers on one bridge, each with a port.
five_hundred() {
  local i start times=$BENCH_TMP/times
  for ((i = 1; i <= 500; i++)); do ip netns add "h$i"; done
  for ((i = 1; i <= 500; i++)); do
    start=${EPOCHREALTIME/./}
    netsetup --state-dir "$BENCH_TMP/many" up --network many --subnet 10.204.0.0/16 \
      --publish "$((10000 + i)):80" "/run/netns/h$i" "h$i" >/dev/null || return
    echo "$((${EPOCHREALTIME/./} - start))"
  done >"$times"
  middle() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] / 1000 }'; }
  record 'up on one bridge' 'containers 2-26' median_ms "$(sed -n 2,26p "$times" | middle)"
  record 'up on one bridge' 'containers 476-500' median_ms "$(tail -n 25 "$times" | middle)"
}

parallel_hundred() {
  local i start
  for ((i = 1; i <= 100; i++)); do ip netns add "q$i"; done
  start=${EPOCHREALTIME/./}
  for ((i = 1; i <= 100; i++)); do
    netsetup --state-dir "$BENCH_TMP/par" up --network par --subnet 10.205.0.0/16 \
      --publish "$((20000 + i)):80" "/run/netns/q$i" "q$i" >/dev/null &
  done
  wait
  record '100 at once' ours per_second "$((100000000 / (${EPOCHREALTIME/./} - start)))"
}

main() {
  local netavark=/usr/lib/podman/netavark
  host_setup && floor_setup
  ours_config >"$BENCH_TMP/ours.json"
  write_chain && write_netavark
  # A network in use, as on a host that runs containers.
  ip netns add anchor
  sed 's/8080/8999/' "$BENCH_TMP/ours.json" | env $(cni ADD anchor) netsetup >/dev/null
  compare_all
  five_hundred
  parallel_hundred
}

if [ -n "${BENCH_INSIDE:-}" ]; then
  main
else
  BENCH_INSIDE=1 unshare -nm --propagation private bash -u -c '. ./lib.bash && . ./netsetup.sh'
  for verb in ADD DEL; do
    budget "$verb: bridge, lease, masquerade, one port" \
      "$(over "$(figure $verb ours median_ms)" "$(figure $verb plugins median_ms)")" '<=' 0.05 'x CNI plugins'
    budget "$verb, the same" "$(over "$(figure $verb ours median_ms)" "$(figure $verb netavark median_ms)")" \
      '<=' 0.1 'x netavark'
  done
  budget 'the 500th container on a bridge' "$(over "$(figure 'up on one bridge' 'containers 476-500' median_ms)" \
    "$(figure 'up on one bridge' 'containers 2-26' median_ms)")" '<=' 1.2 'x the first'
fi
