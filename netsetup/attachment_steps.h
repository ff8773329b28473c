// SPDX-License-Identifier: Apache-2.0
// attachment_steps.h - what attaching, detaching, checking and collecting share.
// The store is locked by whoever calls these.
#pragma once

#include <string>

#include "attachment.h"

// "netsetup:TAG:NETWORK/ID/INTERFACE", TAG for the state directory: the mark on an
// interface of the host, by which it is found when every record is lost.
std::string alias_of(const Store& store, const Member& member);
std::string alias_of_bridge(const Store& store, const std::string& network);
std::string alias_prefix(const Store& store);

// The bridge, there and up, with the gateway's addresses.
Result<Link> ensure_bridge(const Store& store, const NetlinkSocket& route, const Network& network);

// Clients of 127.0.0.1 are routed to the bridge; the table's guard keeps others out.
Result<void> allow_localhost(const NetlinkSocket& route, const Link& bridge, const Member& member);

// Publishes ports of a member that is connected already, all of them or none. A port
// that the same container has by another of its networks stays there.
Result<void> publish(const Store& store, const Network& network, Member member,
                     const std::vector<PublishedPort>& ports);
Result<void> unpublish(const Store& store, Member member);

// Brings the hosts files of all members up to date.
Result<void> refresh_hosts(const Store& store, const std::string& network);

// Undoes all of one attachment; what is gone already is no error. Can be repeated.
Result<void> take_down(const Store& store, const NetlinkSocket& route, const Member& member);
// The part of it that is ours alone: addresses, record, names.
Result<void> forget_member(const Store& store, const Member& member);
// The network that nobody is in any more.
Result<void> take_down_network(const Store& store, const NetlinkSocket& route,
                               const std::string& network, const std::string& bridge);
