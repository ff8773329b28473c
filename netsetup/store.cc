// SPDX-License-Identifier: Apache-2.0
#include "store.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "common/temp_dir.h"

namespace {

constexpr std::string_view kConflist = ".conflist";

std::string network_file(const std::string& name) {
  return "networks/" + name + std::string(kConflist);
}

std::string member_directory(const std::string& network, const std::string& id) {
  return "members/" + network + "/" + id;
}

Result<void> make_directory(FdRef dir, const std::string& path) {
  if (::mkdirat(dir.get(), path.c_str(), 0700) == 0 || errno == EEXIST) return {};
  return errno_error("make directory", path);
}

// Gone, or not empty and so still needed: both are fine.
Result<void> remove_if_empty(FdRef dir, const std::string& path) {
  if (::unlinkat(dir.get(), path.c_str(), AT_REMOVEDIR) == 0) return {};
  if (errno == ENOENT || errno == ENOTEMPTY || errno == EEXIST) return {};
  return errno_error("remove directory", path);
}

Result<void> remove_file(FdRef dir, const std::string& path) {
  if (::unlinkat(dir.get(), path.c_str(), 0) == 0 || errno == ENOENT) return {};
  return errno_error("remove", path);
}

Result<std::optional<std::string>> read_if_present(FdRef dir, const std::string& path) {
  auto text = read_file_at(dir, path);
  if (text) return std::optional<std::string>(*std::move(text));
  if (text.error().code == ENOENT) return std::optional<std::string>();
  return std::move(text).error();
}

}  // namespace

Result<std::vector<std::string>> names_in(FdRef dir, const std::string& path) {
  std::vector<std::string> out;
  auto fd = open_at(dir, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (!fd && fd.error().code == ENOENT) return out;
  UniqueFd owned = TRY(std::move(fd));
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(owned.get()), &::closedir);
  if (!stream) return errno_error("read directory", path);
  (void)owned.release();  // the stream owns it now
  while (const dirent* entry = ::readdir(stream.get())) {
    const std::string name = entry->d_name;
    if (name[0] != '.') out.push_back(name);
  }
  std::ranges::sort(out);
  return out;
}

Result<Store> Store::open(const std::string& path) {
  TRY(make_directories(path, 0700));
  UniqueFd directory = TRY(open_directory(path));
  return Store(path, std::move(directory));
}

Result<std::optional<Network>> Store::find_network(const std::string& name) const {
  const std::string file = network_file(name);
  const auto text = TRY(read_if_present(directory_, file));
  if (!text) return std::optional<Network>();
  Network network = TRY(parse_conflist(path_ + "/" + file, *text));
  return std::optional<Network>(std::move(network));
}

Result<void> Store::save_network(const Network& network) const {
  TRY(make_directory(directory_, "networks"));
  return replace_file_at(directory_, network_file(network.name), to_conflist(network), 0600);
}

Result<std::vector<Network>> Store::networks() const {
  std::vector<Network> out;
  const auto files = TRY(names_in(directory_, "networks"));
  for (const std::string& name : files) {
    if (!name.ends_with(kConflist)) continue;
    auto network = TRY(find_network(name.substr(0, name.size() - kConflist.size())));
    if (network) out.push_back(*std::move(network));
  }
  return out;
}

Result<std::optional<Member>> Store::find_member(const std::string& network, const std::string& id,
                                                 const std::string& interface) const {
  const std::string file = member_directory(network, id) + "/" + interface;
  const auto text = TRY(read_if_present(directory_, file));
  if (!text) return std::optional<Member>();
  Member member = TRY(parse_member(path_ + "/" + file, *text));
  return std::optional<Member>(std::move(member));
}

Result<void> Store::save_member(const Member& member) const {
  const std::string directory = member_directory(member.network, member.id);
  TRY(make_directory(directory_, "members"));
  TRY(make_directory(directory_, "members/" + member.network));
  TRY(make_directory(directory_, directory));
  return replace_file_at(directory_, directory + "/" + member.interface, to_json(member), 0600);
}

Result<void> Store::remove_member(const Member& member) const {
  const std::string directory = member_directory(member.network, member.id);
  TRY(remove_file(directory_, directory + "/" + member.interface));
  TRY(remove_if_empty(directory_, directory));
  return remove_if_empty(directory_, "members/" + member.network);
}

Result<std::vector<Member>> Store::members(const std::string& network,
                                           const std::string& id) const {
  std::vector<Member> out;
  std::vector<std::string> networks = {network};
  if (network.empty()) networks = TRY(names_in(directory_, "members"));
  for (const std::string& net : networks) {
    std::vector<std::string> ids = {id};
    if (id.empty()) ids = TRY(names_in(directory_, "members/" + net));
    for (const std::string& one : ids) TRY(add_members(net, one, out));
  }
  return out;
}

Result<void> Store::add_members(const std::string& network, const std::string& id,
                                std::vector<Member>& out) const {
  const auto interfaces = TRY(names_in(directory_, member_directory(network, id)));
  for (const std::string& interface : interfaces) {
    auto member = TRY(find_member(network, id, interface));
    if (member) out.push_back(*std::move(member));
  }
  return {};
}

Result<bool> Store::has_members(const std::string& network) const {
  struct stat info = {};
  const std::string path = "members/" + network;
  if (::fstatat(directory_.get(), path.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0) return true;
  if (errno == ENOENT) return false;
  return errno_error("look at", path);
}

Result<void> Store::remove_network(const std::string& name) const {
  TRY(remove_file(directory_, network_file(name)));
  // Nobody is in it: what is left there is the memory of the last address.
  TRY(remove_tree(directory_, "leases/" + name));
  for (const char* parent : {"networks", "members", "leases"})
    TRY(remove_if_empty(directory_, parent));
  return {};
}

std::string Store::lease_directory(const Network& network) const {
  return network.lease_directory.empty() ? path_ + "/leases" : network.lease_directory;
}
