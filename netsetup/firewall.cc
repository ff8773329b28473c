// SPDX-License-Identifier: Apache-2.0
#include "firewall.h"

#include <arpa/inet.h>
#include <linux/netlink.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <span>

#include "firewall_table.h"
#include "hash.h"

namespace {

std::string be16(std::uint16_t value) {
  return {static_cast<char>(value >> 8), static_cast<char>(value & 0xff), '\0', '\0'};
}

std::string interface_key(const std::string& name) {
  std::string out = name;
  out.resize(16, '\0');
  return out;
}

std::string protocol_key(std::uint8_t protocol) {
  return {static_cast<char>(protocol), '\0', '\0', '\0'};
}

NftElement interface_element(std::string_view set, const std::string& bridge) {
  NftElement out;
  out.set = set;
  out.key = interface_key(bridge);
  out.text = "\"" + bridge + "\"";
  return out;
}

NftElement pair_element(const std::string& from, const std::string& bridge) {
  NftElement out;
  out.set = kPairs;
  out.key = interface_key(from) + interface_key(bridge);
  out.text = "\"" + from + "\" . \"" + bridge + "\"";
  return out;
}

std::vector<NftElement> network_elements(const std::string& bridge) {
  return {interface_element(kBridges, bridge), pair_element(bridge, bridge),
          // Traffic of the host itself has no interface that it came from.
          pair_element("", bridge), interface_element(kGuarded, bridge),
          interface_element(kMasquerading, bridge)};
}

std::vector<NftElement> wanted_network_elements(const Network& network) {
  auto out = network_elements(network.bridge);
  std::erase_if(out, [&](const NftElement& element) {
    return (element.set == kGuarded && !network.isolated) ||
           (element.set == kMasquerading && !network.masquerade);
  });
  return out;
}

// The container's address that serves a port: of the family that was asked for,
// else the first of each family.
std::vector<IpAddress> targets(const Member& member, const PublishedPort& port) {
  std::vector<IpAddress> out;
  for (const int family : {AF_INET, AF_INET6}) {
    if (port.host_address && port.host_address->family != family) continue;
    const auto it = std::ranges::find(member.addresses, family, [](const MemberAddress& one) {
      return one.address.address.family;
    });
    if (it != member.addresses.end()) out.push_back(it->address.address);
  }
  return out;
}

std::string port_key(const PublishedPort& port) {
  return protocol_key(port.protocol) + be16(port.host_port);
}

NftElement port_element(const Member& member, const PublishedPort& port, const IpAddress& target) {
  const bool v4 = target.family == AF_INET;
  NftElement out;
  out.set = port.host_address ? (v4 ? kPorts4 : kPorts6) : (v4 ? kAnyPorts4 : kAnyPorts6);
  if (port.host_address) out.key = port.host_address->raw();
  out.key += port_key(port);
  out.data = std::string(target.raw()) + be16(port.container_port);
  out.comment = owner_of(member);
  out.text = (port.host_address ? port.host_address->text() + " . " : "") +
             std::string(protocol_name(port.protocol)) + " . " + std::to_string(port.host_port) +
             " : " + target.text() + " . " + std::to_string(port.container_port);
  return out;
}

NftElement owner_element(const Member& member, const PublishedPort& port, int family) {
  NftElement out;
  out.set = family == AF_INET ? kOwners4 : kOwners6;
  const std::uint32_t owner = hash32(owner_of(member));
  out.key.assign(reinterpret_cast<const char*>(&owner), sizeof owner);
  const IpAddress address = port.host_address.value_or(IpAddress{family, {}});
  out.key += address.raw();
  out.key += port_key(port);
  out.comment = owner_of(member);
  out.text = std::to_string(owner) + " . " + address.text() + " . " +
             std::string(protocol_name(port.protocol)) + " . " + std::to_string(port.host_port);
  return out;
}

using Group = std::vector<NftElement>;  // what goes together or not at all

std::vector<Group> port_groups(const Member& member) {
  std::vector<Group> out;
  for (const PublishedPort& port : member.ports)
    for (const IpAddress& target : targets(member, port))
      out.push_back(
          {port_element(member, port, target), owner_element(member, port, target.family)});
  return out;
}

// All in one transaction; when some are not there, each group in its own.
Result<void> remove_groups(const NetlinkSocket& socket, const std::vector<Group>& groups) {
  if (groups.empty()) return {};
  const auto attempt = [&](std::span<const Group> some) {
    NetlinkBatch batch = nft_begin();
    for (const Group& group : some)
      for (const NftElement& element : group) nft_delete_element(batch, kTable, element);
    nft_end(batch);
    return socket.transact(batch);
  };
  auto removed = attempt(groups);
  if (removed) return {};
  if (removed.error().code != ENOENT) return removed;
  for (const Group& group : groups) {
    auto one = attempt({&group, 1});
    if (!one && one.error().code != ENOENT) return one;
  }
  return {};
}

Result<std::vector<NftElement>> list(const NetlinkSocket& socket, std::string_view set) {
  auto replies = socket.query(nft_list_elements(kTable, set));
  if (!replies && replies.error().code == ENOENT) return std::vector<NftElement>();
  const auto found = TRY(std::move(replies));
  return nft_read_elements(found);
}

Result<std::optional<NftElement>> find(const NetlinkSocket& socket, const NftElement& element) {
  auto replies = socket.query(nft_get_element(kTable, element));
  if (!replies && replies.error().code == ENOENT) return std::optional<NftElement>();
  const auto answer = TRY(std::move(replies));
  auto found = nft_read_elements(answer);
  if (found.empty()) return std::optional<NftElement>();
  return std::optional<NftElement>(std::move(found.front()));
}

Error taken(const PublishedPort& port, const std::string& owner) {
  const auto slash = owner.find('/');
  const std::string id = slash == std::string::npos
                             ? owner
                             : owner.substr(slash + 1, owner.find('/', slash + 1) - slash - 1);
  return Error{"publish port " + port.host_text() + ": container '" + id + "' (network '" +
                   owner.substr(0, slash) + "') has it already",
               EADDRINUSE, "choose another host port, or take that container down"};
}

}  // namespace

