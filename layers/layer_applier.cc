// SPDX-License-Identifier: Apache-2.0
#include "layer_applier.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include <cerrno>
#include <functional>

#include "common/temp_dir.h"

#include "xattrs.h"

namespace {

constexpr mode_t kPermissions = 0777;
constexpr mode_t kSpecialBits = 07000;
constexpr const char* kDefaultAcl = "system.posix_acl_default";
constexpr const char* kAccessAcl = "system.posix_acl_access";

// {access, modification}: no tar that matters carries another access time.
std::array<timespec, 2> times_of(const timespec& mtime) {
  return {mtime, mtime};
}

mode_t node_type(TarType type) {
  if (type == TarType::Character) return S_IFCHR;
  if (type == TarType::Block) return S_IFBLK;
  return S_IFIFO;
}

bool has_default_acl(FdRef dir) {
  return ::fgetxattr(dir.get(), kDefaultAcl, nullptr, 0) > 0;
}

Error write_error(const std::string& path) {
  Error error = errno_error("write", path);
  if (error.code == ENOSPC) error.hint = "free space on the target's file system";
  return error;
}

Result<void> write_at(FdRef file, std::string_view text, std::uint64_t offset,
                      const std::string& path) {
  while (!text.empty()) {
    const ssize_t n = ::pwrite(file.get(), text.data(), text.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return write_error(path);
    text.remove_prefix(static_cast<std::size_t>(n));
    offset += static_cast<std::uint64_t>(n);
  }
  return {};
}

}  // namespace

LayerApplier::LayerApplier(FdRef root, ApplyOptions options)
    : options_(options),
      tree_(root, *this),
      links_(root, *this),
      our_uid_(::geteuid()),
      our_gid_(::getegid()) {
  inherited_acls_ = has_default_acl(tree_.dir());
}

Result<Applied> LayerApplier::apply(TarReader& tar) {
  struct stat st = {};
  if (::fstat(tree_.dir().get(), &st) != 0) return errno_error("stat", "root of the target");
  directory_times_[""] = st.st_mtim;
  TarEntry entry;
  for (std::uint64_t count = 0; TRY(tar.next(entry)); ++count) {
    if (count == options_.most_entries)
      return Error{"more than " + std::to_string(options_.most_entries) + " members", 0,
                   "raise it with --max-entries if the image is trusted"};
    auto applied = apply_entry(tar, entry);
    if (!applied)
      return std::move(applied).error().in("member '" + entry.name.substr(0, 200) + "'");
    if (needs_lower_) return Applied::NeedsLower;
  }
  TRY(apply_deferred_links());
  if (needs_lower_) return Applied::NeedsLower;
  TRY(restore_directory_times());
  return Applied::Complete;
}

Result<void> LayerApplier::entered(const std::string& path, FdRef dir, const struct stat& st,
                                   bool made) {
  (void)dir;
  if (made) {
    note_made(path);
    directory_times_[path] = {};
    // Its real attributes are those of the lower layer's directory.
    needs_lower_ = needs_lower_ || (options_.form == LayerForm::Overlay && !options_.files_only);
    return {};
  }
  directory_times_.try_emplace(path, st.st_mtim);
  return {};
}

Result<bool> LayerApplier::in_the_way(FdRef dir, const std::string& name, const std::string& path) {
  TRY(remove_existing(dir, name, path));
  return true;
}

void LayerApplier::note_made(const std::string& path) {
  if (options_.form == LayerForm::Flat && !options_.lowest)
    made_.insert(std::hash<std::string>()(path));
}

bool LayerApplier::made_here(const std::string& path) const {
  return made_.contains(std::hash<std::string>()(path));
}

Result<void> LayerApplier::apply_entry(TarReader& tar, TarEntry& entry) {
  const std::string path = clean_path(entry.name);
  if (path.empty()) return apply_root(entry);
  const std::string_view base = std::string_view(path).substr(path.rfind('/') + 1);
  if (base.starts_with(".wh.") && !options_.files_only && options_.whiteouts)
    return apply_whiteout(path, base);
  if (entry.type == TarType::HardLink) {
    const std::string target = clean_path(entry.link);
    if (!TRY(apply_link(path, target))) deferred_.emplace_back(path, target);
    return {};
  }
  const std::string name = TRY(tree_.enter_parent(path, TargetTree::Missing::Make));
  note_made(tree_.path_of(name));
  switch (entry.type) {
    case TarType::File:
      return apply_file(tar, entry, name);
    case TarType::Directory:
      return apply_directory(entry, name);
    case TarType::Symlink:
      return apply_symlink(entry, name);
    case TarType::Character:
    case TarType::Block:
    case TarType::Fifo:
    case TarType::HardLink:
      break;
  }
  return options_.files_only ? Result<void>() : apply_node(entry, name);
}

Result<void> LayerApplier::apply_root(const TarEntry& entry) {
  // Anything else would replace the root itself (CVE-2021-29136).
  if (entry.type != TarType::Directory) return Error{"the root can only be a directory"};
  TRY(tree_.enter("", TargetTree::Missing::Fail));
  TRY(set_owner_and_mode(tree_.dir(), entry, false));
  directory_times_[""] = entry.mtime;
  had_root_entry_ = true;
  return {};
}

// An archive's members are ours alone to read, whatever modes it gives them.
mode_t LayerApplier::permissions_of(const TarEntry& entry) const {
  if (!options_.files_only) return entry.mode & kPermissions;
  return entry.type == TarType::Directory ? 0700 : 0600;
}

// Calls make() until it succeeds, at most twice: what has the name goes away first.
template <class Create>
Result<void> LayerApplier::create(const std::string& name, Create&& make) {
  if (make() == 0) return {};
  if (errno != EEXIST) return errno_error("create", tree_.path_of(name));
  TRY(make_room(name));
  if (make() != 0) return errno_error("create", tree_.path_of(name));
  return {};
}

Result<void> LayerApplier::make_room(const std::string& name) {
  return remove_existing(tree_.dir(), name, tree_.path_of(name));
}

Result<void> LayerApplier::remove_existing(FdRef dir, const std::string& name,
                                           const std::string& path) {
  if (::unlinkat(dir.get(), name.c_str(), 0) == 0) {
    // It may have been a link through which links_ came to where it stands.
    links_.forget();
    return {};
  }
  if (errno != EISDIR && errno != EPERM) return errno_error("remove", path);
  const UniqueFd parent(::openat(dir.get(), ".", O_PATH | O_DIRECTORY | O_CLOEXEC));
  TRY(remove_tree(parent, name));
  // Nothing below it may be reached through what we still hold open. The
  // directory that holds it stays: it is not part of what went.
  links_.forget();
  directory_times_.erase(path);
  const auto below = directory_times_.lower_bound(path + "/");
  directory_times_.erase(below, directory_times_.lower_bound(path + "0"));  // '0' follows '/'
  std::erase_if(opaque_,
                [&](const std::string& o) { return o == path || o.starts_with(path + "/"); });
  return {};
}

Result<void> LayerApplier::apply_file(TarReader& tar, const TarEntry& entry,
                                      const std::string& name) {
  UniqueFd file;
  TRY(create(name, [&] {
    // O_EXCL: never an existing file, which may be a link or have other names.
    file.reset(::openat(tree_.dir().get(), name.c_str(),
                        O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                        permissions_of(entry)));
    return file ? 0 : -1;
  }));
  TRY(entry.is_sparse ? write_sparse(tar, entry, file) : write_data(tar, entry, file));
  TRY(set_owner_and_mode(file, entry, true));
  if (::futimens(file.get(), times_of(entry.mtime).data()) != 0)
    return errno_error("set times of", tree_.path_of(name));
  return {};
}

Result<void> LayerApplier::write_data(TarReader& tar, const TarEntry& entry, FdRef file) {
  for (;;) {
    std::string_view piece = TRY(tar.data());
    if (piece.empty()) return {};
    while (!piece.empty()) {
      const ssize_t n = ::write(file.get(), piece.data(), piece.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return write_error(clean_path(entry.name));
      piece.remove_prefix(static_cast<std::size_t>(n));
    }
  }
}

Result<void> LayerApplier::write_sparse(TarReader& tar, const TarEntry& entry, FdRef file) {
  if (::ftruncate(file.get(), static_cast<off_t>(entry.real_size)) != 0)
    return errno_error("set the size of", clean_path(entry.name));
  for (TarExtent extent : entry.sparse) {
    std::string_view piece;
    while (extent.length > 0) {
      if (piece.empty()) piece = TRY(tar.data_at_most(extent.length));
      if (piece.empty()) return Error{"sparse map does not fit the size of the data"};
      TRY(write_at(file, piece, extent.offset, clean_path(entry.name)));
      extent.offset += piece.size();
      extent.length -= piece.size();
      piece = {};
    }
  }
  return {};
}

// Owner, then mode (chown clears setuid), then attributes (chown clears capabilities too).
Result<void> LayerApplier::set_owner_and_mode(FdRef file, const TarEntry& entry, bool fresh) {
  if (options_.files_only) return {};
  const std::string path = clean_path(entry.name);
  const bool own = fresh && entry.uid == our_uid_ && entry.gid == our_gid_ && !tree_.inherits();
  if (!own && ::fchown(file.get(), entry.uid, entry.gid) != 0) {
    Error error = errno_error("change owner of", path);
    if (error.code == EPERM) error.hint = "run as root";
    return error;
  }
  if (fresh && inherited_acls_) {
    (void)::fremovexattr(file.get(), kAccessAcl);
    (void)::fremovexattr(file.get(), kDefaultAcl);
  }
  const bool special = (entry.mode & kSpecialBits) != 0;
  if ((!fresh || special || inherited_acls_ || tree_.inherits()) &&
      ::fchmod(file.get(), entry.mode) != 0)
    return errno_error("change mode of", path);
  if (!fresh) TRY(remove_other_xattrs(file, entry.xattrs, path));
  return set_xattrs(file, entry.xattrs, path);
}

Result<void> LayerApplier::apply_directory(const TarEntry& entry, const std::string& name) {
  const std::string path = tree_.path_of(name);
  const int parent = tree_.dir().get();
  bool fresh = ::mkdirat(parent, name.c_str(), permissions_of(entry)) == 0;
  bool over_whiteout = false;
  if (!fresh) {
    if (errno != EEXIST) return errno_error("create directory", path);
    struct stat st = {};
    if (::fstatat(parent, name.c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0)
      return errno_error("stat", path);
    if (!S_ISDIR(st.st_mode)) {
      over_whiteout = options_.form == LayerForm::Overlay && S_ISCHR(st.st_mode) && st.st_rdev == 0;
      TRY(make_room(name));
      if (::mkdirat(parent, name.c_str(), permissions_of(entry)) != 0)
        return errno_error("create directory", path);
      fresh = true;
    }
  }
  const UniqueFd dir(
      ::openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!dir) return errno_error("open directory", path);
  TRY(set_owner_and_mode(dir, entry, fresh));
  if (over_whiteout) TRY(make_opaque(dir, path));
  inherited_acls_ = inherited_acls_ || (!entry.xattrs.empty() && has_default_acl(dir));
  directory_times_[path] = entry.mtime;
  return {};
}

Result<void> LayerApplier::apply_symlink(const TarEntry& entry, const std::string& name) {
  TRY(create(name,
             [&] { return ::symlinkat(entry.link.c_str(), tree_.dir().get(), name.c_str()); }));
  return finish_unopened(entry, name);
}

Result<void> LayerApplier::apply_node(const TarEntry& entry, const std::string& name) {
  if (options_.form == LayerForm::Overlay && entry.type == TarType::Character && entry.major == 0 &&
      entry.minor == 0)
    return Error{"a character device 0:0 would hide a file of the layers below"};
  TRY(create(name, [&] {
    return ::mknodat(tree_.dir().get(), name.c_str(),
                     node_type(entry.type) | (entry.mode & kPermissions),
                     ::makedev(entry.major, entry.minor));
  }));
  return finish_unopened(entry, name);
}

// What cannot or must not be opened: links, devices, FIFOs.
Result<void> LayerApplier::finish_unopened(const TarEntry& entry, const std::string& name) {
  if (options_.files_only) return {};
  const int dir = tree_.dir().get();
  const bool own = entry.uid == our_uid_ && entry.gid == our_gid_ && !tree_.inherits();
  if (!own && ::fchownat(dir, name.c_str(), entry.uid, entry.gid, AT_SYMLINK_NOFOLLOW) != 0)
    return errno_error("change owner of", tree_.path_of(name));
  if (entry.type != TarType::Symlink && ((entry.mode & kSpecialBits) != 0 || inherited_acls_)) {
    // It was made a moment ago in a directory that only we write: no link can be here.
    if (::fchmodat(dir, name.c_str(), entry.mode, 0) != 0)
      return errno_error("change mode of", tree_.path_of(name));
  }
  TRY(set_xattrs_at(tree_.dir(), name, entry.xattrs, tree_.path_of(name)));
  if (::utimensat(dir, name.c_str(), times_of(entry.mtime).data(), AT_SYMLINK_NOFOLLOW) != 0)
    return errno_error("set times of", tree_.path_of(name));
  return {};
}

// False when the target is not there (yet).
Result<bool> LayerApplier::apply_link(const std::string& path, const std::string& target) {
  if (target.empty()) return Error{"a hard link to the root"};
  const std::string name = TRY(tree_.enter_parent(path, TargetTree::Missing::Make));
  auto found = links_.enter_parent(target, TargetTree::Missing::Fail);
  if (!found && (found.error().code == ENOENT || found.error().code == ENOTDIR)) return false;
  if (!found) return std::move(found).error();
  const std::string target_name = std::move(*found);
  struct stat st = {};
  if (::fstatat(links_.dir().get(), target_name.c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno == ENOENT) return false;
    return errno_error("stat", target);
  }
  if (options_.form == LayerForm::Overlay && S_ISCHR(st.st_mode) && st.st_rdev == 0) return false;
  note_made(tree_.path_of(name));
  if (tree_.path_of(name) == links_.path_of(target_name)) return true;  // to itself
  // Its own descriptor: making room for `name` may take links_ elsewhere.
  const UniqueFd from(::openat(links_.dir().get(), ".", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!from) return errno_error("open directory", target);
  // Without AT_SYMLINK_FOLLOW: a link to a symbolic link is a link to that link.
  TRY(create(name, [&] {
    return ::linkat(from.get(), target_name.c_str(), tree_.dir().get(), name.c_str(), 0);
  }));
  return true;
}

// Links that stand before their target in the archive.
Result<void> LayerApplier::apply_deferred_links() {
  for (const auto& [path, target] : deferred_) {
    if (TRY(apply_link(path, target))) continue;
    if (options_.form == LayerForm::Flat)
      return Error{"hard link '" + path + "': its target '" + target + "' does not exist"};
    needs_lower_ = true;
    break;
  }
  deferred_.clear();
  return {};
}

Result<void> LayerApplier::restore_directory_times() {
  // A copy: walking there is entering, which must not add what we iterate over.
  const auto times = std::move(directory_times_);
  directory_times_.clear();
  // Children before parents is not needed: setting times changes no directory.
  for (const auto& [path, mtime] : times) {
    TRY(tree_.enter(path, TargetTree::Missing::Fail));
    if (::futimens(tree_.dir().get(), times_of(mtime).data()) != 0)
      return errno_error("set times of", path);
  }
  tree_.forget();
  links_.forget();
  directory_times_.clear();
  made_.clear();
  return {};
}
