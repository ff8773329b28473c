// SPDX-License-Identifier: Apache-2.0
#include "build_copy.h"

#include <sys/sysmacros.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>
#include <memory>
#include <set>

#include "common/beneath.h"
#include "common/cli.h"

#include "file_facts.h"
#include "file_stream.h"
#include "layer_applier.h"
#include "layer_stream.h"
#include "tar_reader.h"
#include "target_tree.h"
#include "xattrs.h"

namespace {

Result<void> copy_data(FdRef from, FdRef to, const std::string& path) {
  bool by_kernel = true;
  std::vector<char> buffer;
  for (;;) {
    ssize_t n = 0;
    if (by_kernel) {
      n = ::copy_file_range(from.get(), nullptr, to.get(), nullptr, std::size_t{1} << 30, 0);
      if (n < 0 && errno != EINTR && errno != ENOSPC) {
        by_kernel = false;  // not between these two file systems
        buffer.resize(std::size_t{256} << 10);
        continue;
      }
    } else {
      n = ::read(from.get(), buffer.data(), buffer.size());
      if (n > 0) TRY(write_all(to, {buffer.data(), static_cast<std::size_t>(n)}, path));
    }
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno_error("copy", path);
    if (n == 0) return {};
  }
}

class Copier final : private TargetTree::Listener {
 public:
  Copier(FdRef rootfs, const CopyOptions& options) : options_(&options), tree_(rootfs, *this) {}

  Result<void> item(const SourceItem& item, const std::string& target) {
    if (S_ISDIR(item.st.st_mode)) return directory(item, target);
    const std::string name = TRY(tree_.enter_parent(target, TargetTree::Missing::Make));
    if (name.empty()) return Error{"the root cannot be replaced by a file"};
    TRY(make_room(name));
    if (item.st.st_nlink > 1 && TRY(link(item, name))) return {};
    if (S_ISREG(item.st.st_mode)) return file(item, name);
    return other(item, name);
  }

  Result<void> text(std::string_view text, const std::string& target) {
    const std::string name = TRY(tree_.enter_parent(target, TargetTree::Missing::Make));
    TRY(make_room(name));
    const UniqueFd file = TRY(create(name));
    TRY(write_all(file, text, target));
    return set_attributes(file, {}, 0644, target);
  }

  Result<void> enter(const std::string& target) {
    return tree_.enter(target, TargetTree::Missing::Make);
  }

  // When nothing more is put into them.
  Result<void> finish() {
    const auto times = std::move(times_);
    times_.clear();
    for (const auto& [path, time] : times) {
      TRY(tree_.enter(path, TargetTree::Missing::Fail));
      const std::array<timespec, 2> both = {time, time};
      if (::futimens(tree_.dir().get(), both.data()) != 0) return errno_error("set times of", path);
    }
    return {};
  }

 private:
  Result<void> entered(const std::string& path, FdRef dir, const struct stat& st,
                       bool made) override {
    (void)st;
    if (!made) return {};
    made_.insert(path);
    if (options_->owner && ::fchown(dir.get(), options_->owner->uid, options_->owner->gid) != 0)
      return errno_error("change owner of", path);
    return {};
  }
  Result<bool> in_the_way(FdRef, const std::string&, const std::string&) override { return false; }

  Result<void> make_room(const std::string& name) {
    if (::unlinkat(tree_.dir().get(), name.c_str(), 0) == 0 || errno == ENOENT) return {};
    return errno_error("replace by a file", tree_.path_of(name));
  }

