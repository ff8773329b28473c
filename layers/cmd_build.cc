// SPDX-License-Identifier: Apache-2.0
#include <sched.h>
#include <sys/mount.h>

#include <cstdio>
#include <cstdlib>

#include "common/json.h"

#include "builder.h"
#include "change_commands.h"
#include "change_options.h"
#include "options.h"
#include "reference.h"
#include "registry_options.h"

namespace {

Result<std::pair<std::string, std::string>> pair_of(std::string_view option,
                                                    const std::string& text) {
  const auto equals = text.find('=');
  if (equals == std::string::npos || equals == 0)
    return Error{"--" + std::string(option) + " '" + text + "': expected NAME=VALUE"};
  return std::pair(text.substr(0, equals), text.substr(equals + 1));
}

Result<void> read_args(const Options& given, BuildOptions& out) {
  for (const std::string& text : given.values("build-arg")) {
    const auto equals = text.find('=');
    const std::string name = text.substr(0, equals);
    const char* value = std::getenv(name.c_str());  // NOLINT(concurrency-mt-unsafe): no thread runs
    if (equals != std::string::npos)
      out.args[name] = text.substr(equals + 1);
    else if (value != nullptr)
      out.args[name] = value;
  }
  for (const std::string& text : given.values("label")) {
    auto [name, value] = TRY(pair_of("label", text));
    out.labels[name] = value;
  }
  for (const std::string& text : given.values("build-context")) {
    auto [name, value] = TRY(pair_of("build-context", text));
    out.contexts[name] = value;
  }
  return {};
}

// "id=ID,src=FILE" or "id=ID,env=NAME".
Result<void> read_secrets(const Options& given, BuildOptions& out) {
  for (const std::string& text : given.values("secret")) {
    std::string id;
    BuildSecret secret;
    for (std::string_view rest = text; !rest.empty();) {
      const auto comma = rest.find(',');
      auto [key, value] = TRY(pair_of("secret", std::string(rest.substr(0, comma))));
      rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
      if (key == "id")
        id = value;
      else if (key == "src" || key == "source")
        secret.file = value;
      else if (key == "env")
        secret.variable = value;
      else if (key != "type")
        return Error{"--secret '" + text + "': expected id=ID,src=FILE or id=ID,env=NAME"};
    }
    if (id.empty()) return Error{"--secret '" + text + "': needs an id"};
    if (secret.file.empty() && secret.variable.empty()) secret.variable = id;
    out.secrets[id] = std::move(secret);
  }
  return {};
}

Result<BuildOptions> read_options(const Arguments& arguments) {
  const Options& given = arguments.options;
  BuildOptions out;
  out.context = arguments.positionals[0];
  out.file = given.value("file");
  out.target = given.value("target");
  out.network = given.value_or("network", "host");
  if (out.network == "default") out.network = "host";
  out.cache = !given.flag("no-cache");
  out.quiet = given.flag("quiet");
  out.compression = TRY(compression_option(given));
  out.platform = TRY(platform_option(given));
  out.limits = TRY(unpack_limits(given));
  for (const std::string& name : given.values("tag")) out.names.push_back(TRY(full_name(name)));
  if (out.names.empty()) return Error{"the image needs a name", 0, "give it one with --tag NAME"};
  TRY(read_args(given, out));
  TRY(read_secrets(given, out));
  return out;
}

// Mounts of the build end with this process, however it ends.
Result<void> own_mounts() {
  if (::unshare(CLONE_NEWNS) != 0) {
    Error error = errno_error("create", "mount namespace");
    if (error.code == EPERM) error.hint = "run as root";
    return error;
  }
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
    return errno_error("make private", "/");
  return {};
}

// As pull does it.
Result<std::string> fetch_base(const Store& store, const Options& given,
                               const std::string& reference, const Platform& platform) {
  const OpenSource source = TRY(open_pull(reference, store, given));
  const std::string name = TRY(full_name(source.name));
  StoreTarget target(store, name, dynamic_cast<RegistrySource*>(source.source.get()));
  CopyOptions how;
  how.platform = platform;
  Progress progress("pull", given.flag("quiet"));
  TRY(copy_image(*source.source, target, how, progress));
  return name;
}

}  // namespace

Result<int> cmd_build(const Arguments& arguments) {
  BuildOptions options = TRY(read_options(arguments));
  const EventLog events = open_events(arguments);
  // Before anything is opened: between the two namespaces no file can be renamed.
  TRY(own_mounts());
  const Store store = TRY(open_store(arguments));
  options.fetch_again = arguments.options.flag("pull");
  if (options.fetch_again || !arguments.options.given("pull"))
    options.fetch = [&](const std::string& reference, const Platform& platform) {
      return fetch_base(store, arguments.options, reference, platform);
    };
  Builder builder = TRY(Builder::create(store, options));
  const NewImage image = TRY(builder.run());
  const Descriptor manifest = TRY(store_image(store, image));
  for (const std::string& name : options.names) {
    TRY(store.tag(manifest, name));
    JsonWriter data;
    data.begin_object().member("digest", manifest.digest.text()).end_object();
    events.emit(name, "build", 0, data.take());
  }
  if (const auto file = arguments.options.value("iidfile"))
    TRY(replace_file(*file, manifest.digest.text()));
  std::printf("%s\n", manifest.digest.text().c_str());
  return 0;
}
