// SPDX-License-Identifier: Apache-2.0
// cmd_inspect.cc - what an image says about itself: inspect and history.
#include <algorithm>
#include <cstdio>

#include "common/json.h"

#include "commands.h"
#include "options.h"

Result<int> cmd_inspect(const Arguments& arguments) {
  const Store store = TRY(open_store(arguments));
  const Image image = TRY(store.load(arguments.positionals[0], host_platform()));
  JsonWriter out;
  out.begin_object()
      .member("name", image.descriptor.ref_name().value_or(image.name))
      .member("digest", image.descriptor.digest.text());
  // As they stand: whoever asks wants to see the bytes' own words.
  out.key("manifest").raw(TRY(store.layout().read_blob(image.descriptor)));
  out.key("config").raw(TRY(store.layout().read_blob(image.manifest.config)));
  std::printf("%s\n", out.end_object().take().c_str());
  return 0;
}

Result<int> cmd_history(const Arguments& arguments) {
  const Store store = TRY(open_store(arguments));
  const Image image = TRY(store.load(arguments.positionals[0], host_platform()));
  // Steps without a layer take none; a history that is too short leaves the
  // rest of the layers without words, one too long claims none.
  struct Step {
    HistoryEntry entry;
    const Descriptor* layer;
  };
  std::vector<Step> steps;
  std::size_t next = 0;
  const auto& layers = image.manifest.layers;
  for (const HistoryEntry& entry : image.config.history) {
    const bool has_layer = !entry.empty_layer && next < layers.size();
    steps.push_back({entry, has_layer ? &layers[next++] : nullptr});
  }
  for (; next < layers.size(); ++next)
    steps.push_back({{"", "<missing>", "", false}, &layers[next]});
  std::printf("%-12s  %-19s  %9s  %s\n", "LAYER", "CREATED", "SIZE", "CREATED BY");
  for (auto step = steps.rbegin(); step != steps.rend(); ++step)
    std::printf("%-12s  %-19.19s  %9s  %s\n",
                step->layer != nullptr ? step->layer->digest.short_hex().c_str() : "-",
                step->entry.created.c_str(),
                human_size(step->layer != nullptr ? step->layer->size : 0).c_str(),
                step->entry.created_by.c_str());
  return 0;
}
