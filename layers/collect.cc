// SPDX-License-Identifier: Apache-2.0
#include "collect.h"

#include <sys/stat.h>

#include <cerrno>

#include "common/temp_dir.h"

#include "directory_names.h"
#include "reachable.h"

namespace {

Result<void> sweep_blobs(FdRef root, const Reachable& reachable, Collected& out) {
  const UniqueFd dir = TRY(open_at(root, "blobs/sha256", O_RDONLY | O_DIRECTORY));
  for (const std::string& name : TRY(directory_names(dir, "blobs/sha256"))) {
    struct stat st = {};
    if (reachable.has_blob(name) ||
        ::fstatat(dir.get(), name.c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0)
      continue;
    if (::unlinkat(dir.get(), name.c_str(), 0) != 0) return errno_error("remove blob", name);
    ++out.blobs;
    out.bytes += static_cast<std::uint64_t>(st.st_size);
  }
  return {};
}

Result<void> sweep_layers(FdRef root, const Reachable& reachable, Collected& out) {
  for (const std::string kind : {"layers/diff", "layers/chain"}) {
    const UniqueFd dir = TRY(open_at(root, kind, O_RDONLY | O_DIRECTORY));
    for (const std::string& name : TRY(directory_names(dir, kind))) {
      if (reachable.has_layer(kind + "/" + name)) continue;
      TRY(remove_tree(dir, name));
      ++out.layers;
    }
  }
  return {};
}

}  // namespace

Result<std::optional<Collected>> collect_garbage(const std::string& store_path) {
  const UniqueFd root = TRY(open_directory(store_path));
  const auto lock = TRY(ObjectLock::try_store(root, ObjectLock::Mode::Exclusive));
  if (!lock) return std::optional<Collected>();
  const Layout layout = TRY(Layout::open(store_path));
  const Reachable reachable = TRY(reachable_in(layout));
  Collected out;
  TRY(sweep_blobs(root, reachable, out));
  TRY(sweep_layers(root, reachable, out));
  // Nobody else uses the store, so whatever lies here was left by the dead.
  const UniqueFd scratch = TRY(open_at(root, "tmp", O_RDONLY | O_DIRECTORY));
  for (const std::string& name : TRY(directory_names(scratch, "tmp")))
    TRY(remove_tree(scratch, name));
  return std::optional(out);
}
