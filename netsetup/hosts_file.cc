// SPDX-License-Identifier: Apache-2.0
#include "hosts_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "common/fd.h"

std::string hosts_lines(const std::vector<Member>& members) {
  std::string out;
  for (const Member& member : members) {
    if (member.name.empty()) continue;
    for (const MemberAddress& one : member.addresses) {
      out += one.address.address.text() + "\t" + member.name;
      for (const std::string& alias : member.aliases) out += " " + alias;
      out += "\n";
    }
  }
  return out;
}

std::string with_hosts_block(std::string_view text, const std::string& network,
                             const std::string& lines) {
  const std::string begin = "# netsetup begin " + network + "\n";
  const std::string end = "# netsetup end " + network + "\n";
  std::string before(text);
  std::string after;
  const auto start = before.find(begin);
  if (start != std::string::npos && (start == 0 || before[start - 1] == '\n')) {
    const auto stop = before.find(end, start);
    // A block whose end somebody cut off reaches to the end of the file.
    if (stop != std::string::npos) after = before.substr(stop + end.size());
    before.resize(start);
  }
  if (lines.empty()) return before + after;
  if (!before.empty() && before.back() != '\n') before += '\n';
  return before + begin + lines + end + after;
}

bool is_host_name(std::string_view name) {
  if (name.empty() || name.size() > 253 || name[0] == '-' || name[0] == '.') return false;
  return std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_';
  });
}

namespace {

constexpr std::size_t kLimit = std::size_t{4} << 20;
constexpr std::string_view kBase =
    "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n";

// A reader sees the old lines or the new ones, never the tail of the old after
// the new: what is longer is first overwritten with empty lines.
Result<void> overwrite(FdRef fd, const std::string& path, std::string text, std::size_t old_size) {
  const auto size = static_cast<off_t>(text.size());
  if (text.size() < old_size) text.resize(old_size, '\n');
  if (::pwrite(fd.get(), text.data(), text.size(), 0) != static_cast<ssize_t>(text.size()))
    return errno_error("write", path);
  if (::ftruncate(fd.get(), size) != 0) return errno_error("shorten", path);
  return {};
}

}  // namespace

Result<bool> update_hosts_file(const std::string& path, const std::string& network,
                               const std::string& lines, bool create) {
  // A container may have put anything where its file was: no link is followed,
  // and nothing that could block is waited for.
  const int flags = O_RDWR | O_NOFOLLOW | O_NONBLOCK | (create ? O_CREAT : 0);
  auto opened = open_at(kCwd, path, flags, 0644);
  if (!opened && opened.error().code == ENOENT && !create) return false;
  const UniqueFd fd = TRY(std::move(opened));
  struct stat info = {};
  if (::fstat(fd.get(), &info) != 0) return errno_error("look at", path);
  if (!S_ISREG(info.st_mode)) return Error{"'" + path + "' is no regular file"};
  const std::string text = TRY(read_all(fd, path, kLimit));
  const std::string base = text.empty() && create ? std::string(kBase) : text;
  const std::string wanted = with_hosts_block(base, network, lines);
  if (wanted != text) TRY(overwrite(fd, path, wanted, text.size()));
  return true;
}
