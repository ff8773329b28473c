// SPDX-License-Identifier: Apache-2.0
#include "image_writer.h"

#include <cstdlib>

#include "common/cli.h"
#include "common/json.h"
#include "common/timestamp.h"

#include "store.h"

std::string layer_media_type(std::string_view compression) {
  if (compression == "none") return std::string(kOciLayer);
  if (compression == "gzip" || compression == "zstd")
    return std::string(kOciLayer) + "+" + std::string(compression);
  return {};
}

std::string creation_time() {
  // Read before any thread is started.
  const char* epoch = std::getenv("SOURCE_DATE_EPOCH");  // NOLINT(concurrency-mt-unsafe)
  const auto seconds = epoch != nullptr ? parse_integer(epoch) : std::nullopt;
  return rfc3339_nano(seconds ? timespec{*seconds, 0} : now());
}

std::string write_manifest(const Descriptor& config, const std::vector<Descriptor>& layers) {
  JsonWriter out;
  out.begin_object().member("schemaVersion", 2).member("mediaType", kOciManifest);
  out.key("config").raw(descriptor_json(config));
  out.key("layers").begin_array();
  for (const Descriptor& layer : layers) out.raw(descriptor_json(layer));
  return out.end_array().end_object().take();
}

std::string write_plain_config(const Platform& platform, const Digest& diff_id,
                               std::string_view created_by) {
  const std::string created = creation_time();
  JsonWriter out;
  out.begin_object().member("created", created).member("architecture", platform.architecture);
  if (!platform.variant.empty()) out.member("variant", platform.variant);
  out.member("os", platform.os).key("config").begin_object().end_object();
  out.key("rootfs").begin_object().member("type", "layers");
  out.key("diff_ids").begin_array().value(diff_id.text()).end_array().end_object();
  out.key("history").begin_array().begin_object();
  out.member("created", created).member("created_by", created_by);
  return out.end_object().end_array().end_object().take();
}
