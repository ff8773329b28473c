// SPDX-License-Identifier: Apache-2.0
#include "lease.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "store.h"

namespace {

std::string content_of(const std::string& id, const std::string& interface) {
  return id + "\r\n" + interface;
}

std::string last_file(std::size_t set_number) {
  return "last_reserved_ip." + std::to_string(set_number);
}

std::string set_text(const RangeSet& set) {
  std::string out;
  for (const AddressRange& range : set)
    out += (out.empty() ? "" : ", ") + range.first.text() + "-" + range.last.text();
  return out;
}

const AddressRange* range_with(const RangeSet& set, const IpAddress& address) {
  const auto it =
      std::ranges::find_if(set, [&](const AddressRange& range) { return range.contains(address); });
  return it == set.end() ? nullptr : &*it;
}

// One step, gateways included.
IpAddress step(const RangeSet& set, const IpAddress& from) {
  const AddressRange* range = range_with(set, from);
  if (range == nullptr) return set.front().first;
  if (from < range->last) return *next_address(from);
  const auto at = static_cast<std::size_t>(range - set.data());
  return set[(at + 1) % set.size()].first;
}

}  // namespace

std::optional<IpAddress> following_address(const RangeSet& set,
                                           const std::optional<IpAddress>& last) {
  IpAddress address = last ? step(set, *last) : set.front().first;
  // A set has at most one gateway per range to step over.
  for (std::size_t i = 0; i <= set.size(); ++i, address = step(set, address)) {
    if (last && address == *last) return std::nullopt;
    const AddressRange* range = range_with(set, address);
    if (range != nullptr && address != range->gateway) return address;
  }
  return std::nullopt;
}

Result<Leases> Leases::open(const std::string& directory, const std::string& network) {
  const std::string path = directory + "/" + network;
  TRY(make_directories(path, 0700));
  UniqueFd fd = TRY(open_directory(path));
  FileLock lock = TRY(FileLock::take(fd, "lock"));
  return Leases(path, std::move(fd), std::move(lock));
}

Result<bool> Leases::try_take(const IpAddress& address, const std::string& content) {
  auto fd = open_at(directory_, address.text(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
  if (!fd && fd.error().code == EEXIST) return false;
  const UniqueFd file = TRY(std::move(fd));
  auto written = write_all(file, content, path_ + "/" + address.text());
  if (written) return true;
  (void)::unlinkat(directory_.get(), address.text().c_str(), 0);
  return std::move(written).error();
}

Result<IpAddress> Leases::take(const RangeSet& set, std::size_t set_number,
                               const std::string& owner_id, const std::string& interface) {
  const std::string content = content_of(owner_id, interface);
  std::optional<IpAddress> last;
  if (const auto text = read_file_at(directory_, last_file(set_number)))
    if (const auto parsed = parse_address(*text))
      if (range_with(set, *parsed) != nullptr) last = *parsed;
  auto address = following_address(set, last);
  const auto start = address;
  while (address) {
    const bool taken = TRY(try_take(*address, content));
    if (taken) {
      auto noted = replace_file_at(directory_, last_file(set_number), address->text(), 0600);
      if (noted) return *address;
      (void)::unlinkat(directory_.get(), address->text().c_str(), 0);
      return std::move(noted).error();
    }
    const IpAddress previous = *address;
    address = following_address(set, previous);
    if (address == start) break;
  }
  return Error{"no free address in " + set_text(set), ENOSPC,
               "take containers down, or give the network a larger subnet"};
}

Result<void> Leases::take_this(const RangeSet& set, const IpAddress& wanted,
                               const std::string& owner_id, const std::string& interface) {
  const AddressRange* range = range_with(set, wanted);
  if (range == nullptr)
    return Error{"address " + wanted.text() + " is not one of " + set_text(set)};
  if (wanted == range->gateway)
    return Error{"address " + wanted.text() + " is the gateway of the network"};
  const bool taken = TRY(try_take(wanted, content_of(owner_id, interface)));
  if (taken) return {};
  const auto content = read_file_at(directory_, wanted.text());
  const std::string holder =
      content ? content->substr(0, content->find_first_of("\r\n")) : std::string("?");
  return Error{"address " + wanted.text() + " is in use by container '" + holder + "'", EADDRINUSE};
}

Result<void> Leases::give_back(const IpAddress& address, const std::string& owner_id,
                               const std::string& interface) {
  const auto content = read_file_at(directory_, address.text());
  if (!content || *content != content_of(owner_id, interface)) return {};
  if (::unlinkat(directory_.get(), address.text().c_str(), 0) == 0 || errno == ENOENT) return {};
  return errno_error("remove the lease", path_ + "/" + address.text());
}

Result<std::vector<Leases::Lease>> Leases::all() const {
  std::vector<Lease> out;
  const auto names = TRY(names_in(directory_, "."));
  for (const std::string& name : names) {
    const auto address = parse_address(name);
    if (!address) continue;
    const auto content = read_file_at(directory_, name);
    if (!content) continue;
    const auto end = content->find_first_of("\r\n");
    const auto second = content->find_first_not_of("\r\n", end);
    out.push_back({*address, content->substr(0, end),
                   second == std::string::npos ? "" : content->substr(second)});
  }
  return out;
}
