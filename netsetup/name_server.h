// SPDX-License-Identifier: Apache-2.0
// name_server.h - names by a server, for engines that ask one: aardvark-dns answers on
// the networks' gateways, and we keep its files as netavark would.
//
//   DIRECTORY/NETWORK (NETWORK%int: nothing is asked of the outside)
//     first line: gateways[ servers to forward to], lists with commas
//     per member: ID ADDRESSES4 ADDRESSES6 NAMES[ servers of its own]
#pragma once

#include <string>
#include <vector>

#include "member.h"

struct NameServer {
  std::string directory;
  std::string program;  // aardvark-dns
  bool internal = false;
  std::vector<std::string> forwarders = {};         // of the network
  std::vector<std::string> member_forwarders = {};  // of this member
};

// The distribution's aardvark-dns, or empty.
std::string find_name_server();

// A member's line; empty when it has no name that fits there. Pure.
std::string name_line(const Member& member, const std::vector<std::string>& forwarders);

// Makes the member's names known; starts the server when it does not run.
Result<void> announce(const NameServer& server, const Member& member);
// Forgets them; no error when nobody knows them.
Result<void> withdraw(const Member& member);
// Who is asked for names of the outside, for all members of a network.
Result<void> set_forwarders(const std::string& directory, const std::string& network,
                            const std::vector<std::string>& forwarders);
