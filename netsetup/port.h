// SPDX-License-Identifier: Apache-2.0
// port.h - published ports: "8080:80", "127.0.0.1:5353:53/udp", "[::1]:8000-8009:80-89".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "address.h"

struct PublishedPort {
  std::optional<IpAddress> host_address = {};  // absent: every address of the host
  std::uint16_t host_port = 0;
  std::uint16_t container_port = 0;
  std::uint8_t protocol = 6;  // IPPROTO_TCP, _UDP or _SCTP

  std::string text() const;       // "127.0.0.1:8080->80/tcp"
  std::string host_text() const;  // "127.0.0.1:8080/tcp" or "8080/tcp"
  friend bool operator==(const PublishedPort&, const PublishedPort&) = default;
};

std::string_view protocol_name(std::uint8_t protocol);
Result<std::uint8_t> parse_protocol(std::string_view name);

// [HOSTIP:]HOST[-LAST]:CONTAINER[-LAST][/PROTOCOL]; a range gives one entry per port.
Result<std::vector<PublishedPort>> parse_publish(std::string_view text);

// Refuses a port that a socket of this host is bound to already: published, it
// would take that socket's traffic without a word. (A socket that is bound
// later does not see the traffic either; nothing holds the port.)
Result<void> probe_host_port(const PublishedPort& port, int family);
