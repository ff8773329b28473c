// SPDX-License-Identifier: Apache-2.0
// target_tree.h - where a member of a layer goes: the directory of its path, as
// a descriptor, with every link resolved inside the root.
//
// The walk is ours, one component at a time from an open directory with
// O_NOFOLLOW, so nothing that the layer planted can lead outside. The directories
// from the root to the last one used stay open, since the next member is nearly
// always beside it. They are descriptors, not names: a directory that is
// replaced by a link meanwhile can still not redirect what comes after. All the
// same, whoever removes or replaces a directory or a link calls forget().
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "common/fd.h"

// "usr/bin/x" out of "/usr//./bin/x", "./usr/bin/x" or "usr/lib/../bin/x"; empty
// for the root itself. ".." stops at the root.
std::string clean_path(std::string_view path);

inline constexpr std::size_t kDeepest = 256;  // directories below one another
inline constexpr std::size_t kLongestPath = 4096;

class TargetTree {
 public:
  // Told of every directory that the walk enters, before anything in it changes.
  class Listener {
   public:
    Listener() = default;
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;
    virtual ~Listener() = default;
    // `made`: it was missing and has been created (mode 0755, root).
    virtual Result<void> entered(const std::string& path, FdRef dir, const struct stat& st,
                                 bool made) = 0;
    // Something that is neither directory nor link stands in `dir` where a
    // directory has to be. True when it has made room.
    virtual Result<bool> in_the_way(FdRef dir, const std::string& name,
                                    const std::string& path) = 0;
  };

  TargetTree(FdRef root, Listener& listener);

  enum class Missing { Fail, Make };  // ENOENT, or mkdir

  // Goes to the directory `path` (clean).
  Result<void> enter(std::string_view path, Missing missing);
  // Goes to the directory that holds `path` (clean, not empty); its last component.
  Result<std::string> enter_parent(std::string_view path, Missing missing);

  // The directory where it stands: borrowed until the next call.
  FdRef dir() const { return levels_.back().fd; }
  // Its path with no link in it; empty for the root.
  const std::string& path() const { return path_; }
  // Path of a name in it.
  std::string path_of(std::string_view name) const;
  // Whether new files here get another owner, or mode, than they were made with.
  bool inherits() const { return levels_.back().inherits; }

  void forget();

 private:
  struct Level {
    UniqueFd fd;
    std::size_t path_size = 0;  // of path_ up to and including this level
    bool inherits = false;
  };
  Result<void> step(const std::string& name, std::vector<std::string>& rest, Missing missing);
  Result<void> push(UniqueFd fd, const std::string& name, bool made);
  Result<void> make(const std::string& name);
  Result<void> follow(const std::string& name, std::vector<std::string>& rest, Missing missing);
  void pop_to(std::size_t depth);

  Listener* listener_;
  std::vector<Level> levels_;  // [0] is the root
  std::string path_;
  std::string asked_;  // the path of the last enter(), which led here
  bool asked_valid_ = false;
  int links_ = 0;
};
