// SPDX-License-Identifier: Apache-2.0
// layer_whiteouts.cc - the members that delete: ".wh.NAME" and ".wh..wh..opq".
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include <cerrno>

#include "common/beneath.h"

#include "directory_names.h"
#include "layer_applier.h"
#include "xattrs.h"

namespace {

constexpr std::string_view kOpaqueName = ".wh..wh..opq";
constexpr std::string_view kMetaPrefix = ".wh..wh.";  // AUFS's own files
constexpr std::string_view kPrefix = ".wh.";

std::string join(const std::string& dir, std::string_view name) {
  return dir.empty() ? std::string(name) : dir + "/" + std::string(name);
}

std::string parent_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? std::string() : path.substr(0, slash);
}

bool is_whiteout_device(const struct stat& st) {
  return S_ISCHR(st.st_mode) && st.st_rdev == 0;
}

}  // namespace

Result<void> LayerApplier::apply_whiteout(const std::string& path, std::string_view base) {
  if (base == kOpaqueName) return opaque(parent_of(path));
  if (base.starts_with(kMetaPrefix)) return {};
  // ".wh." alone, ".wh.." and ".wh..." would delete the directory or its parent.
  const std::string name(base.substr(kPrefix.size()));
  if (!is_plain_name(name)) return Error{"a whiteout of '" + name + "' has no meaning"};
  const std::string target = join(parent_of(path), name);
  return options_.form == LayerForm::Flat ? whiteout_flat(target) : whiteout_overlay(target);
}

Result<void> LayerApplier::whiteout_flat(const std::string& path) {
  if (options_.lowest) return {};
  auto name = tree_.enter_parent(path, TargetTree::Missing::Fail);
  if (!name && (name.error().code == ENOENT || name.error().code == ENOTDIR)) return {};
  if (!name) return std::move(name).error();
  TRY(clear_lower(tree_.dir(), *name, tree_.path_of(*name)));
  links_.forget();
  return {};
}

// Removes what lower layers left of `name`; true when nothing remains.
Result<bool> LayerApplier::clear_lower(FdRef dir, const std::string& name,
                                       const std::string& path) {
  const bool ours = made_here(path);
  if (!ours) {
    if (::unlinkat(dir.get(), name.c_str(), 0) == 0 || errno == ENOENT) return true;
    if (errno != EISDIR && errno != EPERM) return errno_error("remove", path);
  }
  const UniqueFd below(
      ::openat(dir.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!below && ours) return false;  // a file of this layer
  if (!below) return errno_error("open directory", path);
  const bool empty = TRY(clear_lower_children(below, path));
  if (ours || !empty) return false;
  if (::unlinkat(dir.get(), name.c_str(), AT_REMOVEDIR) != 0)
    return errno_error("remove directory", path);
  directory_times_.erase(path);
  return true;
}

Result<bool> LayerApplier::clear_lower_children(FdRef dir, const std::string& path) {
  bool empty = true;
  for (const std::string& name : TRY(directory_names(dir, path)))
    if (!TRY(clear_lower(dir, name, join(path, name)))) empty = false;
  return empty;
}

Result<void> LayerApplier::whiteout_overlay(const std::string& path) {
  const std::string name = TRY(tree_.enter_parent(path, TargetTree::Missing::Make));
  // Nothing of the lower layers shows in an opaque directory, and overlayfs
  // would list the device there.
  if (opaque_.contains(tree_.path())) return {};
  if (::mknodat(tree_.dir().get(), name.c_str(), S_IFCHR, ::makedev(0, 0)) == 0) return {};
  if (errno != EEXIST) return errno_error("create whiteout", path);
  const UniqueFd ours(
      ::openat(tree_.dir().get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!ours) return {};  // a file of this layer hides the lower one already
  return make_opaque(ours, tree_.path_of(name));
}

Result<void> LayerApplier::opaque(const std::string& path) {
  if (options_.form == LayerForm::Overlay) {
    // overlayfs does not read the mark on a layer's own root.
    needs_lower_ = needs_lower_ || path.empty();
    TRY(tree_.enter(path, TargetTree::Missing::Make));
    return make_opaque(tree_.dir(), tree_.path());
  }
  if (options_.lowest) return {};
  auto entered = tree_.enter(path, TargetTree::Missing::Fail);
  if (!entered && (entered.error().code == ENOENT || entered.error().code == ENOTDIR)) return {};
  TRY(std::move(entered));
  TRY(clear_lower_children(tree_.dir(), tree_.path()));
  links_.forget();
  return {};
}

Result<void> LayerApplier::make_opaque(FdRef dir, const std::string& path) {
  if (::fsetxattr(dir.get(), kOverlayOpaque, "y", 1, 0) != 0)
    return errno_error("mark as opaque", path,
                       "the store needs a file system with trusted attributes");
  opaque_.insert(path);
  for (const std::string& name : TRY(directory_names(dir, path))) {
    struct stat st = {};
    if (::fstatat(dir.get(), name.c_str(), &st, AT_SYMLINK_NOFOLLOW) == 0 && is_whiteout_device(st))
      (void)::unlinkat(dir.get(), name.c_str(), 0);
  }
  return {};
}
