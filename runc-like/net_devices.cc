// SPDX-License-Identifier: Apache-2.0
#include "net_devices.h"

#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <functional>

#include "common/fd.h"

namespace {

template <class T>
std::string_view bytes_of(const T& value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

// A message of rtnetlink: header, the body of its type, attributes.
class Message {
 public:
  template <class Body>
  Message(std::uint16_t type, std::uint16_t flags, const Body& body) {
    nlmsghdr header = {};
    header.nlmsg_type = type;
    header.nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
    text_.append(bytes_of(header)).append(bytes_of(body));
  }
  Message& attribute(std::uint16_t type, std::string_view data) {
    const rtattr head = {static_cast<std::uint16_t>(sizeof head + data.size()), type};
    text_.append(bytes_of(head)).append(data);
    text_.resize((text_.size() + 3) & ~std::size_t{3});
    return *this;
  }
  Message& append(std::string_view attributes) {
    text_.append(attributes);
    return *this;
  }
  std::string finish() {
    const auto size = static_cast<std::uint32_t>(text_.size());
    std::memcpy(text_.data() + offsetof(nlmsghdr, nlmsg_len), &size, sizeof size);
    return std::move(text_);
  }

 private:
  std::string text_;
};

using Seen = std::function<void(const nlmsghdr&, std::string_view)>;

// One request, and its answers up to the acknowledgement; 0 or an errno.
int converse(FdRef socket, const std::string& request, const Seen& seen = {}) {
  if (::send(socket.get(), request.data(), request.size(), 0) < 0) return errno;
  alignas(nlmsghdr) static std::array<char, 32768> buffer;
  for (;;) {
    const ssize_t n = ::recv(socket.get(), buffer.data(), buffer.size(), 0);
    if (n < 0 && errno != EINTR) return errno;
    auto left = static_cast<unsigned>(n < 0 ? 0 : n);
    for (const auto* m = reinterpret_cast<const nlmsghdr*>(buffer.data()); NLMSG_OK(m, left);
         m = NLMSG_NEXT(m, left)) {
      if (m->nlmsg_type == NLMSG_DONE) return 0;
      if (m->nlmsg_type == NLMSG_ERROR) return -reinterpret_cast<const nlmsgerr*>(m + 1)->error;
      if (seen) seen(*m, {reinterpret_cast<const char*>(m + 1), m->nlmsg_len - sizeof *m});
    }
  }
}

Result<UniqueFd> open_route() {
  UniqueFd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  if (!fd) return errno_error("create", "netlink socket");
  return fd;
}

// A socket stays in the namespace where it was made.
Result<UniqueFd> open_route_in(FdRef there) {
  const UniqueFd here = TRY(open_at(kCwd, "/proc/self/ns/net", O_RDONLY));
  if (::setns(there.get(), CLONE_NEWNET) != 0) return errno_error("join", "network namespace");
  auto route = open_route();
  // To go on in the wrong one would be worse than to end.
  if (::setns(here.get(), CLONE_NEWNET) != 0) ::abort();
  return route;
}

int index_of(FdRef route, const std::string& name) {
  ifreq request = {};
  if (name.size() >= sizeof request.ifr_name) return 0;
  std::memcpy(request.ifr_name, name.data(), name.size());
  return ::ioctl(route.get(), SIOCGIFINDEX, &request) == 0 ? request.ifr_ifindex : 0;
}

// "eth%d" is the first of that form that is free.
std::string free_name(FdRef route, const std::string& pattern) {
  const std::size_t at = pattern.find("%d");
  if (at == std::string::npos) return pattern;
  for (int number = 0;; ++number) {
    std::string name = pattern;
    name.replace(at, 2, std::to_string(number));
    if (index_of(route, name) == 0) return name;
  }
}

struct Address {
  ifaddrmsg head = {};
  std::string attributes;
};

std::vector<Address> permanent_addresses(FdRef route, int index) {
  std::vector<Address> out;
  const auto take = [&](const nlmsghdr& message, std::string_view body) {
    ifaddrmsg head = {};
    if (message.nlmsg_type != RTM_NEWADDR || body.size() < sizeof head) return;
    std::memcpy(&head, body.data(), sizeof head);
    if (static_cast<int>(head.ifa_index) != index || head.ifa_scope != RT_SCOPE_UNIVERSE ||
        (head.ifa_flags & IFA_F_PERMANENT) == 0)
      return;
    Address address;
    address.head = head;
    for (body.remove_prefix(sizeof head); body.size() >= sizeof(rtattr);) {
      rtattr a = {};
      std::memcpy(&a, body.data(), sizeof a);
      const std::size_t size = std::min<std::size_t>(body.size(), (a.rta_len + 3U) & ~3U);
      if (a.rta_len < sizeof a) break;
      if (a.rta_type == IFA_LOCAL || a.rta_type == IFA_ADDRESS || a.rta_type == IFA_BROADCAST)
        address.attributes.append(body.substr(0, size));
      body.remove_prefix(size);
    }
    out.push_back(std::move(address));
  };
  (void)converse(route, Message(RTM_GETADDR, NLM_F_DUMP, ifaddrmsg{}).finish(), take);
  return out;
}

// From one namespace to another under a new name; 0 or an errno.
int move(FdRef from, const std::string& name, FdRef to, FdRef namespace_of_to,
         const std::string& new_name) {
  const int index = index_of(from, name);
  if (index == 0) return ENODEV;
  const std::vector<Address> addresses = permanent_addresses(from, index);
  ifinfomsg link = {};
  link.ifi_index = index;
  const int fd = namespace_of_to.get();
  int failed = converse(from, Message(RTM_SETLINK, NLM_F_ACK, link)
                                  .attribute(IFLA_NET_NS_FD, bytes_of(fd))
                                  .attribute(IFLA_IFNAME, new_name + '\0')
                                  .finish());
  link.ifi_index = index_of(to, new_name);
  for (std::size_t i = 0; i < addresses.size() && failed == 0; ++i) {
    ifaddrmsg head = addresses[i].head;
    head.ifa_index = static_cast<std::uint32_t>(link.ifi_index);
    failed = converse(to, Message(RTM_NEWADDR, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, head)
                              .append(addresses[i].attributes)
                              .finish());
  }
  if (failed != 0) return failed;
  link.ifi_flags = link.ifi_change = IFF_UP;
  return converse(to, Message(RTM_SETLINK, NLM_F_ACK, link).finish());
}

}  // namespace

Result<void> move_net_devices(const std::vector<NetDeviceSpec>& devices, pid_t pid) {
  if (devices.empty()) return {};
  const UniqueFd here = TRY(open_at(kCwd, "/proc/self/ns/net", O_RDONLY));
  const UniqueFd there = TRY(open_at(kCwd, "/proc/" + std::to_string(pid) + "/ns/net", O_RDONLY));
  const UniqueFd host = TRY(open_route());
  const UniqueFd container = TRY(open_route_in(there));
  std::vector<std::string> names;
  for (const NetDeviceSpec& device : devices) {
    names.push_back(free_name(container, device.new_name));
    const int failed = move(host, device.name, container, there, names.back());
    if (failed == 0) continue;
    for (std::size_t i = 0; i < names.size(); ++i)
      (void)move(container, names[i], host, here, devices[i].name);
    return Error{"config.json: " + device.field + ": move network device '" + device.name + "'",
                 failed, failed == ENODEV ? "the host has no such interface" : "", device.field};
  }
  return {};
}
