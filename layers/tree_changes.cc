// SPDX-License-Identifier: Apache-2.0
#include "tree_changes.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <utility>

#include "directory_names.h"
#include "file_facts.h"

namespace {

constexpr int kOpenDirectory = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

std::string join(const std::string& dir, const std::string& name) {
  return dir.empty() ? name : dir + "/" + name;
}

using Inode = std::pair<dev_t, ino_t>;

// Names of one file, of which a layer must carry all or none: a reader cannot
// know that a new file and one of a layer below are the same.
struct Links {
  std::size_t names = 0;
  std::size_t changed = 0;
};

class TreeWalk {
 public:
  explicit TreeWalk(std::set<Inode> forced) : forced_(std::move(forced)) {}

  // `old_dir` is invalid below a new directory.
  Result<void> directory(FdRef old_dir, FdRef new_dir, const std::string& path) {
    std::vector<std::string> names = TRY(directory_names(new_dir, path));
    std::vector<std::string> old_names;
    if (old_dir.get() >= 0) old_names = TRY(directory_names(old_dir, path));
    std::ranges::sort(names);
    std::ranges::sort(old_names);
    std::vector<std::string> deleted;
    std::ranges::set_difference(old_names, names, std::back_inserter(deleted));
    for (const std::string& name : deleted)
      changes_.push_back({Change::Kind::Deleted, join(path, name)});
    for (const std::string& name : names) TRY(entry(old_dir, new_dir, name, join(path, name)));
    return {};
  }

  // Files that changed under some of their names only.
  std::set<Inode> torn() const {
    std::set<Inode> out;
    for (const auto& [inode, links] : links_)
      if (links.changed != 0 && links.changed != links.names) out.insert(inode);
    return out;
  }
  std::vector<Change> take() { return std::move(changes_); }
  void root() { changes_.insert(changes_.begin(), {Change::Kind::Changed, ""}); }

 private:
  Result<void> entry(FdRef old_dir, FdRef new_dir, const std::string& name,
                     const std::string& path) {
    struct stat st = {};
    struct stat was = {};
    if (::fstatat(new_dir.get(), name.c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0)
      return errno_error("stat", path);
    const bool there = old_dir.get() >= 0 &&
                       ::fstatat(old_dir.get(), name.c_str(), &was, AT_SYMLINK_NOFOLLOW) == 0;
    if (S_ISSOCK(st.st_mode)) return {};  // no archive can hold it
    const bool same =
        there && TRY(same_attributes({new_dir, name, st}, {old_dir, name, was}, true));
    const auto kind = there ? Change::Kind::Changed : Change::Kind::Added;
    if (S_ISDIR(st.st_mode)) {
      const bool both = there && S_ISDIR(was.st_mode);
      UniqueFd old_child;
      if (both) old_child = TRY(open_at(old_dir, name, kOpenDirectory));
      const UniqueFd child = TRY(open_at(new_dir, name, kOpenDirectory));
      const std::size_t at = changes_.size();
      changes_.push_back({kind, path});
      TRY(directory(old_child, child, path));
      if (same && changes_.size() == at + 1) changes_.pop_back();
      return {};
    }
    const bool changed = !same || forced_.contains({st.st_dev, st.st_ino});
    if (st.st_nlink > 1) {
      Links& links = links_[{st.st_dev, st.st_ino}];
      ++links.names;
      if (changed) ++links.changed;
    }
    if (changed) changes_.push_back({kind, path});
    return {};
  }

  std::set<Inode> forced_;
  std::map<Inode, Links> links_;
  std::vector<Change> changes_;
};

}  // namespace

Result<std::vector<Change>> tree_changes(FdRef old_root, FdRef new_root) {
  struct stat was = {};
  struct stat st = {};
  if (::fstat(new_root.get(), &st) != 0) return errno_error("stat", "root");
  if (old_root.get() >= 0 && ::fstat(old_root.get(), &was) != 0) return errno_error("stat", "root");
  const std::string self = ".";
  const bool same = old_root.get() >= 0 &&
                    TRY(same_attributes({new_root, self, st}, {old_root, self, was}, true));
  for (std::set<Inode> forced;;) {
    TreeWalk walk(forced);
    TRY(walk.directory(old_root, new_root, ""));
    const std::set<Inode> torn = walk.torn();
    if (torn.empty()) {
      if (!same) walk.root();
      return walk.take();
    }
    forced.insert(torn.begin(), torn.end());
  }
}
