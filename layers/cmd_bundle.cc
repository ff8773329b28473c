// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>

#include "common/json.h"

#include "bundle.h"
#include "commands.h"
#include "options.h"

namespace {

constexpr auto kStages = std::to_array<std::string_view>(
    {"createContainer", "createRuntime", "poststart", "poststop", "prestart", "startContainer"});

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> out;
  for (;;) {
    const auto end = text.find(separator);
    out.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return out;
    text.remove_prefix(end + 1);
  }
}

Result<Volume> parse_volume(const std::string& text) {
  const auto parts = split(text, ':');
  const bool valid = (parts.size() == 2 || parts.size() == 3) && parts[0].starts_with('/') &&
                     parts[1].starts_with('/') &&
                     (parts.size() == 2 || parts[2] == "ro" || parts[2] == "rw");
  if (!valid) return Error{"--volume '" + text + "': expected /SOURCE:/DESTINATION[:ro]"};
  return Volume{parts[0], parts[1], parts.size() == 3 && parts[2] == "ro"};
}

Result<ExtraHook> parse_hook(const std::string& text) {
  const auto equals = text.find('=');
  const std::string stage = text.substr(0, equals);
  if (equals == std::string::npos || std::ranges::find(kStages, stage) == kStages.end())
    return Error{
        "--hook '" + text + "': expected STAGE=PATH[,ARG]...", 0,
        "stages: prestart createRuntime createContainer startContainer poststart poststop"};
  ExtraHook hook{stage, split(std::string_view(text).substr(equals + 1), ',')};
  if (!hook.argv[0].starts_with('/'))
    return Error{"--hook '" + text + "': the path of a hook must be absolute"};
  return hook;
}

Result<void> read_limits(const Options& given, BundleOptions& out) {
  if (const auto memory = given.value("memory"))
    out.memory = static_cast<std::int64_t>(TRY(parse_bytes(*memory)));
  if (const auto pids = given.value("pids-limit")) {
    const auto count = parse_integer(*pids);
    if (!count) return Error{"--pids-limit '" + *pids + "': expected a number"};
    out.pids = *count;
  }
  if (const auto cpus = given.value("cpus")) {
    double value = 0;
    const auto parsed = std::from_chars(cpus->data(), cpus->data() + cpus->size(), value);
    if (parsed.ptr != cpus->data() + cpus->size() || value < 0.01)
      return Error{"--cpus '" + *cpus + "': expected a number like 1.5"};
    out.cpus = value;
  }
  return {};
}

void read_environment(const Options& given, BundleOptions& out) {
  for (const std::string& entry : given.values("env")) {
    if (entry.find('=') != std::string::npos) {
      out.env.push_back(entry);
      continue;
    }
    const char* value =
        std::getenv(entry.c_str());  // NOLINT(concurrency-mt-unsafe): no thread runs
    if (value != nullptr) out.env.push_back(entry + "=" + value);
  }
}

Result<BundleOptions> read_options(const Arguments& arguments) {
  const Options& given = arguments.options;
  BundleOptions out;
  std::string dir = arguments.positionals[1];
  while (dir.size() > 1 && dir.ends_with('/')) dir.pop_back();
  out.name = given.value_or("name", dir.substr(dir.rfind('/') + 1));
  out.hostname = given.value_or("hostname", out.name);
  if (out.hostname.empty() || out.hostname.size() > 64)
    return Error{"host name '" + out.hostname + "': expected 1 to 64 characters"};
  out.network = given.value("network");
  out.publish = given.values("publish");
  if (!out.publish.empty() && !out.network) out.network = "default";
  if (!out.publish.empty() && !out.wired())
    return Error{"--publish needs a network of netsetup's", 0, "add --network default"};
  out.user = given.value("user");
  out.working_dir = given.value("workdir");
  if (const auto entrypoint = given.value("entrypoint"))
    out.entrypoint = entrypoint->empty() ? std::vector<std::string>() : std::vector{*entrypoint};
  out.args.assign(arguments.positionals.begin() + 2, arguments.positionals.end());
  for (const std::string& text : given.values("volume"))
    out.volumes.push_back(TRY(parse_volume(text)));
  for (const std::string& text : given.values("hook")) out.hooks.push_back(TRY(parse_hook(text)));
  out.read_only = given.flag("read-only");
  out.terminal = given.flag("tty");
  out.no_new_privileges = given.flag("no-new-privileges");
  read_environment(given, out);
  TRY(read_limits(given, out));
  return out;
}

Result<int> remove(const Arguments& arguments) {
  if (arguments.positionals.size() != 1) return Error{"--remove takes one directory"};
  const std::string& dir = arguments.positionals[0];
  const std::string store = arguments.global.given("store")
                                ? store_path(arguments)
                                : store_of_bundle(dir, store_path(arguments));
  TRY(remove_bundle(store, dir));
  open_events(arguments).emit(dir, "unbundle");
  return 0;
}

}  // namespace

Result<int> cmd_bundle(const Arguments& arguments) {
  if (arguments.options.flag("remove")) return remove(arguments);
  if (arguments.positionals.size() < 2)
    return Error{"expected IMAGE and DIR", 0, "layers bundle IMAGE DIR [-- ARG...]"};
  const BundleOptions options = TRY(read_options(arguments));
  const UnpackLimits limits = TRY(unpack_limits(arguments.options));
  const Platform platform = TRY(platform_option(arguments.options));
  const Store store = TRY(open_store(arguments));
  const Image image = TRY(store.load(arguments.positionals[0], platform));
  TRY(make_bundle(store, image, arguments.positionals[1], options, limits));
  JsonWriter data;
  data.begin_object().member("bundle", arguments.positionals[1]);
  data.member("image", image.name).member("digest", image.descriptor.digest.text());
  open_events(arguments).emit(options.name, "bundle", 0, data.end_object().take());
  return 0;
}
