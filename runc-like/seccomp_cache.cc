// SPDX-License-Identifier: Apache-2.0
#include "seccomp_cache.h"

#include <dirent.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <memory>
#include <utility>

namespace {

// An entry: this header, the text, the program.
struct Header {
  char magic[8];
  std::uint64_t text_size;
  std::uint64_t instructions;
};
constexpr char kMagic[8] = {'s', 'e', 'c', 'c', 'b', 'p', 'f', '1'};
constexpr std::size_t kLimit = std::size_t{4} << 20;

// FNV-1a over eight bytes at a time. It needs to spread, not to resist.
std::uint64_t hash(std::string_view text) {
  constexpr std::uint64_t kPrime = 0x100000001b3;
  std::uint64_t h = 0xcbf29ce484222325 ^ text.size();
  for (; text.size() >= 8; text.remove_prefix(8)) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data(), sizeof word);
    h = (h ^ word) * kPrime;
    h ^= h >> 29;
  }
  for (const char c : text) h = (h ^ static_cast<unsigned char>(c)) * kPrime;
  return h ^ (h >> 32);
}

std::string name_of(std::string_view text) {
  char name[24];
  const int n =
      std::snprintf(name, sizeof name, "%016llx", static_cast<unsigned long long>(hash(text)));
  return {name, static_cast<std::size_t>(n)};
}

bool is_ours(FdRef fd, mode_t type) {
  struct stat st = {};
  return ::fstat(fd.get(), &st) == 0 && (st.st_mode & S_IFMT) == type && st.st_uid == ::geteuid() &&
         (st.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

}  // namespace

std::optional<SeccompCache> SeccompCache::open(const std::string& path) {
  if (path.empty()) return std::nullopt;
  constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;
  auto fd = open_at(kCwd, path, kFlags);
  if (!fd) {
    // Parents as others may see them, the cache itself for its owner only.
    const auto slash = path.rfind('/');
    if (slash != std::string::npos && slash > 0 && !make_directories(path.substr(0, slash)))
      return std::nullopt;
    if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return std::nullopt;
    fd = open_at(kCwd, path, kFlags);
  }
  if (!fd || !is_ours(*fd, S_IFDIR)) return std::nullopt;
  return SeccompCache(*std::move(fd));
}

std::optional<std::vector<sock_filter>> SeccompCache::find(std::string_view text) const {
  const std::string name = name_of(text);
  const auto fd = open_at(directory_, name, O_RDONLY | O_NOFOLLOW);
  if (!fd || !is_ours(*fd, S_IFREG)) return std::nullopt;
  const auto entry = read_all(*fd, name, kLimit);
  Header header = {};
  if (!entry || entry->size() < sizeof header) return std::nullopt;
  std::memcpy(&header, entry->data(), sizeof header);
  std::string_view rest = std::string_view(*entry).substr(sizeof header);
  if (std::memcmp(header.magic, kMagic, sizeof kMagic) != 0 || header.text_size != text.size() ||
      header.instructions > BPF_MAXINSNS ||
      rest.size() != header.text_size + header.instructions * sizeof(sock_filter) ||
      rest.substr(0, text.size()) != text)
    return std::nullopt;
  rest.remove_prefix(text.size());
  std::vector<sock_filter> filter(header.instructions);
  std::memcpy(filter.data(), rest.data(), rest.size());
  return filter;
}

void SeccompCache::store(std::string_view text, const std::vector<sock_filter>& filter) const {
  Header header = {{}, text.size(), filter.size()};
  std::memcpy(header.magic, kMagic, sizeof kMagic);
  std::string entry(reinterpret_cast<const char*>(&header), sizeof header);
  entry.append(text);
  entry.append(reinterpret_cast<const char*>(filter.data()), filter.size() * sizeof(sock_filter));
  if (entry.size() > kLimit) return;
  make_room();
  (void)replace_file_at(directory_, name_of(text), entry, 0600);
}

void SeccompCache::make_room() const {
  UniqueFd copy(::openat(directory_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const std::unique_ptr<DIR, int (*)(DIR*)> dir(::fdopendir(copy.release()), &::closedir);
  if (!dir) return;
  std::size_t entries = 0;
  std::pair<time_t, std::string> oldest;
  while (const dirent* entry = ::readdir(dir.get())) {
    struct stat st = {};
    if (::fstatat(directory_.get(), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
        !S_ISREG(st.st_mode))
      continue;
    if (entries++ == 0 || st.st_mtime < oldest.first) oldest = {st.st_mtime, entry->d_name};
  }
  if (entries >= kEntries) (void)::unlinkat(directory_.get(), oldest.second.c_str(), 0);
}
