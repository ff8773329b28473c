// SPDX-License-Identifier: Apache-2.0
// address.h - IPv4 and IPv6 addresses and prefixes: parsing, printing, arithmetic.
// Pure values; no system call.
#pragma once

#include <sys/socket.h>

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/result.h"

struct IpAddress {
  int family = AF_INET;                     // AF_INET or AF_INET6
  std::array<std::uint8_t, 16> bytes = {};  // network order; IPv4 uses the first four

  std::size_t size() const { return family == AF_INET ? 4 : 16; }
  std::string_view raw() const;  // the bytes as they stand in a packet
  std::string text() const;
  bool is_loopback() const;
  bool is_unspecified() const;
  friend auto operator<=>(const IpAddress&, const IpAddress&) = default;
};

Result<IpAddress> parse_address(std::string_view text);

// The neighbour one up or down; nothing beyond either end of the family's space.
std::optional<IpAddress> next_address(const IpAddress& address);
std::optional<IpAddress> previous_address(const IpAddress& address);

// An address with the length of its prefix: an interface address ("10.1.0.5/24"),
// or a network when no bit beyond the prefix is set.
struct Cidr {
  IpAddress address;
  int length = 0;

  std::string text() const { return address.text() + "/" + std::to_string(length); }
  bool contains(const IpAddress& other) const;
  bool is_network() const { return address == first(); }
  IpAddress first() const;  // all host bits zero: the network itself
  IpAddress last() const;   // all host bits one: the IPv4 broadcast address
  friend bool operator==(const Cidr&, const Cidr&) = default;
};

Result<Cidr> parse_cidr(std::string_view text);
bool overlaps(const Cidr& a, const Cidr& b);
