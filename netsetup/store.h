// SPDX-License-Identifier: Apache-2.0
// store.h - the state directory: which networks exist, and who is in them.
//
//   lock                          held during every change
//   networks/NAME.conflist        how the network was defined
//   members/NAME/ID/INTERFACE     one record per attachment (member.h)
//   leases/NAME/ADDRESS           host-local's layout (lease.h)
//
// Directories vanish with their last entry: an unused host keeps `lock` alone.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/fd.h"
#include "common/file_lock.h"

#include "member.h"
#include "network.h"

class Store {
 public:
  static Result<Store> open(const std::string& path);
  const std::string& path() const { return path_; }
  FdRef directory() const { return directory_; }

  Result<FileLock> lock() const { return FileLock::take(directory_, "lock"); }

  Result<std::optional<Network>> find_network(const std::string& name) const;
  Result<void> save_network(const Network& network) const;
  Result<std::vector<Network>> networks() const;

  Result<std::optional<Member>> find_member(const std::string& network, const std::string& id,
                                            const std::string& interface) const;
  Result<void> save_member(const Member& member) const;
  Result<void> remove_member(const Member& member) const;
  // Of one network, or of all with ""; of one container, or of all with "".
  Result<std::vector<Member>> members(const std::string& network, const std::string& id) const;
  Result<bool> has_members(const std::string& network) const;

  // Forgets the network and every directory that is empty now.
  Result<void> remove_network(const std::string& name) const;

  // "<state directory>/leases", where the network does not name another.
  std::string lease_directory(const Network& network) const;

 private:
  Store(std::string path, UniqueFd directory)
      : path_(std::move(path)), directory_(std::move(directory)) {}
  Result<void> add_members(const std::string& network, const std::string& id,
                           std::vector<Member>& out) const;
  std::string path_;
  UniqueFd directory_;
};

// The plain names in a directory; none when it does not exist.
Result<std::vector<std::string>> names_in(FdRef dir, const std::string& path);