  Result<UniqueFd> create(const std::string& name) {
    return open_at(tree_.dir(), name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
  }

  Owner owner_of(const struct stat& st) const {
    return options_->owner.value_or(Owner{st.st_uid, st.st_gid});
  }

  Result<mode_t> mode_of(mode_t mode) const {
    if (options_->mode.empty()) return mode & 07777U;
    const auto changed = change_mode(options_->mode, mode & 07777U);
    if (!changed) return Error{"--chmod=" + options_->mode + ": expected 755, u+x or the like"};
    return *changed;
  }

  Result<void> set_attributes(FdRef file, const Owner& source, mode_t mode,
                              const std::string& path) {
    const Owner owner = options_->owner.value_or(source);
    const mode_t wanted = TRY(mode_of(mode));
    if (::fchown(file.get(), owner.uid, owner.gid) != 0)
      return errno_error("change owner of", path);
    if (::fchmod(file.get(), wanted) != 0) return errno_error("change mode of", path);
    return {};
  }

  Result<void> directory(const SourceItem& item, const std::string& target) {
    TRY(tree_.enter(target, TargetTree::Missing::Make));
    const std::string path = tree_.path();
    if (!made_.contains(path)) return {};  // what was there stays as it was
    TRY(set_attributes(tree_.dir(), {item.st.st_uid, item.st.st_gid}, item.st.st_mode, path));
    const Xattrs xattrs = TRY(read_xattrs_at(item.dir, item.name, item.path));
    TRY(set_xattrs(tree_.dir(), xattrs, path));
    times_[path] = item.st.st_mtim;
    return {};
  }

  // The second name of a file that is here already.
  Result<bool> link(const SourceItem& item, const std::string& name) {
    const auto [first, is_new] =
        links_.try_emplace({item.st.st_dev, item.st.st_ino}, UniqueFd(), name);
    if (is_new) {
      first->second.first.reset(::openat(tree_.dir().get(), ".", O_PATH | O_DIRECTORY | O_CLOEXEC));
      return false;
    }
    const auto& [dir, old] = first->second;
    if (::linkat(dir.get(), old.c_str(), tree_.dir().get(), name.c_str(), 0) != 0)
      return errno_error("link", tree_.path_of(name));
    return true;
  }

  Result<void> file(const SourceItem& item, const std::string& name) {
    const std::string path = tree_.path_of(name);
    const UniqueFd from = TRY(open_item(item));
    const UniqueFd to = TRY(create(name));
    TRY(copy_data(from, to, path));
    TRY(set_attributes(to, {item.st.st_uid, item.st.st_gid}, item.st.st_mode, path));
    const Xattrs xattrs = TRY(read_xattrs(from, path));
    TRY(set_xattrs(to, xattrs, path));
    const std::array<timespec, 2> times = {item.st.st_mtim, item.st.st_mtim};
    if (::futimens(to.get(), times.data()) != 0) return errno_error("set times of", path);
    return {};
  }

  Result<void> other(const SourceItem& item, const std::string& name) {
    const int dir = tree_.dir().get();
    const std::string path = tree_.path_of(name);
    const bool is_link = S_ISLNK(item.st.st_mode);
    if (is_link) {
      const std::string target = TRY(read_link_at(item.dir, item.name));
      if (::symlinkat(target.c_str(), dir, name.c_str()) != 0) return errno_error("create", path);
    } else if (::mknodat(dir, name.c_str(), item.st.st_mode, item.st.st_rdev) != 0) {
      return errno_error("create", path);
    }
    const Owner owner = owner_of(item.st);
    const std::array<timespec, 2> times = {item.st.st_mtim, item.st.st_mtim};
    if (::fchownat(dir, name.c_str(), owner.uid, owner.gid, AT_SYMLINK_NOFOLLOW) != 0 ||
        ::utimensat(dir, name.c_str(), times.data(), AT_SYMLINK_NOFOLLOW) != 0)
      return errno_error("change owner of", path);
    return {};
  }

  const CopyOptions* options_;
  TargetTree tree_;
  std::set<std::string> made_;
  std::map<std::string, timespec> times_;
  std::map<std::pair<dev_t, ino_t>, std::pair<UniqueFd, std::string>> links_;
};

// [ugoa]*[+-=][rwxXst]*, without commas.
std::optional<mode_t> change_once(std::string_view text, mode_t mode) {
  mode_t who = 0;
  for (; !text.empty(); text.remove_prefix(1)) {
    if (text[0] == 'u')
      who |= 04700;
    else if (text[0] == 'g')
      who |= 02070;
    else if (text[0] == 'o')
      who |= 01007;
    else if (text[0] == 'a')
      who |= 07777;
    else
      break;
  }
  if (who == 0) who = 07777;
  if (text.empty() || std::string_view("+-=").find(text[0]) == std::string_view::npos)
    return std::nullopt;
  const char sign = text[0];
  mode_t bits = 0;
  for (const char c : text.substr(1)) {
    if (c == 'r')
      bits |= 0444;
    else if (c == 'w')
      bits |= 0222;
    else if (c == 'x')
      bits |= 0111;
    else if (c == 'X')
      bits |= S_ISDIR(mode) || (mode & 0111U) != 0 ? 0111 : 0;
    else if (c == 's')
      bits |= 06000;
    else if (c == 't')
      bits |= 01000;
    else
      return std::nullopt;
  }
  bits &= who;
  if (sign == '+') return mode | bits;
  return sign == '-' ? mode & ~bits : (mode & ~who) | bits;
}

}  // namespace

std::optional<mode_t> change_mode(const std::string& text, mode_t mode) {
  if (!text.empty() && text.find_first_not_of("01234567") == std::string::npos) {
    const unsigned long value = std::stoul(text, nullptr, 8);
    return value <= 07777 ? std::optional(static_cast<mode_t>(value)) : std::nullopt;
  }
  std::string_view rest = text;
  while (!rest.empty()) {
    const auto comma = rest.find(',');
    const auto changed = change_once(rest.substr(0, comma), mode);
    if (!changed) return std::nullopt;
    mode = *changed;
    rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
  }
  return text.empty() ? std::nullopt : std::optional(mode);
}

Result<Owner> resolve_owner(FdRef rootfs, const std::string& text) {
  const bool number = text.find_first_not_of("0123456789") == std::string::npos;
  auto user = resolve_user(rootfs, number ? text + ":" + text : text);
  if (!user) return std::move(user).error().in("--chown=" + text);
  return Owner{user->uid, user->gid};
}

bool is_directory_in(FdRef rootfs, const std::string& path) {
  return static_cast<bool>(open_in_root(rootfs, path.empty() ? "." : path, O_PATH | O_DIRECTORY));
}

Result<void> copy_source(const SourceTree& tree, const FoundSource& source, FdRef rootfs,
                         const std::string& target, const CopyOptions& options) {
  Copier copier(rootfs, options);
  if (S_ISDIR(source.st.st_mode)) TRY(copier.enter(target));
  TRY(visit_source(tree, source, options.exclude, [&](const SourceItem& item) -> Result<void> {
    const std::string place =
        item.path.empty() ? target : (target.empty() ? item.path : target + "/" + item.path);
    auto copied = copier.item(item, place);
    if (!copied) return std::move(copied).error().in("'/" + place + "'");
    return {};
  }));
  return copier.finish();
}

Result<void> copy_open_file(FdRef file, const struct stat& st, FdRef rootfs,
                            const std::string& target, const CopyOptions& options) {
  const std::string path;
  return Copier(rootfs, options).item({kCwd, target, path, st, file}, target);
}

Result<void> write_into(FdRef rootfs, const std::string& target, std::string_view text,
                        const CopyOptions& options) {
  return Copier(rootfs, options).text(text, target);
}

Result<bool> is_archive(FdRef file) {
  std::array<char, 512> block = {};
  const ssize_t n = ::pread(file.get(), block.data(), block.size(), 0);
  if (n < 0) return errno_error("read", "file");
  const std::string_view text(block.data(), static_cast<std::size_t>(n));
  if (compression_of(text) == Compression::None) return text.substr(0, 262).ends_with("ustar");
  // Compressed, but what? Its first member tells.
  UniqueFd copy(::fcntl(file.get(), F_DUPFD_CLOEXEC, 0));
  if (!copy || ::lseek(copy.get(), 0, SEEK_SET) != 0) return errno_error("read", "file");
  LayerStream stream(std::make_unique<FileStream>(std::move(copy), "archive"), {});
  TarReader tar(stream);
  TarEntry entry;
  const auto first = tar.next(entry);
  return first && *first;
}

Result<void> extract_archive(UniqueFd file, FdRef rootfs, const std::string& target) {
  if (::lseek(file.get(), 0, SEEK_SET) != 0) return errno_error("read", "archive");
  const UniqueFd made = TRY(make_directories_in_root(rootfs, target.empty() ? "." : target));
  LayerStream stream(std::make_unique<FileStream>(std::move(file), "archive"), {});
  TarReader tar(stream);
  LayerApplier applier(made, {.lowest = false, .whiteouts = false});
  TRY(applier.apply(tar));
  TRY(stream.finish());
  return {};
}