NetlinkBatch firewall_batch(const Network& network, const Member& member, bool whole) {
  NetlinkBatch batch = nft_begin();
  if (whole) add_table(batch);
  for (const NftElement& element : wanted_network_elements(network))
    nft_add_element(batch, kTable, element);
  for (const Group& group : port_groups(member))
    for (const NftElement& element : group) nft_add_element(batch, kTable, element);
  nft_end(batch);
  return batch;
}

Result<Firewall> Firewall::open() {
  NetlinkSocket socket = TRY(NetlinkSocket::open(NETLINK_NETFILTER));
  return Firewall(std::move(socket));
}

// A port on one address and the same port on all addresses are different keys,
// which the kernel takes for different things; to a client they are the same.
Result<void> Firewall::refuse_taken(const Member& member) const {
  for (const PublishedPort& port : member.ports) {
    for (const IpAddress& target : targets(member, port)) {
      const bool v4 = target.family == AF_INET;
      if (port.host_address) {
        PublishedPort anywhere = port;
        anywhere.host_address.reset();
        const auto found = TRY(find(socket_, port_element(member, anywhere, target)));
        if (found) return taken(port, found->comment);
        continue;
      }
      const auto specific = TRY(list(socket_, v4 ? kPorts4 : kPorts6));
      for (const NftElement& element : specific)
        if (element.key.substr(target.size()) == port_key(port))
          return taken(port, element.comment);
    }
  }
  return {};
}

Error Firewall::explain(Error error, const Member& member) const {
  if (error.code == EOPNOTSUPP || error.code == EAFNOSUPPORT || error.code == EPROTONOSUPPORT)
    return std::move(error).with_hint(
        "the kernel lacks nf_tables or a part of it (nft_nat, nft_masq, nft_fib, nft_ct)");
  if (error.code != EEXIST) return error;
  for (const PublishedPort& port : member.ports)
    for (const IpAddress& target : targets(member, port)) {
      const NftElement ours = port_element(member, port, target);
      const auto found = find(socket_, ours);
      if (found && *found && ((*found)->data != ours.data || (*found)->comment != ours.comment))
        return taken(port, (*found)->comment);
    }
  return error;
}

Result<void> Firewall::add(const Network& network, const Member& member) const {
  TRY(refuse_taken(member));
  auto added = socket_.transact(firewall_batch(network, member, false));
  if (!added && added.error().code == ENOENT)  // no table yet
    added = socket_.transact(firewall_batch(network, member, true));
  if (added) return {};
  return explain(std::move(added).error(), member);
}

// The rules are renewed with the first, since a flush of the table alone takes them
// and leaves the rest.
Result<void> Firewall::restore(const Network& network, const std::vector<Member>& members) const {
  bool whole = true;
  for (const Member& member : members) {
    auto added = socket_.transact(firewall_batch(network, member, whole));
    if (!added) return explain(std::move(added).error(), member);
    whole = false;
  }
  return {};
}

