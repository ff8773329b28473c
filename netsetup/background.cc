// SPDX-License-Identifier: Apache-2.0
#include "background.h"

#include <linux/netlink.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "attachment_steps.h"
#include "conntrack.h"
#include "firewall.h"

namespace {

Result<void> take_down_all_but_links(const Store& store, const Firewall& firewall,
                                     const std::vector<Member>& members) {
  for (const Member& member : members) {
    TRY(firewall.remove_ports(member));
    forget_udp_flows(member);
    TRY(forget_member(store, member));
  }
  return {};
}

// By number, found under the lock: a new interface of the same name that somebody
// makes right afterwards has another one.
Result<int> index_to_delete(const Store& store, const NetlinkSocket& route, const Member& member) {
  const auto again = TRY(store.find_member(member.network, member.id, member.interface));
  const auto link = TRY(find_link(route, member.host_interface));
  if (again || !link || link->alias != alias_of(store, member)) return 0;
  return link->index;
}

Result<void> finish_one(const Store& store, const Member& member) {
  const NetlinkSocket route = TRY(NetlinkSocket::open(NETLINK_ROUTE));
  int index = 0;
  {
    const FileLock lock = TRY(store.lock());
    index = TRY(index_to_delete(store, route, member));
  }
  if (index != 0) {
    NetlinkBatch batch;
    delete_link_number(batch, index, member.host_interface);
    (void)route.transact(batch);  // gone with its namespace is as good
  }
  const FileLock lock = TRY(store.lock());
  const bool others = TRY(store.has_members(member.network));
  if (others) return {};
  const auto network = TRY(store.find_network(member.network));
  if (!network) return {};
  return take_down_network(store, route, member.network, network->bridge);
}

// Nobody waits for us through a pipe, a terminal or a lock.
void let_go() {
  (void)::setsid();
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  for (int fd = 0; fd <= 2 && null >= 0; ++fd) (void)::dup2(null, fd);
}

}  // namespace

Result<void> detach_in_background(const Store& store, const std::string& id,
                                  const std::string& network, const std::string& interface) {
  std::vector<Member> members;
  // Held open until after the fork: closing it waits for the kernel as well.
  const Firewall firewall = TRY(Firewall::open());
  {
    const FileLock lock = TRY(store.lock());
    const auto all = TRY(store.members(network, id));
    for (const Member& member : all)
      if (member.interface == interface) members.push_back(member);
    TRY(take_down_all_but_links(store, firewall, members));
  }
  if (members.empty()) return {};
  const pid_t child = ::fork();
  if (child > 0) return {};
  if (child == 0) let_go();
  // Without a child the work is done here.
  for (const Member& member : members) (void)finish_one(store, member);
  if (child == 0) ::_exit(0);
  return {};
}
