// SPDX-License-Identifier: Apache-2.0
#include <cstdio>

#include "common/json.h"

#include "commands.h"
#include "import.h"
#include "options.h"

Result<int> cmd_import(const Arguments& arguments) {
  const auto source = TRY(parse_source(arguments.positionals[0]));
  if (!source)
    return Error{"'" + arguments.positionals[0] + "' is no source", 0,
                 "write oci:DIR[:TAG], oci-archive:FILE[:TAG], docker-archive:FILE[:NAME] or "
                 "tar:FILE"};
  ImportOptions options;
  if (arguments.positionals.size() > 1) options.name = arguments.positionals[1];
  options.platform = TRY(platform_option(arguments.options));
  options.most_bytes = TRY(unpack_limits(arguments.options)).most_bytes;
  const Store store = TRY(open_store(arguments));
  const EventLog events = open_events(arguments);
  for (const Imported& image : TRY(import_source(store, *source, options))) {
    std::printf("%s %s\n", image.name.c_str(), image.manifest.digest.text().c_str());
    JsonWriter data;
    data.begin_object().member("digest", image.manifest.digest.text());
    if (image.replaced) data.member("replaced", image.replaced->text());
    events.emit(image.name, "import", 0, data.end_object().take());
    if (image.replaced)
      std::fprintf(stderr, "layers: import: %s was %s until now\n", image.name.c_str(),
                   image.replaced->text().c_str());
  }
  return 0;
}
