// SPDX-License-Identifier: Apache-2.0
#include "user_lookup.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <optional>

#include "common/beneath.h"

#include "pax.h"

namespace {

constexpr std::size_t kFileLimitHere = std::size_t{1} << 20;

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> out;
  for (;;) {
    const auto end = text.find(separator);
    out.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return out;
    text.remove_prefix(end + 1);
  }
}

// The file's text; empty when the image has none.
Result<std::string> read_table(FdRef rootfs, const std::string& path) {
  auto file = open_in_root(rootfs, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  if (!file && (file.error().code == ENOENT || file.error().code == ENOTDIR)) return std::string();
  if (!file) return std::move(file).error();
  struct stat st = {};
  if (::fstat(file->get(), &st) != 0) return errno_error("stat", path);
  if (!S_ISREG(st.st_mode)) return Error{"the image's /" + path + " is no regular file"};
  return read_all(*file, "the image's /" + path, kFileLimitHere);
}

// A number that does not fit is an error, never taken for a name: who wrote
// 4294967296 did not mean root (CVE-2024-40635, CVE-2026-46680).
Result<std::optional<std::uint32_t>> number(std::string_view text) {
  if (text.empty() || text.find_first_not_of("0123456789") != std::string_view::npos)
    return std::optional<std::uint32_t>();
  const auto value = parse_decimal(text);
  if (!value || *value > INT_MAX)
    return Error{"user or group number '" + std::string(text) + "' is out of range"};
  return std::optional(static_cast<std::uint32_t>(*value));
}

std::optional<std::uint32_t> id_field(std::string_view text) {
  const auto value = parse_decimal(text);
  if (!value || *value > INT_MAX) return std::nullopt;
  return static_cast<std::uint32_t>(*value);
}

struct Account {
  std::string name;
  uid_t uid;
  gid_t gid;
  std::string home;
};

// By number when there is one, else by name.
std::optional<Account> find_account(std::string_view passwd, std::string_view name,
                                    std::optional<std::uint32_t> uid) {
  for (const std::string_view line : split(passwd, '\n')) {
    const auto fields = split(line, ':');
    if (fields.size() < 6) continue;
    const auto id = id_field(fields[2]);
    const auto group = id_field(fields[3]);
    if (!id || !group || (uid ? *id != *uid : fields[0] != name)) continue;
    return Account{std::string(fields[0]), *id, *group, std::string(fields[5])};
  }
  return std::nullopt;
}

std::optional<gid_t> find_group(std::string_view group_file, std::string_view name) {
  for (const std::string_view line : split(group_file, '\n')) {
    const auto fields = split(line, ':');
    if (fields.size() >= 3 && fields[0] == name) return id_field(fields[2]);
  }
  return std::nullopt;
}

std::vector<gid_t> groups_of(std::string_view group_file, const std::string& name) {
  std::vector<gid_t> out;
  for (const std::string_view line : split(group_file, '\n')) {
    const auto fields = split(line, ':');
    if (fields.size() < 4) continue;
    const auto members = split(fields[3], ',');
    const auto id = id_field(fields[2]);
    if (id && std::ranges::find(members, name) != members.end()) out.push_back(*id);
  }
  std::ranges::sort(out);
  out.erase(std::ranges::unique(out).begin(), out.end());
  return out;
}

Error unknown(std::string_view kind, std::string_view name, std::string_view file) {
  return Error{"the image has no " + std::string(kind) + " '" + std::string(name) + "' in /" +
                   std::string(file),
               0, "name another one with --user, or use a number"};
}

}  // namespace

Result<ResolvedUser> resolve_user(FdRef rootfs, const std::string& user) {
  const auto colon = user.find(':');
  const std::string_view user_part = std::string_view(user).substr(0, colon);
  const std::string_view group_part =
      colon == std::string::npos ? std::string_view() : std::string_view(user).substr(colon + 1);
  const std::string passwd = TRY(read_table(rootfs, "etc/passwd"));
  const std::string groups = TRY(read_table(rootfs, "etc/group"));
  const auto uid = user_part.empty() ? std::optional<std::uint32_t>(0) : TRY(number(user_part));
  const auto account = find_account(passwd, user_part, uid);
  if (!account && !uid) return unknown("user", user_part, "etc/passwd");

  ResolvedUser out;
  out.uid = account ? account->uid : *uid;
  out.gid = account ? account->gid : 0;
  if (account && account->home.starts_with('/')) out.home = account->home;
  if (group_part.empty()) {
    if (account) out.additional_gids = groups_of(groups, account->name);
    std::erase(out.additional_gids, out.gid);
    return out;
  }
  if (const auto gid = TRY(number(group_part))) {
    out.gid = *gid;
    return out;
  }
  const auto named = find_group(groups, group_part);
  if (!named) return unknown("group", group_part, "etc/group");
  out.gid = *named;
  return out;
}
