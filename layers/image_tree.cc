// SPDX-License-Identifier: Apache-2.0
#include "image_tree.h"

#include <map>
#include <memory>
#include <set>
#include <vector>

#include "options.h"

namespace {

struct Node {
  Digest blob = digest_of("");
  std::uint64_t size = 0;
  std::vector<std::string> names;                 // of images whose top this is
  std::map<Digest, std::unique_ptr<Node>> above;  // by diffID
};

struct Totals {
  std::uint64_t stored = 0;  // every layer once
  std::uint64_t apart = 0;   // what the images would take without sharing
  std::set<Digest> blobs;
};

void plant(Node& root, const Image& image, const std::string& name, Totals& totals) {
  Node* at = &root;
  for (std::size_t i = 0; i < image.manifest.layers.size(); ++i) {
    const Descriptor& layer = image.manifest.layers[i];
    std::unique_ptr<Node>& next = at->above[image.config.diff_ids[i]];
    if (!next) {
      next = std::make_unique<Node>();
      next->blob = layer.digest;
      next->size = layer.size;
    }
    totals.apart += layer.size;
    if (totals.blobs.insert(layer.digest).second) totals.stored += layer.size;
    at = next.get();
  }
  at->names.push_back(name);
}

std::string joined(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out.append(out.empty() ? "" : ", ").append(name);
  return out;
}

void print(const Node& node, const std::string& indent, std::string& out) {
  std::size_t left = node.above.size();
  for (const auto& [diff_id, child] : node.above) {
    const bool last = --left == 0;
    out.append(indent).append(last ? "└── " : "├── ").append(child->blob.short_hex());
    out.append("  ").append(human_size(child->size));
    if (!child->names.empty()) out.append("  ").append(joined(child->names));
    out.append("\n");
    print(*child, indent + (last ? "    " : "│   "), out);
  }
}

}  // namespace

Result<std::string> image_tree(const Store& store) {
  Node root;
  Totals totals;
  std::string unread;
  for (const Descriptor& entry : TRY(store.images())) {
    const std::string name = entry.ref_name().value_or(entry.digest.short_hex());
    const auto image = store.layout().load(name, entry, entry.platform.value_or(host_platform()));
    if (image)
      plant(root, *image, name, totals);
    else
      unread.append("?  ").append(name).append("\n");
  }
  std::string out;
  if (!root.names.empty()) out.append("no layers  ").append(joined(root.names)).append("\n");
  print(root, "", out);
  out.append(unread).append(human_size(totals.stored)).append(" in ");
  out.append(std::to_string(totals.blobs.size())).append(" layers; ");
  out.append(human_size(totals.apart)).append(" if no image shared any\n");
  return out;
}
