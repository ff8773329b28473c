// SPDX-License-Identifier: Apache-2.0
// forward_policy.h - living beside a firewall that drops what is forwarded.
//
// In nftables an accept is final only within its own chain: when docker or ufw
// set the policy of the iptables chain FORWARD to drop, no rule of our table
// can let a packet through. So there, and only there, our bridges are accepted
// by two rules of the form that iptables itself would write; our own chain
// still guards who may enter. What we cannot mend is reported in words.
#pragma once

#include <string>
#include <vector>

#include "common/result.h"

#include "network.h"

// Makes sure that `network` is let through; returns warnings for people.
Result<std::vector<std::string>> pass_forward_policy(const Network& network);
// Takes our rules for the bridge out again.
Result<void> forget_forward_policy(const std::string& bridge);
