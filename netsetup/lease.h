// SPDX-License-Identifier: Apache-2.0
// lease.h - which address is whose, on disk exactly as the CNI plugin host-local
// keeps it: one may take over the other's directory.
//
//   NETWORK/ADDRESS             "CONTAINERID\r\nINTERFACE"
//   NETWORK/last_reserved_ip.N  where range set N goes on
//   NETWORK/lock                flock
#pragma once

#include <string>
#include <vector>

#include "common/fd.h"
#include "common/file_lock.h"

#include "network.h"

class Leases {
 public:
  // `directory`/`network`, made when missing; locked until destruction.
  static Result<Leases> open(const std::string& directory, const std::string& network);

  // The next free address of the set, going round; or the one that is `wanted`.
  Result<IpAddress> take(const RangeSet& set, std::size_t set_number, const std::string& owner_id,
                         const std::string& interface);
  Result<void> take_this(const RangeSet& set, const IpAddress& wanted, const std::string& owner_id,
                         const std::string& interface);
  // Only if it is the owner's; what is gone already is no error.
  Result<void> give_back(const IpAddress& address, const std::string& owner_id,
                         const std::string& interface);

  struct Lease {
    IpAddress address;
    std::string owner_id;
    std::string interface;
  };
  Result<std::vector<Lease>> all() const;

 private:
  Leases(std::string path, UniqueFd directory, FileLock lock)
      : path_(std::move(path)), directory_(std::move(directory)), lock_(std::move(lock)) {}
  Result<bool> try_take(const IpAddress& address, const std::string& content);

  std::string path_;
  UniqueFd directory_;
  FileLock lock_;
};

// The address after `last` in the set, going round at its end; gateways are left
// out. Nothing when the set has no other address than `last`. Pure.
std::optional<IpAddress> following_address(const RangeSet& set,
                                           const std::optional<IpAddress>& last);
