// SPDX-License-Identifier: Apache-2.0
// upper_changes.cc - an overlay's upper directory: all that it holds is a change,
// so the tree below is looked at only beside it.
#include <sys/stat.h>
#include <sys/xattr.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "directory_names.h"
#include "file_facts.h"
#include "tree_changes.h"
#include "xattrs.h"

namespace {

constexpr int kOpenDirectory = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
constexpr const char* kWhiteoutMark = "trusted.overlay.whiteout";  // the form without a device

std::string join(const std::string& dir, const std::string& name) {
  return dir.empty() ? name : dir + "/" + name;
}

std::string parent_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? std::string() : path.substr(0, slash);
}

bool is_opaque(FdRef dir) {
  std::array<char, 1> value = {};
  return ::fgetxattr(dir.get(), kOverlayOpaque, value.data(), value.size()) == 1 && value[0] == 'y';
}

bool is_marked_whiteout(FdRef dir, const std::string& name, const struct stat& st) {
  if (!S_ISREG(st.st_mode) || st.st_size != 0) return false;
  const std::string place = "/proc/self/fd/" + std::to_string(dir.get()) + "/" + name;
  return ::lgetxattr(place.c_str(), kWhiteoutMark, nullptr, 0) >= 0;
}

class UpperWalk {
 public:
  explicit UpperWalk(const UpperOptions& options) : options_(&options) {}

  // `lower` is invalid where nothing lies below.
  Result<void> directory(FdRef upper, FdRef lower, const std::string& path) {
    auto names = TRY(directory_names(upper, path));
    std::ranges::sort(names);
    TRY(deletions(upper, lower, names, path));
    for (const std::string& name : names) TRY(entry(upper, lower, name, join(path, name)));
    return {};
  }
  std::vector<Change> take() { return std::move(changes_); }
  bool changed() const { return !changes_.empty(); }
  // The first of all, known last.
  void root() { changes_.insert(changes_.begin(), {Change::Kind::Changed, ""}); }
  bool left_out_in(const std::string& path) const { return left_out_.contains(path); }

 private:
  static bool exists(FdRef dir, const std::string& name, struct stat& st) {
    return dir.get() >= 0 && ::fstatat(dir.get(), name.c_str(), &st, AT_SYMLINK_NOFOLLOW) == 0;
  }

  // Before the others: who applies them in order needs no second look.
  Result<void> deletions(FdRef upper, FdRef lower, std::vector<std::string>& names,
                         const std::string& path) {
    std::vector<std::string> deleted;
    std::erase_if(names, [&](const std::string& name) {
      struct stat st = {};
      if (!exists(upper, name, st)) return true;
      if (!is_whiteout(st) && !is_marked_whiteout(upper, name, st)) return false;
      if (exists(lower, name, st)) deleted.push_back(name);
      return true;
    });
    if (is_opaque(upper) && lower.get() >= 0)
      for (const std::string& name : TRY(directory_names(lower, path)))
        if (std::ranges::find(names, name) == names.end()) deleted.push_back(name);
    std::ranges::sort(deleted);
    const auto twice = std::ranges::unique(deleted);
    deleted.erase(twice.begin(), twice.end());
    for (const std::string& name : deleted)
      changes_.push_back({Change::Kind::Deleted, join(path, name)});
    return {};
  }

  Result<void> entry(FdRef upper, FdRef lower, const std::string& name, const std::string& path) {
    struct stat st = {};
    struct stat below = {};
    if (!exists(upper, name, st)) return errno_error("stat", path);
    const bool there = exists(lower, name, below);
    if (S_ISSOCK(st.st_mode)) return {};  // no archive can hold it
    if (!there && TRY(is_empty_mount_point(upper, name, path, st))) {
      left_out_.insert(
          path.substr(0, path.find_last_of('/') == std::string::npos ? 0 : path.find_last_of('/')));
      return {};
    }
    const auto kind = there ? Change::Kind::Changed : Change::Kind::Added;
    const Place above{upper, name, st};
    if (S_ISDIR(st.st_mode))
      return subdirectory(above, there ? Place{lower, name, below} : above, kind, path);
    const bool copied = there && S_ISREG(st.st_mode) && S_ISREG(below.st_mode);
    if (there && TRY(same_attributes(above, {lower, name, below}, true)) &&
        (!copied || TRY(same_content(above, {lower, name, below}))))
      return {};
    changes_.push_back({kind, path});
    return {};
  }

  // A directory without a change of its own is there for those below it.
  Result<void> subdirectory(const Place& above, const Place& below, Change::Kind kind,
                            const std::string& path) {
    const UniqueFd dir = TRY(open_at(above.dir, above.name, kOpenDirectory));
    UniqueFd lower;
    if (kind == Change::Kind::Changed && S_ISDIR(below.st.st_mode))
      lower = TRY(open_at(below.dir, below.name, kOpenDirectory));
    const std::size_t at = changes_.size();
    changes_.push_back({kind, path});
    TRY(directory(dir, lower, path));
    if (changes_.size() > at + 1) return {};
    // Made only to hold a mount point.
    if (kind == Change::Kind::Added && left_out_.contains(path)) {
      changes_.pop_back();
      left_out_.insert(parent_of(path));
      return {};
    }
    if (!lower) return {};
    // Making and leaving out a mount point changes only the time.
    if (TRY(same_attributes(above, below, !left_out_.contains(path)))) changes_.pop_back();
    return {};
  }

  Result<bool> is_empty_mount_point(FdRef dir, const std::string& name, const std::string& path,
                                    const struct stat& st) const {
    if (!options_->mount_points.contains(path)) return false;
    if (S_ISREG(st.st_mode)) return st.st_size == 0;
    if (!S_ISDIR(st.st_mode)) return false;
    const UniqueFd fd = TRY(open_at(dir, name, kOpenDirectory));
    const auto names = TRY(directory_names(fd, path));
    return names.empty();
  }

  const UpperOptions* options_;
  std::vector<Change> changes_;
  std::set<std::string> left_out_;  // directories with a mount point that was left out
};

// Only the attributes: an upper directory is never the same file as the one below.
Result<bool> root_changed(FdRef upper, FdRef lower, bool times) {
  if (lower.get() < 0) return true;
  struct stat above = {};
  struct stat below = {};
  if (::fstat(upper.get(), &above) != 0 || ::fstat(lower.get(), &below) != 0)
    return errno_error("stat", "root");
  const std::string self = ".";
  return !TRY(same_attributes({upper, self, above}, {lower, self, below}, times));
}

}  // namespace

Result<std::vector<Change>> upper_changes(FdRef upper, FdRef lower, const UpperOptions& options) {
  UpperWalk walk(options);
  TRY(walk.directory(upper, lower, ""));
  const bool times = !walk.left_out_in("");
  if (options.compare_root ? TRY(root_changed(upper, lower, times)) : walk.changed()) walk.root();
  return walk.take();
}
