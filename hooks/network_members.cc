// SPDX-License-Identifier: Apache-2.0
#include "network_members.h"

#include <dirent.h>

#include <algorithm>
#include <memory>

#include "common/fd.h"

namespace {

using Texts = std::vector<std::string>;

Result<Texts> names_in(const std::string& directory) {
  Texts out;
  const std::unique_ptr<DIR, int (*)(DIR*)> dir(::opendir(directory.c_str()), ::closedir);
  if (!dir && (errno == ENOENT || errno == ENOTDIR)) return out;
  if (!dir) return errno_error("open directory", directory);
  while (const dirent* entry = ::readdir(dir.get()))
    if (entry->d_name[0] != '.') out.emplace_back(entry->d_name);
  std::ranges::sort(out);
  return out;
}

Result<Texts> texts_at(const JsonView& object, std::string_view key) {
  const auto member = object.find(key);
  if (!member) return Texts();
  return member->strings();
}

Result<std::string> text_at(const JsonView& object, std::string_view key) {
  const auto member = object.find(key);
  if (!member) return std::string();
  return member->string();
}

// What vanishes between the listing and the reading has left its network.
Result<void> add_member(const std::string& path, std::vector<NetworkMember>& out) {
  const auto text = read_file(path, std::size_t{1} << 20);
  if (!text && text.error().code == ENOENT) return {};
  if (!text) return text.error();
  out.push_back(TRY(parse_member(path, *text)));
  return {};
}

}  // namespace

Result<NetworkMember> parse_member(const std::string& source, std::string_view text) {
  const JsonDocument document = TRY(JsonDocument::parse(source, text));
  const JsonView root = document.root();
  NetworkMember out;
  const JsonView id = TRY(root.at("id"));
  out.id = TRY(id.string());
  const JsonView network = TRY(root.at("network"));
  out.network = TRY(network.string());
  out.name = TRY(text_at(root, "name"));
  out.aliases = TRY(texts_at(root, "aliases"));
  if (const auto addresses = root.find("addresses"))
    for (const JsonView& one : TRY(addresses->items())) {
      const JsonView address = TRY(one.at("address"));
      const std::string cidr = TRY(address.string());
      out.addresses.push_back(cidr.substr(0, cidr.find('/')));
    }
  return out;
}

Result<std::vector<NetworkMember>> read_members(const std::string& state_dir) {
  std::vector<NetworkMember> out;
  const std::string root = state_dir + "/members";
  for (const std::string& network : TRY(names_in(root)))
    for (const std::string& id : TRY(names_in(root + "/" + network)))
      for (const std::string& interface : TRY(names_in(root + "/" + network + "/" + id)))
        TRY(add_member(root + "/" + network + "/" + id + "/" + interface, out));
  return out;
}

std::vector<NetworkMember> peers_of(const std::vector<NetworkMember>& members,
                                    const std::string& id) {
  std::vector<NetworkMember> out;
  std::ranges::copy_if(members, std::back_inserter(out), [&](const NetworkMember& peer) {
    return std::ranges::any_of(members, [&](const NetworkMember& own) {
      return own.id == id && own.network == peer.network;
    });
  });
  return out;
}

Result<DnsSettings> parse_network_dns(const std::string& source, std::string_view text) {
  const JsonDocument document = TRY(JsonDocument::parse(source, text));
  DnsSettings out;
  const auto dns = document.root().find("dns");
  if (!dns) return out;
  out.nameservers = TRY(texts_at(*dns, "nameservers"));
  out.search = TRY(texts_at(*dns, "search"));
  const std::string domain = TRY(text_at(*dns, "domain"));
  if (!domain.empty() && std::ranges::find(out.search, domain) == out.search.end())
    out.search.insert(out.search.begin(), domain);
  out.options = TRY(texts_at(*dns, "options"));
  return out;
}

Result<DnsSettings> read_network_dns(const std::string& state_dir, const std::string& network) {
  const std::string path = state_dir + "/networks/" + network + ".conflist";
  const auto text = read_file(path, std::size_t{1} << 20);
  if (!text && text.error().code == ENOENT) return DnsSettings();
  if (!text) return text.error();
  return parse_network_dns(path, *text);
}
