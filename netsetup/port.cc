// SPDX-License-Identifier: Apache-2.0
#include "port.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "common/cli.h"
#include "common/fd.h"

namespace {

struct Protocol {
  std::string_view name;
  std::uint8_t number;
};
constexpr auto kProtocols = std::to_array<Protocol>({
    {"sctp", IPPROTO_SCTP},
    {"tcp", IPPROTO_TCP},
    {"udp", IPPROTO_UDP},
});

struct PortRange {
  std::uint16_t first = 0;
  std::uint16_t last = 0;
};

std::optional<std::uint16_t> parse_port(std::string_view text) {
  const auto number = parse_integer(text);
  if (!number || *number < 1 || *number > 65535) return std::nullopt;
  return static_cast<std::uint16_t>(*number);
}

std::optional<PortRange> parse_range(std::string_view text) {
  const auto dash = text.find('-');
  const auto first = parse_port(text.substr(0, dash));
  const auto last = dash == std::string_view::npos ? first : parse_port(text.substr(dash + 1));
  if (!first || !last || *last < *first) return std::nullopt;
  return PortRange{*first, *last};
}

struct Parts {
  std::string_view address;
  std::string_view host;
  std::string_view container;
};

// The address may be in brackets, and an IPv6 one must be.
std::optional<Parts> split(std::string_view text) {
  Parts out;
  if (text.starts_with('[')) {
    const auto close = text.find("]:");
    if (close == std::string_view::npos) return std::nullopt;
    out.address = text.substr(1, close - 1);
    text.remove_prefix(close + 2);
  } else if (std::ranges::count(text, ':') == 2) {
    out.address = text.substr(0, text.find(':'));
    text.remove_prefix(out.address.size() + 1);
    if (out.address.empty()) out.address = "0.0.0.0";
  }
  const auto colon = text.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  out.host = text.substr(0, colon);
  out.container = text.substr(colon + 1);
  return out;
}

}  // namespace

std::string_view protocol_name(std::uint8_t protocol) {
  const auto it = std::ranges::find(kProtocols, protocol, &Protocol::number);
  return it == kProtocols.end() ? std::string_view("?") : it->name;
}

Result<std::uint8_t> parse_protocol(std::string_view name) {
  const auto it = std::ranges::find(kProtocols, name, &Protocol::name);
  if (it == kProtocols.end())
    return Error{"unknown protocol '" + std::string(name) + "'", 0, "use tcp, udp or sctp"};
  return it->number;
}

std::string PublishedPort::host_text() const {
  std::string out;
  if (host_address)
    out = (host_address->family == AF_INET6 ? "[" + host_address->text() + "]"
                                            : host_address->text()) +
          ":";
  return out + std::to_string(host_port) + "/" + std::string(protocol_name(protocol));
}

std::string PublishedPort::text() const {
  std::string out = host_text();
  const auto slash = out.find('/');
  return out.substr(0, slash) + "->" + std::to_string(container_port) + out.substr(slash);
}

Result<std::vector<PublishedPort>> parse_publish(std::string_view text) {
  const std::string quoted = "publish '" + std::string(text) + "'";
  const std::string hint = "write it as [HOSTIP:]HOSTPORT:CONTAINERPORT[/tcp|udp|sctp]";
  const auto slash = text.find('/');
  const std::string_view protocol =
      slash == std::string_view::npos ? "tcp" : text.substr(slash + 1);
  auto number = parse_protocol(protocol);
  if (!number) return std::move(number).error().in(quoted);
  const auto parts = split(text.substr(0, slash));
  if (!parts) return Error{quoted, 0, hint};
  PublishedPort port;
  port.protocol = *number;
  if (!parts->address.empty()) {
    auto address = parse_address(parts->address);
    if (!address) return std::move(address).error().in(quoted);
    if (!address->is_unspecified()) port.host_address = *address;
  }
  const auto host = parse_range(parts->host);
  const auto container = parse_range(parts->container);
  if (!host || !container)
    return Error{quoted + ": a port is a number from 1 to 65535, a range FIRST-LAST", 0, hint};
  if (host->last - host->first != container->last - container->first)
    return Error{quoted + ": the two ranges have different lengths"};
  std::vector<PublishedPort> out;
  for (int i = 0; i <= host->last - host->first; ++i) {
    port.host_port = static_cast<std::uint16_t>(host->first + i);
    port.container_port = static_cast<std::uint16_t>(container->first + i);
    out.push_back(port);
  }
  return out;
}

namespace {

int socket_type(std::uint8_t protocol) {
  if (protocol == IPPROTO_UDP) return SOCK_DGRAM;
  return protocol == IPPROTO_SCTP ? SOCK_SEQPACKET : SOCK_STREAM;
}

int bind_to(FdRef fd, const IpAddress& address, std::uint16_t port) {
  if (address.family == AF_INET) {
    sockaddr_in at = {};
    at.sin_family = AF_INET;
    at.sin_port = htons(port);
    std::memcpy(&at.sin_addr, address.bytes.data(), sizeof at.sin_addr);
    return ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at);
  }
  sockaddr_in6 at = {};
  at.sin6_family = AF_INET6;
  at.sin6_port = htons(port);
  std::memcpy(&at.sin6_addr, address.bytes.data(), sizeof at.sin6_addr);
  return ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at);
}

}  // namespace

Result<void> probe_host_port(const PublishedPort& port, int family) {
  const UniqueFd fd(::socket(family, socket_type(port.protocol) | SOCK_CLOEXEC, port.protocol));
  // A host without the protocol (sctp, IPv6) has no socket that could be in the way.
  if (!fd) return {};
  const int on = 1;
  // Of TCP only a listener is in the way, not a connection that is waiting to
  // end; UDP has no such difference, and there the option would hide the conflict.
  if (port.protocol == IPPROTO_TCP)
    (void)::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (family == AF_INET6) (void)::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  const IpAddress address = port.host_address.value_or(IpAddress{family, {}});
  if (bind_to(fd, address, port.host_port) == 0) return {};
  const int why = errno;
  const std::string what = "publish port " + port.host_text();
  if (why == EADDRINUSE)
    return Error{what + ": a program of this host uses the port", why,
                 "choose another host port, or stop the program (ss -lntup shows it)"};
  if (why == EADDRNOTAVAIL)
    return Error{what + ": the host has no address " + address.text(), why,
                 "publish on an address of this host"};
  return Error{what, why};
}
