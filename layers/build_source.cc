// SPDX-License-Identifier: Apache-2.0
#include "build_source.h"

#include <algorithm>
#include <cerrno>

#include "common/beneath.h"

#include "directory_names.h"
#include "file_facts.h"
#include "file_stream.h"
#include "target_tree.h"

namespace {

constexpr int kOpenDirectory = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
constexpr int kOpenFile = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;

std::string join(const std::string& dir, const std::string& name) {
  return dir.empty() ? name : dir + "/" + name;
}

Error not_found(const SourceTree& tree, const std::string& word) {
  return Error{"'" + word + "' is not in " + tree.name, ENOENT,
               tree.ignore.ignores(clean_path(word)) ? "it is excluded by the ignore file" : ""};
}

std::vector<std::string> components(std::string_view path) {
  std::vector<std::string> out;
  while (!path.empty()) {
    const auto slash = path.find('/');
    out.emplace_back(path.substr(0, slash));
    path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
  }
  return out;
}

// The paths that a pattern means, one component after the other.
class Finder {
 public:
  Finder(const SourceTree& tree, std::vector<std::string> parts)
      : tree_(&tree), parts_(std::move(parts)) {}

  Result<std::vector<std::string>> run() {
    TRY(descend("", 0));
    std::ranges::sort(found_);
    const auto twice = std::ranges::unique(found_);
    found_.erase(twice.begin(), twice.end());
    return std::move(found_);
  }

 private:
  Result<void> descend(const std::string& dir, std::size_t part) {
    if (part == parts_.size()) {
      found_.push_back(dir);
      return {};
    }
    const std::string& pattern = parts_[part];
    if (!is_pattern(pattern)) return descend(join(dir, pattern), part + 1);
    if (pattern == "**") TRY(descend(dir, part + 1));
    auto fd = open_in_root(tree_->root, dir.empty() ? "." : dir, O_RDONLY | O_DIRECTORY);
    if (!fd && (fd.error().code == ENOTDIR || fd.error().code == ENOENT)) return {};
    if (!fd) return std::move(fd).error();
    for (const std::string& name : TRY(directory_names(*fd, dir))) {
      if (pattern == "**") {
        struct stat st = {};
        const bool below = ::fstatat(fd->get(), name.c_str(), &st, AT_SYMLINK_NOFOLLOW) == 0 &&
                           S_ISDIR(st.st_mode);
        if (below) TRY(descend(join(dir, name), part));
      } else if (path_match(pattern, name)) {
        TRY(descend(join(dir, name), part + 1));
      }
    }
    return {};
  }

  const SourceTree* tree_;
  std::vector<std::string> parts_;
  std::vector<std::string> found_;
};

class Walk {
 public:
  Walk(const SourceTree& tree, const FoundSource& source, const IgnoreRules& exclude,
       const SourceVisitor& visitor)
      : tree_(&tree), source_(&source), exclude_(&exclude), visitor_(&visitor) {}

  Result<void> directory(FdRef dir, const std::string& path) {
    auto names = TRY(directory_names(dir, join(source_->path, path)));
    std::ranges::sort(names);
    for (const std::string& name : names) TRY(entry(dir, name, join(path, name)));
    return {};
  }

 private:
  Result<void> entry(FdRef dir, const std::string& name, const std::string& path) {
    struct stat st = {};
    if (::fstatat(dir.get(), name.c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0)
      return errno_error("stat", path);
    if (S_ISSOCK(st.st_mode)) return {};
    const bool out = tree_->ignore.ignores(join(source_->path, path));
    const bool excluded = exclude_->ignores(path);
    if (!out && !excluded) TRY((*visitor_)({dir, name, path, st}));
    const bool enter =
        (!out || tree_->ignore.has_exceptions()) && (!excluded || exclude_->has_exceptions());
    if (!S_ISDIR(st.st_mode) || !enter) return {};
    const UniqueFd child = TRY(open_at(dir, name, kOpenDirectory));
    return directory(child, path);
  }

  const SourceTree* tree_;
  const FoundSource* source_;
  const IgnoreRules* exclude_;
  const SourceVisitor* visitor_;
};

Result<void> hash_content(const SourceItem& item, Sha256& hash) {
  FileStream file(TRY(open_item(item)), item.name);
  for (;;) {
    const std::string_view piece = TRY(file.next(static_cast<std::size_t>(-1)));
    if (piece.empty()) return {};
    hash.update(piece);
  }
}

}  // namespace

Result<std::vector<FoundSource>> find_sources(const SourceTree& tree, const std::string& word) {
  std::vector<std::string> paths = {clean_path(word)};
  if (is_pattern(word)) paths = TRY(Finder(tree, components(clean_path(word))).run());
  std::vector<FoundSource> out;
  for (const std::string& path : paths) {
    auto fd = open_in_root(tree.root, path.empty() ? "." : path, O_PATH);
    if (!fd && fd.error().code != ENOENT && fd.error().code != ENOTDIR)
      return std::move(fd).error();
    if (!fd) continue;
    FoundSource found{path, {}};
    if (::fstat(fd->get(), &found.st) != 0) return errno_error("stat", path);
    const bool dropped =
        tree.ignore.ignores(path) && !(S_ISDIR(found.st.st_mode) && tree.ignore.has_exceptions());
    if (!dropped) out.push_back(std::move(found));
  }
  if (out.empty()) return not_found(tree, word);
  return out;
}

Result<void> visit_source(const SourceTree& tree, const FoundSource& source,
                          const IgnoreRules& exclude, const SourceVisitor& visitor) {
  if (S_ISDIR(source.st.st_mode)) {
    const UniqueFd dir = TRY(
        open_in_root(tree.root, source.path.empty() ? "." : source.path, O_RDONLY | O_DIRECTORY));
    return Walk(tree, source, exclude, visitor).directory(dir, "");
  }
  if (!S_ISREG(source.st.st_mode))
    return Error{"'" + source.path + "' is neither file nor directory"};
  const UniqueFd file = TRY(open_in_root(tree.root, source.path, O_RDONLY | O_NONBLOCK));
  const std::string path;
  return visitor({kCwd, source.path, path, source.st, file});
}

Result<UniqueFd> open_item(const SourceItem& item) {
  if (item.file.get() < 0) return open_at(item.dir, item.name, kOpenFile);
  UniqueFd copy(::fcntl(item.file.get(), F_DUPFD_CLOEXEC, 0));
  if (!copy || ::lseek(copy.get(), 0, SEEK_SET) != 0) return errno_error("open", item.name);
  return copy;
}

Result<void> hash_source(const SourceTree& tree, const FoundSource& source,
                         const IgnoreRules& exclude, bool owners, Sha256& hash) {
  return visit_source(tree, source, exclude, [&](const SourceItem& item) -> Result<void> {
    std::string facts = item.path + '\0' + std::to_string(item.st.st_mode);
    if (owners)
      facts += " " + std::to_string(item.st.st_uid) + ":" + std::to_string(item.st.st_gid);
    if (S_ISREG(item.st.st_mode)) facts += " " + std::to_string(item.st.st_size);
    if (S_ISLNK(item.st.st_mode)) facts += " " + TRY(read_link_at(item.dir, item.name));
    hash.update(facts + '\0');
    return S_ISREG(item.st.st_mode) ? hash_content(item, hash) : Result<void>();
  });
}
