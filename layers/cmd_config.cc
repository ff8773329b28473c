// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>

#include "common/timestamp.h"

#include "change_commands.h"
#include "change_options.h"
#include "image_writer.h"
#include "options.h"

namespace {

using Strings = std::vector<std::string>;

struct Field {
  std::string_view option;  // of the command line, and the word for --clear
  std::string_view key;     // in the configuration
};
constexpr auto kTexts = std::to_array<Field>({
    {"user", "User"},
    {"workdir", "WorkingDir"},
    {"stop-signal", "StopSignal"},
});
constexpr auto kArgv = std::to_array<Field>({
    {"entrypoint", "Entrypoint"},
    {"cmd", "Cmd"},
    {"shell", "Shell"},
});
constexpr auto kSets = std::to_array<Field>({
    {"expose", "ExposedPorts"},
    {"volume", "Volumes"},
});
constexpr auto kOthers = std::to_array<Field>({
    {"env", "Env"},
    {"label", "Labels"},
    {"onbuild", "OnBuild"},
    {"healthcheck", "Healthcheck"},
});

Result<std::pair<std::string, std::string>> assignment(std::string_view option,
                                                       const std::string& text) {
  const auto equals = text.find('=');
  if (equals == std::string::npos || equals == 0)
    return Error{"--" + std::string(option) + " '" + text + "': expected NAME=VALUE"};
  return std::pair(text.substr(0, equals), text.substr(equals + 1));
}

// A JSON array of words, or a line for the shell.
Result<Strings> argv_of(const std::string& text) {
  if (text.empty()) return Strings();
  if (!text.starts_with('[')) return Strings{"/bin/sh", "-c", text};
  const JsonDocument document = TRY(JsonDocument::parse("'" + text + "'", text));
  return document.root().strings();
}

Result<std::string> port_of(const std::string& text) {
  const auto slash = text.find('/');
  const std::string protocol = slash == std::string::npos ? "tcp" : text.substr(slash + 1);
  const auto number = parse_integer(text.substr(0, slash));
  if (!number || *number < 1 || *number > 65535 ||
      (protocol != "tcp" && protocol != "udp" && protocol != "sctp"))
    return Error{"--expose '" + text + "': expected PORT[/tcp|udp|sctp]"};
  return std::to_string(*number) + "/" + protocol;
}

Result<void> clear(NewImage& image, const std::string& word) {
  if (word == "annotations") {
    image.annotations.clear();
    return {};
  }
  if (word == "history") {
    image.config.history.clear();
    return {};
  }
  const auto clear_in = [&](const auto& fields) {
    const auto found = std::ranges::find(fields, word, &Field::option);
    if (found == fields.end()) return false;
    image.config.config.erase(found->key);
    return true;
  };
  if (clear_in(kTexts) || clear_in(kArgv) || clear_in(kSets) || clear_in(kOthers)) return {};
  return Error{"--clear '" + word + "': no such field", 0,
               "the names of the options: env, label, cmd, …; and annotations, history"};
}

Result<void> set_process(const Options& given, ConfigDocument& config) {
  for (const Field& field : kTexts)
    if (const auto value = given.value(field.option)) config.set_text(field.key, *value);
  for (const Field& field : kArgv)
    if (const auto value = given.value(field.option)) {
      const Strings argv = TRY(argv_of(*value));
      config.set_strings(field.key, argv);
    }
  return {};
}

Result<void> set_sets(const Options& given, ConfigDocument& config) {
  for (const Field& field : kSets) {
    if (!given.given(field.option)) continue;
    auto keys = TRY(config.keys(field.key));
    for (const std::string& value : given.values(field.option))
      keys.push_back(field.option == "expose" ? TRY(port_of(value)) : value);
    config.set_keys(field.key, keys);
  }
  return {};
}

Result<void> set_environment(const Options& given, ConfigDocument& config) {
  for (const std::string& text : given.values("env")) {
    TRY(assignment("env", text));
    TRY(config.set_variable(text));
  }
  auto env = TRY(config.strings("Env"));
  for (const std::string& name : given.values("unset-env"))
    std::erase_if(env, [&](const std::string& e) { return e.starts_with(name + "="); });
  config.set_strings("Env", env);
  return {};
}

Result<void> set_labels(const Options& given, NewImage& image) {
  auto labels = TRY(image.config.map("Labels"));
  for (const std::string& text : given.values("label")) {
    auto [name, value] = TRY(assignment("label", text));
    labels[name] = value;
  }
  for (const std::string& name : given.values("unset-label")) labels.erase(name);
  image.config.set_map("Labels", labels);
  for (const std::string& text : given.values("annotation")) {
    auto [name, value] = TRY(assignment("annotation", text));
    image.annotations[name] = value;
  }
  return {};
}

Result<void> set_others(const Options& given, ConfigDocument& config) {
  auto triggers = TRY(config.strings("OnBuild"));
  for (const std::string& trigger : given.values("onbuild")) triggers.push_back(trigger);
  config.set_strings("OnBuild", triggers);
  if (const auto test = given.value("healthcheck")) {
    const bool none = *test == "NONE";
    Strings argv = none ? Strings{"NONE"} : TRY(argv_of(*test));
    if (argv.empty()) return Error{"--healthcheck: expected a command, or NONE"};
    if (!none && test->starts_with('['))
      argv.insert(argv.begin(), "CMD");
    else if (!none)
      argv = {"CMD-SHELL", *test};
    config.config.set("Healthcheck", "{\"Test\":" + json_strings(argv) + "}");
  }
  if (const auto author = given.value("author")) config.root.set("author", json_text(*author));
  if (const auto created = given.value("created"); created && !parse_rfc3339(*created))
    return Error{"--created '" + *created + "': expected a time like 2026-11-22T12:00:00Z"};
  config.root.set("created", json_text(given.value_or("created", creation_time())));
  if (const auto text = given.value("as-platform")) {
    const Platform platform = TRY(parse_platform(*text));
    config.root.set("os", json_text(platform.os));
    config.root.set("architecture", json_text(platform.architecture));
    config.root.erase("variant");
    if (!platform.variant.empty()) config.root.set("variant", json_text(platform.variant));
  }
  return {};
}

}  // namespace

Result<int> cmd_config(const Arguments& arguments) {
  const Options& given = arguments.options;
  const std::string& name = arguments.positionals[0];
  const Store store = TRY(open_store(arguments));
  const Platform platform = TRY(platform_option(given));
  const Image image = TRY(store.load(name, platform));
  NewImage out = TRY(NewImage::of(store.layout(), image));
  for (const std::string& word : given.values("clear")) TRY(clear(out, word));
  TRY(set_process(given, out.config));
  TRY(set_sets(given, out.config));
  TRY(set_environment(given, out.config));
  TRY(set_labels(given, out));
  TRY(set_others(given, out.config));
  if (!given.flag("no-history")) {
    NewHistory history = history_option(given, "layers config");
    history.empty_layer = true;
    out.config.add_history(history);
  }
  TRY(publish_image(arguments, store, out,
                    arguments.positionals.size() > 1 ? arguments.positionals[1] : name, "config"));
  return 0;
}
