// SPDX-License-Identifier: Apache-2.0
// member.h - one attachment of a container to a network, as remembered on disk.
// The record is written before anything is done, and holds all that undoing
// needs; whatever kills us in between, `down` and `gc` find it. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "address.h"
#include "link.h"
#include "network.h"
#include "port.h"

struct MemberAddress {
  Cidr address;  // with the length of the network's prefix
  std::optional<IpAddress> gateway = {};
};

struct Member {
  std::string id;  // of the container
  std::string network;
  std::string interface = "eth0";  // in the container
  std::string bridge = {};
  std::string netns = {};  // path
  std::string host_interface = {};
  MacAddress mac = {};
  std::vector<MemberAddress> addresses = {};
  std::vector<NetworkRoute> routes = {};
  std::vector<PublishedPort> ports = {};
  std::string name = {};  // by which others find it
  std::vector<std::string> aliases = {};
  std::vector<std::string> server_names = {};  // by which a name server knows it
  std::string server_directory = {};           // that server's files, or empty
  std::string hosts_file = {};                 // absolute path, or empty
  bool hosts_file_created = false;             // by us
};

std::string owner_of(const Member& member);  // "NETWORK/ID/INTERFACE"
// The same for the same owner, so that a second attempt meets the first.
std::string host_interface_name(const Member& member, unsigned attempt);

std::string to_json(const Member& member);
Result<Member> parse_member(const std::string& source, std::string_view text);
