// SPDX-License-Identifier: Apache-2.0
// cmd_tag.cc - the names of images: tag, untag, rm.
#include <cerrno>
#include <cstdio>

#include "collect.h"
#include "commands.h"
#include "options.h"
#include "reference.h"

namespace {

// "sha256:…" and IDs take every name of the image; a name only itself.
Result<void> remove_names(const Store& store, const std::string& wanted) {
  const Descriptor found = TRY(store.find(wanted));
  const auto own = full_name(wanted);
  if (own && found.ref_name() && found.ref_name()->ends_with(*own)) {
    TRY(store.untag(*found.ref_name()));
    return {};
  }
  for (const Descriptor& entry : TRY(store.images()))
    if (entry.digest == found.digest && entry.ref_name()) TRY(store.untag(*entry.ref_name()));
  return {};
}

}  // namespace

Result<int> cmd_tag(const Arguments& arguments) {
  const Store store = TRY(open_store(arguments));
  const Descriptor found = TRY(store.find(arguments.positionals[0]));
  const std::string name = TRY(full_name(arguments.positionals[1]));
  const auto replaced = TRY(store.tag(found, name));
  if (replaced)
    std::fprintf(stderr, "layers: tag: %s was %s until now\n", name.c_str(),
                 replaced->text().c_str());
  return 0;
}

Result<int> cmd_untag(const Arguments& arguments) {
  const Store store = TRY(open_store(arguments));
  const std::string name = TRY(full_name(arguments.positionals[0]));
  if (!TRY(store.untag(name))) return Error{"no image has the name '" + name + "'", ENOENT};
  return 0;
}

Result<int> cmd_rm(const Arguments& arguments) {
  const EventLog events = open_events(arguments);
  {
    const Store store = TRY(open_store(arguments));
    for (const std::string& name : arguments.positionals) {
      TRY(remove_names(store, name));
      events.emit(name, "remove");
    }
  }
  // When somebody else uses the store the data stays until the next rm or gc.
  TRY(collect_garbage(store_path(arguments)));
  return 0;
}
