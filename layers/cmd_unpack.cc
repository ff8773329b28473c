// SPDX-License-Identifier: Apache-2.0
#include "common/json.h"

#include "commands.h"
#include "options.h"
#include "reference.h"
#include "unpack.h"

namespace {

// An image of the store, or of any layout on disk where it stands.
Result<void> unpack(const Arguments& arguments, const std::string& name,
                    const std::string& target) {
  const Platform platform = TRY(platform_option(arguments.options));
  const UnpackLimits limits = TRY(unpack_limits(arguments.options));
  const auto source = TRY(parse_source(name));
  if (source && source->kind == Source::Kind::Oci) {
    const Layout layout = TRY(Layout::open(source->path));
    Descriptor descriptor = TRY(layout.find(source->tag));
    const Image image = TRY(layout.load(name, std::move(descriptor), platform));
    return unpack_image(layout, image, target, limits);
  }
  const Store store = TRY(open_store(arguments));
  const Image image = TRY(store.load(name, platform));
  return unpack_image(store.layout(), image, target, limits);
}

}  // namespace

Result<int> cmd_unpack(const Arguments& arguments) {
  const std::string& name = arguments.positionals[0];
  const std::string& target = arguments.positionals[1];
  TRY(unpack(arguments, name, target));
  JsonWriter data;
  data.begin_object().member("target", target).end_object();
  open_events(arguments).emit(name, "unpack", 0, data.take());
  return 0;
}
