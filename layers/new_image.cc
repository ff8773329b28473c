// SPDX-License-Identifier: Apache-2.0
#include "new_image.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>

#include "common/json.h"

#include "image_writer.h"

namespace {

struct SameType {
  std::string_view docker;
  std::string_view oci;
};
constexpr auto kSameTypes = std::to_array<SameType>({
    {"application/vnd.docker.image.rootfs.diff.tar", "application/vnd.oci.image.layer.v1.tar"},
    {"application/vnd.docker.image.rootfs.diff.tar.gzip",
     "application/vnd.oci.image.layer.v1.tar+gzip"},
    {"application/vnd.docker.image.rootfs.diff.tar.zstd",
     "application/vnd.oci.image.layer.v1.tar+zstd"},
    {"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
     "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"},
});

Descriptor as_oci(Descriptor layer) {
  const auto found = std::ranges::find(kSameTypes, layer.media_type, &SameType::docker);
  if (found == kSameTypes.end()) return layer;
  layer.media_type = found->oci;
  layer.json = descriptor_json(layer);
  return layer;
}

Result<std::map<std::string, std::string>> manifest_annotations(const Layout& layout,
                                                                const Image& image) {
  std::map<std::string, std::string> out;
  const std::string text = TRY(layout.read_blob(image.descriptor));
  const JsonDocument document = TRY(JsonDocument::parse("manifest", text));
  const auto annotations = document.root().find("annotations");
  if (!annotations) return out;
  for (const auto& [name, value] : TRY(annotations->members())) out[name] = TRY(value.string());
  return out;
}

}  // namespace

Result<NewImage> NewImage::of(const Layout& layout, const Image& image) {
  const std::string text = TRY(layout.read_blob(image.manifest.config));
  NewImage out{TRY(ConfigDocument::parse("configuration of '" + image.name + "'", text)), {}};
  for (const Descriptor& layer : image.manifest.layers) out.layers.push_back(as_oci(layer));
  out.annotations = TRY(manifest_annotations(layout, image));
  return out;
}

NewImage NewImage::scratch(const Platform& platform) {
  return {ConfigDocument::fresh(platform), {}};
}

Image NewImage::image() const {
  const Descriptor none{"", digest_of(""), 0};
  ImageConfig facts;
  facts.diff_ids = config.diff_ids;
  return {"image", none, {none, layers}, std::move(facts)};
}

Result<NewLayer> store_layer(const Store& store, Compression compression, const WriteTar& write) {
  const TempDir dir = TRY(store.scratch());
  const UniqueFd file = TRY(open_at(dir.fd(), "layer", O_RDWR | O_CREAT | O_EXCL, 0600));
  LayerOutput out(file, compression);
  TRY(write(out));
  const LayerFacts facts = TRY(out.finish());
  TRY(store.adopt(file, facts.blob));
  Descriptor descriptor{layer_media_type(name_of(compression)), facts.blob, facts.blob_size};
  descriptor.json = descriptor_json(descriptor);
  return NewLayer{std::move(descriptor), facts.diff_id};
}

Result<NewLayer> store_changes(const Store& store, Compression compression, FdRef root,
                               const std::vector<Change>& changes) {
  const PackOptions options = pack_options();
  return store_layer(store, compression,
                     [&](ByteSink& sink) { return pack_layer(root, changes, options, sink); });
}

void add_layer(NewImage& image, const NewLayer& layer, const NewHistory& history) {
  image.layers.push_back(layer.descriptor);
  image.config.diff_ids.push_back(layer.diff_id);
  image.config.add_history(history);
}

Result<Descriptor> store_image(const Store& store, const NewImage& image) {
  const std::string config_text = image.config.json();
  const ImageConfig facts = TRY(parse_image_config("the new configuration", config_text));
  const Descriptor config = TRY(store.put(config_text, kOciConfig));
  JsonWriter out;
  out.begin_object().member("schemaVersion", 2).member("mediaType", kOciManifest);
  out.key("config").raw(descriptor_json(config)).key("layers").begin_array();
  for (const Descriptor& layer : image.layers) out.raw(layer.json);
  out.end_array();
  if (!image.annotations.empty()) {
    out.key("annotations").begin_object();
    for (const auto& [name, value] : image.annotations) out.member(name, value);
    out.end_object();
  }
  Descriptor manifest = TRY(store.put(out.end_object().take(), kOciManifest));
  manifest.platform = facts.platform;
  return manifest;
}

Result<Image> load_by_digest(const Store& store, const Digest& digest) {
  struct stat st = {};
  const std::string path = Layout::blob_path(digest);
  if (::fstatat(store.root().get(), path.c_str(), &st, 0) != 0)
    return errno_error("open image", digest.text());
  Descriptor descriptor{std::string(kOciManifest), digest, static_cast<std::uint64_t>(st.st_size)};
  return store.layout().load(digest.text(), std::move(descriptor), host_platform());
}
