// SPDX-License-Identifier: Apache-2.0
// cmd_pull.cc - pull, push, copy and save: one transfer with different ends.
#include <cstdio>

#include "common/json.h"

#include "options.h"
#include "registry_commands.h"
#include "registry_options.h"

namespace {

struct Moved {
  std::string name;
  ImageDocument document;
  std::uint64_t bytes = 0;
};

void print(const Arguments& arguments, const Moved& moved) {
  const std::string digest = moved.document.descriptor.digest.text();
  if (!arguments.options.flag("json")) {
    std::printf("%s %s\n", moved.name.c_str(), digest.c_str());
    return;
  }
  JsonWriter out;
  out.begin_object()
      .member("name", moved.name)
      .member("digest", digest)
      .member("mediaType", moved.document.descriptor.media_type)
      .member("transferred", moved.bytes);
  std::printf("%s\n", out.end_object().take().c_str());
}

void tell(const Arguments& arguments, const char* verb, const Moved& moved) {
  JsonWriter data;
  data.begin_object().member("digest", moved.document.descriptor.digest.text());
  data.member("transferred", moved.bytes);
  open_events(arguments).emit(moved.name, verb, 0, data.end_object().take());
}

Result<Moved> move(const Arguments& arguments, const char* verb, ImageSource& source,
                   ImageTarget& target) {
  const CopyOptions how = TRY(copy_options(arguments.options));
  Progress progress(verb, arguments.options.flag("quiet"));
  ImageDocument document = TRY(copy_image(source, target, how, progress));
  return Moved{"", std::move(document), progress.moved()};
}

// Out of the store, or anything else, to wherever `to` says.
Result<int> move_to(const Arguments& arguments, const char* verb, const std::string& from,
                    const std::string& to) {
  const Store store = TRY(open_store(arguments));
  const OpenSource source = TRY(open_source(from, store, arguments.options));
  const OpenTarget target = TRY(open_target(to, source, store, arguments.options));
  Moved moved = TRY(move(arguments, verb, *source.source, *target.target));
  moved.name = target.registry ? target.registry->reference().name() : to;
  // An archive on standard output leaves no room for words.
  if (!to.starts_with("oci-archive:-") && !to.starts_with("docker-archive:-"))
    print(arguments, moved);
  tell(arguments, verb, moved);
  return 0;
}

}  // namespace

Result<int> cmd_pull(const Arguments& arguments) {
  const Store store = TRY(open_store(arguments));
  const OpenSource source = TRY(open_pull(arguments.positionals[0], store, arguments.options));
  const bool named = arguments.positionals.size() > 1;
  const std::string name = TRY(full_name(named ? arguments.positionals[1] : source.name));
  StoreTarget target(store, name, dynamic_cast<RegistrySource*>(source.source.get()));
  Moved moved = TRY(move(arguments, "pull", *source.source, target));
  moved.name = name;
  print(arguments, moved);
  tell(arguments, "pull", moved);
  if (target.replaced() && !arguments.options.flag("quiet"))
    std::fprintf(stderr, "layers: pull: %s was %s until now\n", name.c_str(),
                 target.replaced()->text().c_str());
  return 0;
}

Result<int> cmd_push(const Arguments& arguments) {
  const std::string& image = arguments.positionals[0];
  std::string to = arguments.positionals.size() > 1 ? arguments.positionals[1] : "";
  if (to.empty()) {
    const Store store = TRY(open_store(arguments));
    to = TRY(store.find(image)).ref_name().value_or("");
    if (to.empty()) return Error{"'" + image + "' has no name", 0, "say where to push it"};
  }
  return move_to(arguments, "push", image, names_registry(to) ? to : "docker://" + to);
}

Result<int> cmd_copy(const Arguments& arguments) {
  return move_to(arguments, "copy", arguments.positionals[0], arguments.positionals[1]);
}

Result<int> cmd_save(const Arguments& arguments) {
  const std::string& to = arguments.positionals[1];
  if (!TRY(parse_source(to)))
    return Error{"'" + to + "' is no place to save to", 0,
                 "write oci:DIR[:TAG], oci-archive:FILE[:TAG] or docker-archive:FILE[:NAME]"};
  return move_to(arguments, "save", arguments.positionals[0], to);
}