Result<void> Firewall::remove_ports(const Member& member) const {
  return remove_groups(socket_, port_groups(member));
}

Result<void> Firewall::remove_network(const std::string& bridge) const {
  std::vector<Group> groups;
  for (NftElement& element : network_elements(bridge)) groups.push_back({std::move(element)});
  TRY(remove_groups(socket_, groups));
  return remove_table_if_unused();
}

// Under the generation that was seen when it was empty: an addition in between
// makes the kernel refuse, and we look again.
Result<void> Firewall::remove_table_if_unused() const {
  for (int attempt = 0; attempt < 20; ++attempt) {
    const auto answer = TRY(socket_.query(nft_get_generation()));
    const auto generation = nft_read_generation(answer);
    const auto left = TRY(list(socket_, kBridges));
    if (!left.empty()) return {};
    NetlinkBatch batch = nft_begin(generation);
    nft_delete_table(batch, kTable);
    nft_end(batch);
    auto removed = socket_.transact(batch);
    if (removed || removed.error().code == ENOENT) return {};
    if (removed.error().code != ERESTART) return removed;
  }
  return {};  // others are busy with it: it is theirs now
}

namespace {

// "NETWORK/ID/INTERFACE" and the key of an owner element, back into a member.
std::optional<Member> member_from(const NftElement& element, int family) {
  const std::string& owner = element.comment;
  const auto first = owner.find('/');
  const auto second = owner.find('/', first + 1);
  const std::size_t size = family == AF_INET ? 4 : 16;
  if (second == std::string::npos || element.key.size() != 4 + size + 8) return std::nullopt;
  Member out;
  out.network = owner.substr(0, first);
  out.id = owner.substr(first + 1, second - first - 1);
  out.interface = owner.substr(second + 1);
  IpAddress address{family, {}};
  std::ranges::copy(element.key.substr(4, size), address.bytes.begin());
  PublishedPort port;
  if (!address.is_unspecified()) port.host_address = address;
  port.protocol = static_cast<std::uint8_t>(element.key[4 + size]);
  const auto high = static_cast<std::uint8_t>(element.key[8 + size]);
  const auto low = static_cast<std::uint8_t>(element.key[9 + size]);
  port.host_port = static_cast<std::uint16_t>(high * 256 + low);
  out.ports.push_back(port);
  // Deleting needs no more of the target than its family.
  out.addresses.push_back({Cidr{IpAddress{family, {}}, 0}});
  return out;
}

}  // namespace

Result<std::vector<Member>> Firewall::published() const {
  std::vector<Member> out;
  for (const int family : {AF_INET, AF_INET6}) {
    const auto elements = TRY(list(socket_, family == AF_INET ? kOwners4 : kOwners6));
    for (const NftElement& element : elements)
      if (auto member = member_from(element, family)) out.push_back(*std::move(member));
  }
  return out;
}

Result<std::vector<PublishedPort>> Firewall::missing_ports(const Member& member) const {
  std::vector<PublishedPort> out;
  for (const PublishedPort& port : member.ports)
    for (const IpAddress& target : targets(member, port)) {
      const NftElement ours = port_element(member, port, target);
      const auto found = TRY(find(socket_, ours));
      if (!found || found->data != ours.data) out.push_back(port);
    }
  return out;
}

Result<std::vector<PublishedPort>> Firewall::without_own(const Member& member) const {
  const std::string own = "/" + member.id + "/";
  std::vector<PublishedPort> out;
  for (const PublishedPort& port : member.ports) {
    bool elsewhere = false;
    for (const IpAddress& target : targets(member, port)) {
      const auto found = TRY(find(socket_, port_element(member, port, target)));
      elsewhere = elsewhere || (found && found->comment != owner_of(member) &&
                                found->comment.find(own) != std::string::npos);
    }
    if (!elsewhere) out.push_back(port);
  }
  return out;
}

namespace {

Result<std::vector<std::string>> interfaces_in(const NetlinkSocket& socket, std::string_view set) {
  std::vector<std::string> out;
  const auto elements = TRY(list(socket, set));
  for (const NftElement& element : elements)
    out.push_back(element.key.substr(0, element.key.find('\0')));
  return out;
}

}  // namespace

Result<std::vector<std::string>> Firewall::bridges() const {
  return interfaces_in(socket_, kBridges);
}

Result<std::vector<std::string>> Firewall::guarded() const {
  return interfaces_in(socket_, kGuarded);
}
