// SPDX-License-Identifier: Apache-2.0
#include "changed_tree.h"

#include <algorithm>
#include <cerrno>

#include "common/json.h"

#include "bundle.h"
#include "layer_dirs.h"
#include "lower_tree.h"
#include "new_image.h"
#include "target_tree.h"

namespace {

// Where the runtime mounted, by the bundle's configuration; what cannot be read
// names none.
std::set<std::string> mount_points(const std::string& bundle) {
  std::set<std::string> out;
  const auto text = read_file(bundle + "/config.json");
  if (!text) return out;
  const auto document = JsonDocument::parse("config.json", *text);
  if (!document) return out;
  const auto mounts = document->root().find("mounts");
  const auto items = mounts ? mounts->items() : std::vector<JsonView>();
  if (!items) return out;
  for (const JsonView& mount : *items) {
    const auto destination = mount.find("destination");
    const auto path = destination ? destination->string() : Result<std::string>(std::string());
    if (path) out.insert(clean_path(*path));
  }
  return out;
}

// What is written below a volume belongs to the container, not to an image of it.
void leave_out_volumes(const std::vector<std::string>& volumes, std::vector<Change>& changes) {
  for (const std::string& volume : volumes) {
    const std::string prefix = clean_path(volume) + "/";
    std::erase_if(changes, [&](const Change& change) { return change.path.starts_with(prefix); });
  }
}

}  // namespace

Result<ChangedTree> changed_tree(const Store& store, const std::string& place,
                                 const ChangedTreeOptions& options) {
  const auto bundle = TRY(find_bundle(store.root(), place));
  if (bundle && options.base) return Error{"'" + place + "' is a bundle: its base is known"};
  if (!bundle && !options.base)
    return Error{"'" + place + "' is no bundle of this store", ENOENT,
                 "of an upper directory say what lies below it with --base IMAGE"};
  ChangedTree out;
  UpperOptions walk;
  std::string upper = place;
  if (bundle) {
    out.base = TRY(load_by_digest(store, bundle->blobs.at(0)));
    out.base->name = bundle->image;
    upper = store.path() + "/bundles/" + bundle->id + "/upper";
    walk.mount_points = mount_points(bundle->bundle);
  } else if (*options.base != "scratch") {
    out.base = TRY(store.load(*options.base, options.platform));
  }
  LowerTree lower;
  if (out.base) {
    const auto layers = TRY(unpacked_layers(store, *out.base, options.limits));
    lower = TRY(open_lower_tree(layers));
  }
  // Only a bundle's upper directory was made to look as the root below it.
  walk.compare_root = bundle && lower.root_known;
  out.root = TRY(open_at(kCwd, upper, O_RDONLY | O_DIRECTORY));
  out.changes = TRY(upper_changes(out.root, lower.fd, walk));
  if (out.base && !options.volumes) leave_out_volumes(out.base->config.volumes, out.changes);
  return out;
}
