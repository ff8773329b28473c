// SPDX-License-Identifier: Apache-2.0
// firewall.h - our nftables table: what is in it, and how containers enter and leave it.
//
// The rules are fixed. Networks and published ports are elements of sets and
// maps, so that the last container costs what the first did, and the kernel
// itself refuses a port that somebody else has. Every published port has a
// second element that names its owner; both go in one transaction, so nobody
// can remove what belongs to another.
#pragma once

#include <string>
#include <vector>

#include "member.h"
#include "network.h"
#include "nft.h"

class Firewall {
 public:
  static Result<Firewall> open();

  // The member's network and ports, in one transaction.
  Result<void> add(const Network& network, const Member& member) const;
  // The table, the network and the ports of all its members, whatever is left of them.
  Result<void> restore(const Network& network, const std::vector<Member>& members) const;
  // What is not there, or is somebody else's, is left alone.
  Result<void> remove_ports(const Member& member) const;
  // With the last network the table goes too.
  Result<void> remove_network(const std::string& bridge) const;

  Result<std::vector<PublishedPort>> missing_ports(const Member& member) const;
  // The member's ports without those that its container has in another network.
  Result<std::vector<PublishedPort>> without_own(const Member& member) const;
  // The members (owner_of) that have elements, and the bridges.
  Result<std::vector<Member>> published() const;
  Result<std::vector<std::string>> bridges() const;
  Result<std::vector<std::string>> guarded() const;

 private:
  explicit Firewall(NetlinkSocket socket) : socket_(std::move(socket)) {}
  Result<void> refuse_taken(const Member& member) const;
  Error explain(Error error, const Member& member) const;
  Result<void> remove_table_if_unused() const;
  NetlinkSocket socket_;
};

// The transaction that Firewall::add sends; `whole` creates the table as well.
NetlinkBatch firewall_batch(const Network& network, const Member& member, bool whole);
