// SPDX-License-Identifier: Apache-2.0
// import_docker.cc - what `docker save`, `podman save` and skopeo's docker-archive write.
//
// manifest.json names configuration and layers by path in the archive. Those
// paths are looked up inside the unpacked archive, where neither ".." nor a link
// leads out (CVE-2014-9358); what is stored is named by its own digest only.
#include <cerrno>
#include <memory>

#include "common/beneath.h"
#include "common/json.h"

#include "file_stream.h"
#include "image_writer.h"
#include "import.h"
#include "layer_stream.h"

namespace {

struct DockerImage {
  std::string config;
  std::vector<std::string> names;
  std::vector<std::string> layers;
};

Result<std::vector<DockerImage>> read_list(FdRef root) {
  auto file = open_in_root(root, "manifest.json", O_RDONLY | O_NONBLOCK);
  if (!file)
    return Error{"has no manifest.json, so it is no docker archive", 0,
                 "for an OCI archive say oci-archive:, for a root file system tar:"};
  const std::string text = TRY(read_all(*file, "manifest.json", kDocumentLimit));
  const JsonDocument document = TRY(JsonDocument::parse("manifest.json", text));
  std::vector<DockerImage> out;
  for (const JsonView& item : TRY(document.root().items())) {
    DockerImage image;
    const JsonView config = TRY(item.at("Config"));
    const JsonView layers = TRY(item.at("Layers"));
    image.config = TRY(config.string());
    image.layers = TRY(layers.strings());
    if (const auto names = item.find("RepoTags")) image.names = TRY(names->strings());
    out.push_back(std::move(image));
  }
  return out;
}

Result<Descriptor> take_layer(const Store& store, FdRef root, const std::string& path,
                              const Digest& diff_id, std::uint64_t most_bytes) {
  UniqueFd file = TRY(open_in_root(root, path, O_RDONLY | O_NONBLOCK));
  const UniqueFd kept(::fcntl(file.get(), F_DUPFD_CLOEXEC, 0));
  LayerExpectation expected;
  expected.diff_id = diff_id;
  expected.diff_size_limit = most_bytes;
  LayerStream stream(std::make_unique<FileStream>(std::move(file), path), expected);
  const LayerFacts facts = TRY(stream.finish());
  const std::string media_type = layer_media_type(name_of(facts.compression));
  if (media_type.empty())
    return Error{"is compressed with " + std::string(name_of(facts.compression)) +
                 ", which no layer may be"};
  TRY(store.adopt(kept, facts.blob));
  return Descriptor{media_type, facts.blob, facts.blob_size};
}

Result<Descriptor> take_image(const Store& store, FdRef root, const DockerImage& image,
                              std::uint64_t most_bytes) {
  const UniqueFd file = TRY(open_in_root(root, image.config, O_RDONLY | O_NONBLOCK));
  const std::string config_text = TRY(read_all(file, image.config, kDocumentLimit));
  const ImageConfig config = TRY(parse_image_config(image.config, config_text));
  if (config.diff_ids.size() != image.layers.size())
    return Error{"manifest.json has " + std::to_string(image.layers.size()) +
                 " layers, the configuration " + std::to_string(config.diff_ids.size()) +
                 " diff_ids"};
  std::vector<Descriptor> layers;
  for (std::size_t i = 0; i < image.layers.size(); ++i) {
    auto layer = take_layer(store, root, image.layers[i], config.diff_ids[i], most_bytes);
    if (!layer) return std::move(layer).error().in("layer '" + image.layers[i] + "'");
    layers.push_back(std::move(*layer));
  }
  const Descriptor stored = TRY(store.put(config_text, kOciConfig));
  Descriptor manifest = TRY(store.put(write_manifest(stored, layers), kOciManifest));
  manifest.platform = config.platform;
  return manifest;
}

// Which image of the archive, and under which names.
struct Choice {
  const DockerImage* image = nullptr;
  std::vector<std::string> names;
};

Result<std::vector<Choice>> choose(const std::vector<DockerImage>& images, const Source& source,
                                   const ImportOptions& options) {
  std::vector<Choice> out;
  for (const DockerImage& image : images) {
    Choice choice{&image, {}};
    for (const std::string& name : image.names) {
      const std::string full = TRY(full_name(name));
      if (!source.tag || full == TRY(full_name(*source.tag))) choice.names.push_back(full);
    }
    if (source.tag && choice.names.empty()) continue;
    if (choice.names.empty() && !options.name)
      choice.names.push_back(TRY(default_name(source, std::nullopt)));
    out.push_back(std::move(choice));
  }
  if (out.empty()) return Error{source.tag ? "has no image '" + *source.tag + "'" : "has no image"};
  if (!options.name) return out;
  if (out.size() > 1)
    return Error{"has several images, which cannot all be '" + *options.name + "'", 0,
                 "choose one: docker-archive:FILE:REFERENCE"};
  out.front().names = {TRY(full_name(*options.name))};
  return out;
}

}  // namespace

Result<std::vector<Imported>> import_docker_archive(const Store& store, const Source& source,
                                                    const ImportOptions& options) {
  const TempDir dir = TRY(unpack_archive(store, source.path, options.most_bytes));
  const auto failed = [&](Error error) { return std::move(error).in("'" + source.path + "'"); };
  auto images = read_list(dir.fd());
  if (!images) return failed(std::move(images).error());
  auto choices = choose(*images, source, options);
  if (!choices) return failed(std::move(choices).error());
  std::vector<Imported> out;
  for (const Choice& choice : *choices) {
    auto manifest = take_image(store, dir.fd(), *choice.image, options.most_bytes);
    if (!manifest) return failed(std::move(manifest).error());
    for (const std::string& name : choice.names) {
      auto replaced = TRY(store.tag(*manifest, name));
      out.push_back({name, *manifest, std::move(replaced)});
    }
  }
  return out;
}
