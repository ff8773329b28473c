// SPDX-License-Identifier: Apache-2.0
#include "reachable.h"

#include "common/json.h"

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

}  // namespace

void Reachable::add(const Descriptor& descriptor, int depth) {
  constexpr int kDeepestDocument = 8;
  constexpr std::uint64_t kLargestDocument = kDocumentLimit;
  if (!blobs_.insert(descriptor.digest.hex()).second || depth == kDeepestDocument) return;
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

void Reachable::add(const BundleRecord& record) {
  for (const Digest& blob : record.blobs) blobs_.insert(blob.hex());
  layers_.insert(record.layers.begin(), record.layers.end());
}

Result<Reachable> reachable_in(const Layout& layout) {
  Reachable out(layout);
  for (const Descriptor& entry : TRY(layout.index())) out.add(entry);
  for (const BundleRecord& record : TRY(bundle_records(layout.root()))) out.add(record);
  return out;
}
