// SPDX-License-Identifier: Apache-2.0
// attachment.h - connecting a container's network namespace to a network, and undoing it.
//
// Order of `attach`: lease, record, firewall, bridge, veth, inside, names. The
// record comes before anything that the kernel keeps, so `detach` (which every
// failure ends in) and `gc` know what to undo, wherever we were stopped.
#pragma once

#include <string>
#include <vector>

#include "link.h"
#include "member.h"
#include "name_server.h"
#include "network.h"
#include "network_choice.h"
#include "store.h"

struct AttachRequest {
  std::string id;
  std::string interface = "eth0";
  std::string netns;  // path
  std::vector<PublishedPort> ports = {};
  std::string name = {};
  std::vector<std::string> aliases = {};
  std::string hosts_file = {};
  std::vector<IpAddress> addresses = {};  // wanted; else the next free ones
  std::optional<MacAddress> mac = {};
  // An engine that holds the host's ports itself, and asks for the same ones with
  // each network that the container joins: the first network has them.
  bool engine_has_ports = false;
  std::vector<std::string> server_names = {};
  std::optional<NameServer> server = {};
};

struct Attached {
  Member member;
  MacAddress bridge_mac = {};
  std::uint32_t mtu = 0;
  std::vector<std::string> warnings = {};  // for people
};

// All of these take the store's lock.
Result<Attached> attach(const Store& store, const NetworkRequest& network,
                        const AttachRequest& request);
Result<Attached> attach_to(const Store& store, const Network& network,
                           const AttachRequest& request);
// The operations that attach would carry out, one per line, without any of them.
Result<std::string> describe_attach(const Store& store, const NetworkRequest& network,
                                    const AttachRequest& request);
// One network, or all with ""; one interface, or all with "". How many there were.
Result<std::size_t> detach(const Store& store, const std::string& id, const std::string& network,
                           const std::string& interface);

struct Garbage {
  std::vector<std::string> removed;  // in words
};
// Removes what no living container owns: members whose interface is gone, and
// interfaces, leases and ports without a member.
Result<Garbage> collect_garbage(const Store& store);

// What differs between the record and the kernel, in words; empty when nothing does.
Result<std::vector<std::string>> check(const Store& store, const Member& member);
