// SPDX-License-Identifier: Apache-2.0
// network_choice.h - which network a name means: a configuration list, one that
// exists already, or a new one with the next free subnet.
#pragma once

#include <optional>
#include <string>

#include "link.h"
#include "network.h"
#include "store.h"

struct NetworkRequest {
  std::string name = "default";
  std::string config = {};          // file; else /etc/netsetup/NAME.conflist where that exists
  std::optional<Cidr> subnet = {};  // instead of the next free one
  std::string bridge = {};          // likewise
};

// Reads only; the caller saves what is new. The store must be locked.
Result<Network> choose_network(const Store& store, const NetlinkSocket& route,
                               const NetworkRequest& request);
// For a network that comes as a whole (a CNI configuration): itself, unless it
// contradicts the one of that name or overlaps another.
Result<Network> accept_network(const Store& store, const NetlinkSocket& route, Network network);
