// SPDX-License-Identifier: Apache-2.0
#include "tuning.h"

#include <net/if.h>

#include "netns.h"

namespace {

LinkChange change_of(const Tuning& tuning) {
  LinkChange out;
  out.mac = tuning.mac;
  out.mtu = tuning.mtu;
  out.queue_length = tuning.queue_length;
  const auto flag = [&](const std::optional<bool>& wish, unsigned bit) {
    if (!wish) return;
    out.flag_mask |= bit;
    if (*wish) out.flags |= bit;
  };
  flag(tuning.promiscuous, IFF_PROMISC);
  flag(tuning.all_multicast, IFF_ALLMULTI);
  return out;
}

// What undoes `change` on a link as it is now.
LinkChange reverse(const LinkChange& change, const Link& link) {
  LinkChange out;
  if (change.mac) out.mac = link.mac;
  if (change.mtu) out.mtu = link.mtu;
  if (change.queue_length) out.queue_length = link.queue_length;
  out.flag_mask = change.flag_mask;
  out.flags = link.flags & change.flag_mask;
  return out;
}

}  // namespace

Tuner::~Tuner() {
  for (auto undo = undo_.rbegin(); undo != undo_.rend(); ++undo) (*undo)();
}

Result<void> Tuner::set(const std::string& name, const std::string& value) {
  const std::string before = TRY(read_sysctl_in(netns_, name));
  TRY(write_sysctl_in(netns_, name, value));
  undo_.push_back([this, name, before] { (void)write_sysctl_in(netns_, name, before); });
  return {};
}

Result<void> Tuner::change(const Link& link, const LinkChange& wish) {
  if (wish == LinkChange{}) return {};
  NetlinkBatch batch;
  change_link(batch, link, wish);
  undo_.push_back([this, link, wish] {
    NetlinkBatch back;
    change_link(back, link, reverse(wish, link));
    (void)inside_.transact(back);
  });
  return inside_.transact(batch);
}

Result<void> Tuner::apply(const Tuning& tuning, const Link& link) {
  for (const auto& [name, value] : tuning.sysctls) TRY(set(name, value));
  return change(link, change_of(tuning));
}

Result<std::string> first_difference(const Tuning& tuning, const Link& link, FdRef netns) {
  for (const auto& [name, value] : tuning.sysctls) {
    const std::string now = TRY(read_sysctl_in(netns, name));
    if (now != value) return "sysctl net/" + name + " is '" + now + "', not '" + value + "'";
  }
  const LinkChange wish = change_of(tuning);
  if (wish.mac && *wish.mac != link.mac)
    return "hardware address is " + mac_text(link.mac) + ", not " + mac_text(*wish.mac);
  if (wish.mtu && *wish.mtu != link.mtu) return "mtu is " + std::to_string(link.mtu);
  if (wish.queue_length && *wish.queue_length != link.queue_length)
    return "txQLen is " + std::to_string(link.queue_length);
  if ((link.flags & wish.flag_mask) != wish.flags)
    return std::string("promisc or allmulti is not as it was set");
  return std::string();
}
