// SPDX-License-Identifier: Apache-2.0
// netavark_request.h - what podman asks of its network helper: one container and its
// networks, on standard input. Unknown members are passed over, since every version
// of podman has more of them; an option that would be without effect is refused.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "attachment.h"

struct NetavarkNetwork {
  Network network;
  AttachRequest attach;
  bool names = false;  // members find one another by name
  bool internal = false;
};

struct NetavarkRequest {
  std::string id;
  std::vector<NetavarkNetwork> networks;  // by interface: eth0 first
};

Result<NetavarkRequest> read_netavark_request(std::string_view input, const std::string& netns);

// Network and interface of each of the container's attachments.
Result<std::vector<std::pair<std::string, std::string>>> netavark_attachments(const JsonView& root);
