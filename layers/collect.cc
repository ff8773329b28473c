// SPDX-License-Identifier: Apache-2.0
#include "collect.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "common/json.h"
#include "common/temp_dir.h"

#include "bundle.h"
#include "directory_names.h"
#include "layer_dirs.h"

namespace {

// Every "digest" member of a document, whatever the document is.
void digests_in(const JsonView& view, std::vector<Descriptor>& out) {
  if (view.is_array()) {
    if (const auto items = view.items())
      for (const JsonView& item : *items) digests_in(item, out);
    return;
  }
  if (!view.is_object()) return;
  const auto digest = view.find("digest");
  const auto text = digest ? digest->string() : Result<std::string>(std::string());
  const auto parsed = text ? Digest::parse(*text) : Digest::parse("");
  const auto size = view.find("size");
  const auto bytes = size ? size->unsigned_integer() : Result<std::uint64_t>(std::uint64_t{0});
  if (parsed) out.push_back({"", *parsed, bytes ? *bytes : 0});
  if (const auto members = view.members())
    for (const auto& [name, value] : *members) digests_in(value, out);
}

// What is reachable: names of blobs, and of unpacked layers.
class Reachable {
 public:
  explicit Reachable(const Layout& layout) : layout_(&layout) {}

  void add(const Descriptor& descriptor, int depth = 0) {
    constexpr int kDeepest = 8;
    constexpr std::uint64_t kLargestDocument = kDocumentLimit;
    if (!blobs_.insert(descriptor.digest.hex()).second || depth == kDeepest) return;
    if (descriptor.size > kLargestDocument) return;  // a layer
    const auto text = layout_->read_blob(descriptor);
    if (!text || !text->starts_with('{')) return;
    const auto document = JsonDocument::parse(descriptor.digest.text(), *text);
    if (!document) return;
    std::vector<Descriptor> found;
    digests_in(document->root(), found);
    for (const Descriptor& child : found) add(child, depth + 1);
    const auto config = parse_image_config("", *text);
    if (!config) return;
    Image image{"", descriptor, {descriptor, {}}, *config};
    for (std::string& name : layer_names(image)) layers_.insert(std::move(name));
  }
  void add(const BundleRecord& record) {
    for (const Digest& blob : record.blobs) blobs_.insert(blob.hex());
    layers_.insert(record.layers.begin(), record.layers.end());
  }
  bool has_blob(const std::string& hex) const { return blobs_.contains(hex); }
  bool has_layer(const std::string& name) const { return layers_.contains(name); }

 private:
  const Layout* layout_;
  std::set<std::string> blobs_;
  std::set<std::string> layers_;
};

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
  Reachable reachable(layout);
  for (const Descriptor& entry : TRY(layout.index())) reachable.add(entry);
  for (const BundleRecord& record : TRY(bundle_records(root))) reachable.add(record);
  Collected out;
  TRY(sweep_blobs(root, reachable, out));
  TRY(sweep_layers(root, reachable, out));
  // Nobody else uses the store, so whatever lies here was left by the dead.
  const UniqueFd scratch = TRY(open_at(root, "tmp", O_RDONLY | O_DIRECTORY));
  for (const std::string& name : TRY(directory_names(scratch, "tmp")))
    TRY(remove_tree(scratch, name));
  return std::optional(out);
}
