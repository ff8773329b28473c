// SPDX-License-Identifier: Apache-2.0
// firewall_table.h - the fixed part of our nftables table: sets, chains, rules.
#pragma once

#include <string_view>

#include "nft.h"

inline constexpr NftTable kTable{kFamilyInet, "netsetup"};

// Interfaces: all our bridges; those that only members and published ports may
// enter; those whose containers leave with the host's address; and
// (where from . bridge) for traffic that stays on one bridge.
inline constexpr std::string_view kBridges = "bridges";
inline constexpr std::string_view kGuarded = "guarded";
inline constexpr std::string_view kMasquerading = "masquerading";
inline constexpr std::string_view kPairs = "pairs";
// Published ports: on one address of the host, and on all.
inline constexpr std::string_view kPorts4 = "ports4";
inline constexpr std::string_view kPorts6 = "ports6";
inline constexpr std::string_view kAnyPorts4 = "anyports4";
inline constexpr std::string_view kAnyPorts6 = "anyports6";
inline constexpr std::string_view kOwners4 = "owners4";
inline constexpr std::string_view kOwners6 = "owners6";

// Table, sets, chains and rules, for a transaction. A table that exists already
// ends up the same.
void add_table(NetlinkBatch& batch);
