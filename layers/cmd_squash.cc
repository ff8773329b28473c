// SPDX-License-Identifier: Apache-2.0
// cmd_squash.cc - the same files in other layers: squash, rebase.
#include <algorithm>

#include "change_commands.h"
#include "change_options.h"
#include "image_writer.h"
#include "layer_dirs.h"
#include "lower_tree.h"
#include "options.h"

namespace {

std::string label(const std::string& name) {
  return "'" + name + "'";
}

// How many of the history's entries tell of the first `layers` layers.
Result<std::size_t> history_of(const Image& image, std::size_t layers) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < image.config.history.size(); ++i) {
    if (!image.config.history[i].empty_layer && count++ == layers) return i;
  }
  return image.config.history.size();
}

// Layers of `image` that are those of `base` too, and so lie below all others.
Result<std::size_t> shared_with(const Image& image, const Image& base) {
  const auto& ids = image.config.diff_ids;
  const auto& below = base.config.diff_ids;
  if (below.size() > ids.size() || !std::equal(below.begin(), below.end(), ids.begin()))
    return Error{label(image.name) + " does not lie on " + label(base.name), 0,
                 "see what lies on what with: layers images --tree"};
  return below.size();
}

Result<std::size_t> kept_layers(const Arguments& arguments, const Store& store,
                                const Image& image) {
  const Options& given = arguments.options;
  if (const auto name = given.value("onto")) {
    const Image base = TRY(store.load(*name, image.config.platform));
    return shared_with(image, base);
  }
  const auto keep = given.value("keep");
  if (!keep) return std::size_t{0};
  const auto count = parse_integer(*keep);
  if (!count || *count < 0 || static_cast<std::size_t>(*count) > image.manifest.layers.size())
    return Error{"--keep '" + *keep + "': " + label(image.name) + " has " +
                 std::to_string(image.manifest.layers.size()) + " layers"};
  return static_cast<std::size_t>(*count);
}

// One layer with all that those above the first `keep` make of them.
Result<NewLayer> squashed_layer(const Store& store, const Image& image, std::size_t keep,
                                const Options& given) {
  const Compression compression = TRY(compression_option(given));
  const UnpackLimits limits = TRY(unpack_limits(given));
  const auto layers = TRY(unpacked_layers(store, image, limits));
  const std::vector<std::string> below(layers.begin(),
                                       layers.begin() + static_cast<std::ptrdiff_t>(keep));
  const LowerTree before = TRY(open_lower_tree(below));
  const LowerTree after = TRY(open_lower_tree(layers));
  const auto changes = TRY(tree_changes(before.fd, after.fd));
  return store_changes(store, compression, after.fd, changes);
}

}  // namespace

Result<int> cmd_squash(const Arguments& arguments) {
  const Options& given = arguments.options;
  const std::string& name = arguments.positionals[0];
  const Store store = TRY(open_store(arguments));
  const Platform platform = TRY(platform_option(given));
  const Image image = TRY(store.load(name, platform));
  const std::size_t keep = TRY(kept_layers(arguments, store, image));
  if (keep >= image.manifest.layers.size())
    return Error{label(name) + " has no layer to squash above the " + std::to_string(keep) +
                 " that stay"};
  NewImage out = TRY(NewImage::of(store.layout(), image));
  const NewLayer layer = TRY(squashed_layer(store, image, keep, given));
  const auto end = static_cast<std::ptrdiff_t>(keep);
  out.layers.erase(out.layers.begin() + end, out.layers.end());
  out.config.diff_ids.erase(out.config.diff_ids.begin() + end, out.config.diff_ids.end());
  out.config.history.resize(TRY(history_of(image, keep)));
  add_layer(out, layer, history_option(given, "layers squash " + image.descriptor.digest.text()));
  TRY(publish_image(arguments, store, out,
                    arguments.positionals.size() > 1 ? arguments.positionals[1] : name, "squash"));
  return 0;
}

Result<int> cmd_rebase(const Arguments& arguments) {
  const Options& given = arguments.options;
  const std::string& name = arguments.positionals[0];
  const Platform platform = TRY(platform_option(given));
  const auto from = given.value("from");
  const auto onto = given.value("onto");
  if (!from || !onto)
    return Error{"rebase needs the old and the new base", 0, "say --from OLD --onto NEW"};
  const Store store = TRY(open_store(arguments));
  const Image image = TRY(store.load(name, platform));
  const Image old_base = TRY(store.load(*from, platform));
  const Image new_base = TRY(store.load(*onto, platform));
  const auto shared = static_cast<std::ptrdiff_t>(TRY(shared_with(image, old_base)));
  NewImage out = TRY(NewImage::of(store.layout(), image));
  const NewImage below = TRY(NewImage::of(store.layout(), new_base));
  const auto replace = [](auto& list, std::ptrdiff_t count, const auto& by) {
    list.erase(list.begin(), list.begin() + count);
    list.insert(list.begin(), by.begin(), by.end());
  };
  replace(out.layers, shared, below.layers);
  replace(out.config.diff_ids, shared, below.config.diff_ids);
  const auto told = std::min(old_base.config.history.size(), out.config.history.size());
  replace(out.config.history, static_cast<std::ptrdiff_t>(told), below.config.history);
  out.config.root.set("created", json_text(creation_time()));
  TRY(publish_image(arguments, store, out,
                    arguments.positionals.size() > 1 ? arguments.positionals[1] : name, "rebase"));
  return 0;
}
