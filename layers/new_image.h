// SPDX-License-Identifier: Apache-2.0
// new_image.h - an image made of another one: its documents to be changed, then stored.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/fd.h"

#include "config_document.h"
#include "layer_output.h"
#include "layer_packer.h"
#include "store.h"
#include "tree_changes.h"

struct NewImage {
  ConfigDocument config;
  std::vector<Descriptor> layers;
  std::map<std::string, std::string> annotations = {};  // of the manifest

  // As the image is. What was docker's is stored as OCI's: the layers are the same bytes.
  static Result<NewImage> of(const Layout& layout, const Image& image);
  // Nothing but a platform.
  static NewImage scratch(const Platform& platform);

  // For what takes an image's layers: not in the store, without a name.
  Image image() const;
};

// A layer in the store.
struct NewLayer {
  Descriptor descriptor;
  Digest diff_id;
};
// What `write` puts into the sink is the layer's tar.
using WriteTar = std::function<Result<void>(ByteSink&)>;
Result<NewLayer> store_layer(const Store& store, Compression compression, const WriteTar& write);
Result<NewLayer> store_changes(const Store& store, Compression compression, FdRef root,
                               const std::vector<Change>& changes);

// Adds it on top.
void add_layer(NewImage& image, const NewLayer& layer, const NewHistory& history);

// The documents; the descriptor is that of the manifest.
Result<Descriptor> store_image(const Store& store, const NewImage& image);

// The image of a manifest in the store that need not have a name (any more).
Result<Image> load_by_digest(const Store& store, const Digest& digest);
