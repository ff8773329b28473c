// SPDX-License-Identifier: Apache-2.0
#include "usage.h"

#include <sys/stat.h>

#include <cerrno>
#include <set>

#include "common/beneath.h"

#include "directory_names.h"
#include "reachable.h"

namespace {

// Blocks of one directory tree; a file with several names counts once.
class Tree {
 public:
  std::uint64_t bytes() const { return bytes_; }

  // What goes away meanwhile takes no room.
  void add(FdRef dir, const std::string& name) {
    struct stat st = {};
    if (::fstatat(dir.get(), name.c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0) return;
    if (st.st_nlink > 1 && !S_ISDIR(st.st_mode) && !seen_.insert(st.st_ino).second) return;
    bytes_ += static_cast<std::uint64_t>(st.st_blocks) * 512;
    if (!S_ISDIR(st.st_mode)) return;
    const auto below = open_same_mount(dir, name, O_RDONLY | O_DIRECTORY);
    const auto names = below ? directory_names(*below, name)
                             : Result<std::vector<std::string>>(std::vector<std::string>());
    if (!names) return;
    for (const std::string& entry : *names) add(*below, entry);
  }

 private:
  std::set<ino_t> seen_;
  std::uint64_t bytes_ = 0;
};

template <class Needed>
Result<void> measure(FdRef root, const std::string& path, Needed needed, Usage::Part& out) {
  const auto dir = open_at(root, path, O_RDONLY | O_DIRECTORY);
  if (!dir && dir.error().code == ENOENT) return {};  // no build has been here
  if (!dir) return dir.error();
  for (const std::string& name : TRY(directory_names(*dir, path))) {
    Tree tree;
    tree.add(*dir, name);
    ++out.count;
    out.bytes += tree.bytes();
    if (!needed(name)) out.reclaimable += tree.bytes();
  }
  return {};
}

}  // namespace

Result<Usage> measure_usage(const Store& store) {
  const Reachable reachable = TRY(reachable_in(store.layout()));
  Usage out;
  out.images = TRY(store.images()).size();
  TRY(measure(
      store.root(), "blobs/sha256",
      [&](const std::string& name) { return reachable.has_blob(name); }, out.blobs));
  for (const std::string kind : {"layers/diff", "layers/chain"})
    TRY(measure(
        store.root(), kind,
        [&](const std::string& name) { return reachable.has_layer(kind + "/" + name); },
        out.layers));
  TRY(measure(
      store.root(), "bundles", [](const std::string&) { return true; }, out.bundles));
  for (const std::string kind : {"cache/build", "cache/mounts"})
    TRY(measure(
        store.root(), kind, [](const std::string&) { return true; }, out.cache));
  TRY(measure(
      store.root(), "tmp", [](const std::string&) { return false; }, out.unfinished));
  return out;
}
