// SPDX-License-Identifier: Apache-2.0
#include "change_options.h"

#include <cstdio>

#include "common/json.h"

#include "options.h"
#include "reference.h"

Result<Compression> compression_option(const Options& options) {
  return parse_compression(options.value_or("compression", "gzip"));
}

Result<ChangedTreeOptions> changed_tree_options(const Options& options) {
  ChangedTreeOptions out;
  out.base = options.value("base");
  out.volumes = options.flag("include-volumes");
  out.platform = TRY(platform_option(options));
  out.limits = TRY(unpack_limits(options));
  return out;
}

NewHistory history_option(const Options& options, const std::string& created_by) {
  return {.created_by = options.value_or("created-by", created_by),
          .created = {},
          .author = options.value_or("author", ""),
          .comment = options.value_or("message", "")};
}

Result<void> publish_image(const Arguments& arguments, const Store& store, const NewImage& image,
                           const std::string& name, const std::string& event) {
  const std::string full = TRY(full_name(name));
  const Descriptor manifest = TRY(store_image(store, image));
  const auto replaced = TRY(store.tag(manifest, full));
  std::printf("%s %s\n", full.c_str(), manifest.digest.text().c_str());
  JsonWriter data;
  data.begin_object().member("digest", manifest.digest.text());
  if (replaced) data.member("replaced", replaced->text());
  open_events(arguments).emit(full, event, 0, data.end_object().take());
  return {};
}
