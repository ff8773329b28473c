// SPDX-License-Identifier: Apache-2.0
#include "address.h"

#include <arpa/inet.h>

#include <charconv>

std::string_view IpAddress::raw() const {
  return {reinterpret_cast<const char*>(bytes.data()), size()};
}

std::string IpAddress::text() const {
  std::array<char, INET6_ADDRSTRLEN> out = {};
  (void)::inet_ntop(family, bytes.data(), out.data(), out.size());
  return out.data();
}

bool IpAddress::is_loopback() const {
  if (family == AF_INET) return bytes[0] == 127;
  IpAddress one{AF_INET6, {}};
  one.bytes[15] = 1;
  return *this == one;
}

bool IpAddress::is_unspecified() const {
  return bytes == std::array<std::uint8_t, 16>{};
}

Result<IpAddress> parse_address(std::string_view text) {
  const std::string copy(text);
  IpAddress out;
  out.family = copy.find(':') == std::string::npos ? AF_INET : AF_INET6;
  if (copy.find('\0') != std::string::npos ||
      ::inet_pton(out.family, copy.c_str(), out.bytes.data()) != 1)
    return Error{"'" + copy + "' is no IP address"};
  return out;
}

std::optional<IpAddress> next_address(const IpAddress& address) {
  IpAddress out = address;
  for (std::size_t i = out.size(); i-- > 0;)
    if (++out.bytes[i] != 0) return out;
  return std::nullopt;
}

std::optional<IpAddress> previous_address(const IpAddress& address) {
  IpAddress out = address;
  for (std::size_t i = out.size(); i-- > 0;)
    if (out.bytes[i]-- != 0) return out;
  return std::nullopt;
}

namespace {

// Every bit from `length` on becomes `bit`.
IpAddress with_host_bits(IpAddress address, int length, bool bit) {
  for (std::size_t i = 0; i < address.size(); ++i) {
    const int kept = std::min(8, std::max(0, length - static_cast<int>(i) * 8));
    const auto mask = static_cast<std::uint8_t>(0xff >> kept);
    address.bytes[i] = static_cast<std::uint8_t>(
        bit ? (address.bytes[i] | mask) : (address.bytes[i] & static_cast<std::uint8_t>(~mask)));
  }
  return address;
}

}  // namespace

IpAddress Cidr::first() const {
  return with_host_bits(address, length, false);
}
IpAddress Cidr::last() const {
  return with_host_bits(address, length, true);
}

bool Cidr::contains(const IpAddress& other) const {
  return other.family == address.family && with_host_bits(other, length, false) == first();
}

Result<Cidr> parse_cidr(std::string_view text) {
  const auto slash = text.find('/');
  const Error wrong{"'" + std::string(text) + "' is no address with a prefix length", 0,
                    "write it as 10.1.0.0/24"};
  if (slash == std::string_view::npos) return wrong;
  auto address = parse_address(text.substr(0, slash));
  if (!address) return wrong;
  Cidr out{*address, 0};
  const std::string_view digits = text.substr(slash + 1);
  const auto [end, failed] =
      std::from_chars(digits.data(), digits.data() + digits.size(), out.length);
  if (failed != std::errc() || end != digits.data() + digits.size() || out.length < 0 ||
      out.length > static_cast<int>(address->size()) * 8)
    return wrong;
  return out;
}

bool overlaps(const Cidr& a, const Cidr& b) {
  return a.contains(b.first()) || b.contains(a.first());
}
