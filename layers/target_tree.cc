// SPDX-License-Identifier: Apache-2.0
#include "target_tree.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>

namespace {

constexpr int kMostLinks = 40;  // as the kernel's own walk
constexpr int kOpenDirectory = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

// The components of a path, last first, so that the next one is at the back.
void push_components(std::string_view path, std::vector<std::string>& rest) {
  while (!path.empty()) {
    const auto slash = path.rfind('/');
    const std::string_view name = slash == std::string_view::npos ? path : path.substr(slash + 1);
    if (!name.empty() && name != ".") rest.emplace_back(name);
    path = slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
  }
}

Result<std::string> read_link(FdRef dir, const std::string& name) {
  std::array<char, PATH_MAX> target = {};
  const ssize_t n = ::readlinkat(dir.get(), name.c_str(), target.data(), target.size());
  if (n < 0) return errno_error("read link", name);
  return std::string(target.data(), static_cast<std::size_t>(n));
}

}  // namespace

std::string clean_path(std::string_view path) {
  std::string out;
  while (!path.empty()) {
    const auto slash = path.find('/');
    const std::string_view name = path.substr(0, slash);
    path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
    if (name.empty() || name == ".") continue;
    if (name == "..") {
      const auto parent = out.rfind('/');
      out.resize(parent == std::string::npos ? 0 : parent);
      continue;
    }
    if (!out.empty()) out += '/';
    out += name;
  }
  return out;
}

TargetTree::TargetTree(FdRef root, Listener& listener) : listener_(&listener) {
  UniqueFd fd(::openat(root.get(), ".", kOpenDirectory));
  struct stat st = {};
  const bool inherits = ::fstat(fd.get(), &st) == 0 && (st.st_mode & S_ISGID) != 0;
  levels_.push_back({std::move(fd), 0, inherits});
}

std::string TargetTree::path_of(std::string_view name) const {
  std::string out = path_;
  if (!out.empty()) out += '/';
  return out.append(name);
}

void TargetTree::pop_to(std::size_t depth) {
  levels_.resize(std::max<std::size_t>(depth, 1));
  path_.resize(levels_.back().path_size);
}

void TargetTree::forget() {
  pop_to(1);
  asked_valid_ = false;
}

Result<std::string> TargetTree::enter_parent(std::string_view path, Missing missing) {
  const auto slash = path.rfind('/');
  TRY(enter(slash == std::string_view::npos ? std::string_view() : path.substr(0, slash), missing));
  return std::string(slash == std::string_view::npos ? path : path.substr(slash + 1));
}

Result<void> TargetTree::enter(std::string_view path, Missing missing) {
  if (asked_valid_ && asked_ == path) return {};
  if (path.size() >= kLongestPath) return Error{"path is longer than 4095 bytes", ENAMETOOLONG};
  asked_valid_ = false;
  // What is open already and on the way stays.
  std::size_t depth = 1;
  std::size_t same = 0;
  for (; depth < levels_.size(); ++depth) {
    const std::size_t end = levels_[depth].path_size;
    if (path.size() < end || path.compare(same, end - same, path_, same, end - same) != 0) break;
    if (path.size() > end && path[end] != '/') break;
    same = end;
  }
  pop_to(depth);
  std::vector<std::string> rest;
  push_components(path.substr(same), rest);
  links_ = 0;
  while (!rest.empty()) {
    const std::string name = std::move(rest.back());
    rest.pop_back();
    TRY(step(name, rest, missing));
  }
  asked_ = path;
  asked_valid_ = true;
  return {};
}

Result<void> TargetTree::step(const std::string& name, std::vector<std::string>& rest,
                              Missing missing) {
  if (name == "..") {  // out of a link's target: levels_ has no link in it, so this is exact
    pop_to(levels_.size() - 1);
    return {};
  }
  UniqueFd fd(::openat(dir().get(), name.c_str(), kOpenDirectory));
  if (fd) return push(std::move(fd), name, false);
  if (errno == ENOENT && missing == Missing::Make) return make(name);
  if (errno == ENOTDIR || errno == ELOOP) return follow(name, rest, missing);
  return errno_error("open directory", path_of(name));
}

Result<void> TargetTree::push(UniqueFd fd, const std::string& name, bool made) {
  if (levels_.size() > kDeepest)
    return Error{"more than " + std::to_string(kDeepest) + " directories below one another"};
  struct stat st = {};
  if (::fstat(fd.get(), &st) != 0) return errno_error("stat", path_of(name));
  path_ = path_of(name);
  levels_.push_back({std::move(fd), path_.size(), (st.st_mode & S_ISGID) != 0});
  return listener_->entered(path_, dir(), st, made);
}

Result<void> TargetTree::make(const std::string& name) {
  if (::mkdirat(dir().get(), name.c_str(), 0755) != 0)
    return errno_error("create directory", path_of(name));
  UniqueFd fd(::openat(dir().get(), name.c_str(), kOpenDirectory));
  if (!fd) return errno_error("open directory", path_of(name));
  // A set-group-ID parent hands its group and that bit on; a directory without
  // an entry of its own is plainly root's.
  if (inherits() && (::fchown(fd.get(), 0, 0) != 0 || ::fchmod(fd.get(), 0755) != 0))
    return errno_error("change owner of", path_of(name));
  return push(std::move(fd), name, true);
}

Result<void> TargetTree::follow(const std::string& name, std::vector<std::string>& rest,
                                Missing missing) {
  auto target = read_link(dir(), name);
  if (!target && target.error().code == EINVAL) {  // neither directory nor link
    if (missing == Missing::Make && TRY(listener_->in_the_way(dir(), name, path_of(name))))
      return make(name);
    return Error{"'" + path_of(name) + "' is not a directory", ENOTDIR};
  }
  if (!target) return std::move(target).error();
  if (++links_ > kMostLinks) return Error{"too many links at '" + path_of(name) + "'", ELOOP};
  if (target->starts_with('/')) pop_to(1);
  if (rest.size() > kLongestPath) return Error{"path is too long", ENAMETOOLONG};
  push_components(*target, rest);
  return {};
}
