// SPDX-License-Identifier: Apache-2.0
#include "build_cache.h"

#include <sys/stat.h>

#include <array>
#include <cerrno>

#include "common/json.h"

#include "image_writer.h"

namespace {

Result<Digest> digest_at(const JsonView& view) {
  return Digest::parse(TRY(view.string()));
}

Result<NewLayer> parse_layer(const JsonView& root) {
  const JsonView type = TRY(root.at("mediaType"));
  const JsonView digest = TRY(root.at("digest"));
  const JsonView size = TRY(root.at("size"));
  const JsonView diff_id = TRY(root.at("diffID"));
  Descriptor descriptor{TRY(type.string()), TRY(digest_at(digest)), TRY(size.unsigned_integer())};
  descriptor.json = descriptor_json(descriptor);
  return NewLayer{std::move(descriptor), TRY(digest_at(diff_id))};
}

}  // namespace

Result<BuildCache> BuildCache::open(const Store& store) {
  for (const char* name : {"cache", "cache/build", "cache/mounts"})
    if (::mkdirat(store.root().get(), name, 0700) != 0 && errno != EEXIST)
      return errno_error("create directory", name);
  return BuildCache(store, TRY(open_at(store.root(), "cache", O_RDONLY | O_DIRECTORY)));
}

std::optional<BuildCache::Entry> BuildCache::find(const Digest& key) const {
  const auto text = read_file_at(dir_, "build/" + key.hex());
  if (!text) return std::nullopt;
  const auto document = JsonDocument::parse("cache", *text);
  if (!document) return std::nullopt;
  if (!document->root().find("digest")) return Entry{};
  auto layer = parse_layer(document->root());
  if (!layer || !store_->layout().has_blob(layer->descriptor.digest)) return std::nullopt;
  return Entry{std::move(*layer)};
}

Result<void> BuildCache::keep(const Digest& key, const Entry& entry) const {
  JsonWriter out;
  out.begin_object();
  if (entry.layer)
    out.member("mediaType", entry.layer->descriptor.media_type)
        .member("digest", entry.layer->descriptor.digest.text())
        .member("size", entry.layer->descriptor.size)
        .member("diffID", entry.layer->diff_id.text());
  return replace_file_at(dir_, "build/" + key.hex(), out.end_object().take(), 0600);
}

Result<std::string> BuildCache::directory(const std::string& id) const {
  // The name comes from a Dockerfile: it becomes no path (CVE-2024-9675).
  const std::string name = "mounts/" + digest_of(id).hex();
  if (::mkdirat(dir_.get(), name.c_str(), 0755) != 0 && errno != EEXIST)
    return errno_error("create directory", name);
  return store_->path() + "/cache/" + name;
}
