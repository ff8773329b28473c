// SPDX-License-Identifier: Apache-2.0
// cmd_gc.cc - the health of the store: gc and verify.
#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <set>

#include "collect.h"
#include "commands.h"
#include "file_stream.h"
#include "options.h"

namespace {

// Everything the image leads to; the number of what is wrong.
Result<int> verify_image(const Layout& layout, const Descriptor& entry, std::set<Digest>& seen) {
  const std::string name = entry.ref_name().value_or(entry.digest.text());
  const auto image = layout.load(name, entry, entry.platform.value_or(host_platform()));
  if (!image) {
    std::printf("%s: %s\n", name.c_str(), image.error().text().c_str());
    return 1;
  }
  int bad = 0;
  for (std::size_t i = 0; i < image->manifest.layers.size(); ++i) {
    if (!seen.insert(image->manifest.layers[i].digest).second) continue;
    auto stream = open_layer(layout, *image, i, UnpackLimits());
    auto facts = stream ? (*stream)->finish() : Result<LayerFacts>(std::move(stream).error());
    if (facts) continue;
    ++bad;
    std::printf("%s: %s: %s\n", name.c_str(), layer_label(*image, i).c_str(),
                facts.error().text().c_str());
  }
  return bad;
}

}  // namespace

Result<int> cmd_gc(const Arguments& arguments) {
  TRY(open_store(arguments));  // makes it if there is none, like every verb
  const auto collected = TRY(collect_garbage(store_path(arguments)));
  if (!collected)
    return Error{"the store is in use", EBUSY, "try again when the other process has ended"};
  std::printf("removed %" PRIu64 " blobs (%s) and %" PRIu64 " unpacked layers\n", collected->blobs,
              human_size(collected->bytes).c_str(), collected->layers);
  return 0;
}

Result<int> cmd_verify(const Arguments& arguments) {
  const Store store = TRY(open_store(arguments));
  std::set<Digest> seen;
  int bad = 0;
  for (const Descriptor& entry : TRY(store.images()))
    bad += TRY(verify_image(store.layout(), entry, seen));
  if (bad > 0) return Error{std::to_string(bad) + " damaged or missing", 0, "import them again"};
  std::printf("all blobs match their digests\n");
  return 0;
}
