// SPDX-License-Identifier: Apache-2.0
#include "hook_files.h"

#include <dirent.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <memory>

#include "common/child_process.h"
#include "common/fd.h"

#include "hook_main.h"

namespace {

constexpr std::string_view kPrecreate = "precreate";
constexpr auto kStages =
    std::to_array<std::string_view>({"createContainer", "createRuntime", "poststart", "poststop",
                                     kPrecreate, "prestart", "startContainer"});

bool is_bind(const JsonView& mount) {
  const auto is_text = [](const std::optional<JsonView>& v, std::string_view text) {
    const auto value = v ? v->string() : Result<std::string>(std::string());
    return value && *value == text;
  };
  if (is_text(mount.find("type"), "bind")) return true;
  const auto options = mount.find("options");
  const auto texts = options ? options->strings() : Result(std::vector<std::string>());
  return texts && std::ranges::any_of(*texts, [](const std::string& option) {
           return option == "bind" || option == "rbind";
         });
}

Result<std::map<std::string, std::string>> texts_of(const std::optional<JsonView>& object) {
  std::map<std::string, std::string> out;
  if (object)
    for (const auto& [key, value] : TRY(object->members())) out[key] = TRY(value.string());
  return out;
}

Result<std::vector<std::string>> strings_of(const std::optional<JsonView>& array) {
  if (!array) return std::vector<std::string>();
  return array->strings();
}

Result<Pattern> pattern_at(const JsonView& where, const std::string& text) {
  auto pattern = Pattern::parse(text);
  if (!pattern) return where.error(pattern.error().text());
  return pattern;
}

Result<HookConditions> parse_conditions(const JsonView& when) {
  HookConditions out;
  if (const auto always = when.find("always")) out.always = TRY(always->boolean());
  if (const auto binds = when.find("hasBindMounts")) out.has_bind_mounts = TRY(binds->boolean());
  if (const auto annotations = when.find("annotations"))
    for (const auto& [key, value] : TRY(annotations->members())) {
      Pattern of_key = TRY(pattern_at(value, key));
      const std::string text = TRY(value.string());
      Pattern of_value = TRY(pattern_at(value, text));
      out.annotations.emplace_back(std::move(of_key), std::move(of_value));
    }
  if (const auto commands = when.find("commands"))
    for (const JsonView& command : TRY(commands->items())) {
      const std::string text = TRY(command.string());
      out.commands.push_back(TRY(pattern_at(command, text)));
    }
  return out;
}

}  // namespace

Result<ContainerFacts> container_facts(const JsonView& config) {
  ContainerFacts out;
  out.annotations = TRY(texts_of(config.find("annotations")));
  if (const auto process = config.find("process")) {
    const auto args = TRY(strings_of(process->find("args")));
    if (!args.empty()) out.command = args[0];
  }
  if (const auto mounts = config.find("mounts"))
    out.bind_mounts = std::ranges::any_of(TRY(mounts->items()), is_bind);
  return out;
}

bool HookConditions::hold(const ContainerFacts& facts) const {
  if (!always && !has_bind_mounts && annotations.empty() && commands.empty()) return false;
  if (always && !*always) return false;
  if (has_bind_mounts && !(*has_bind_mounts && facts.bind_mounts)) return false;
  for (const auto& pair : annotations) {
    const bool found = std::ranges::any_of(facts.annotations, [&](const auto& annotation) {
      return pair.first.matches(annotation.first) && pair.second.matches(annotation.second);
    });
    if (!found) return false;
  }
  return commands.empty() ||
         (facts.command && std::ranges::any_of(commands, [&](const Pattern& pattern) {
            return pattern.matches(*facts.command);
          }));
}

Result<HookFile> parse_hook_file(const std::string& name, std::string_view text) {
  const JsonDocument document = TRY(JsonDocument::parse(name, text));
  const JsonView root = document.root();
  const JsonView version = TRY(root.at("version"));
  const std::string number = TRY(version.string());
  if (number != "1.0.0") return version.error("version '" + number + "' is not known; 1.0.0 is");
  const JsonView hook = TRY(root.at("hook"));
  HookFile out;
  const JsonView path = TRY(hook.at("path"));
  out.path = TRY(path.string());
  if (!out.path.starts_with('/')) return path.error("must be absolute");
  out.args = TRY(strings_of(hook.find("args")));
  if (const auto env = hook.find("env")) out.env = TRY(env->strings());
  if (const auto timeout = hook.find("timeout")) {
    out.timeout = TRY(timeout->integer());
    if (out.timeout <= 0) return timeout->error("must be greater than 0");
  }
  out.json = hook.json();
  const JsonView when = TRY(root.at("when"));
  out.when = TRY(parse_conditions(when));
  const JsonView stages = TRY(root.at("stages"));
  out.stages = TRY(stages.strings());
  if (out.stages.empty()) return stages.error("names no stage");
  for (const std::string& stage : out.stages)
    if (std::ranges::find(kStages, stage) == kStages.end())
      return stages.error("unknown stage '" + stage + "'");
  return out;
}

namespace {

Result<std::vector<std::string>> json_names(const std::string& directory) {
  std::vector<std::string> out;
  const std::unique_ptr<DIR, int (*)(DIR*)> dir(::opendir(directory.c_str()), ::closedir);
  if (!dir && errno == ENOENT) return out;
  if (!dir) return errno_error("open directory", directory);
  while (const dirent* entry = ::readdir(dir.get())) {
    const std::string name = entry->d_name;
    if (name.ends_with(".json") && !name.starts_with('.')) out.push_back(name);
  }
  return out;
}

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

}  // namespace

Result<std::vector<HookFile>> read_hook_files(std::span<const std::string> directories) {
  std::map<std::pair<std::string, std::string>, std::string> files;  // by order: path
  for (const std::string& directory : directories)
    for (const std::string& name : TRY(json_names(directory)))
      files[{lower(name), name}] = directory + "/" + name;
  std::vector<HookFile> out;
  for (const auto& [order, path] : files) {
    const std::string text = TRY(read_file(path, std::size_t{1} << 20));
    HookFile file = TRY(parse_hook_file(path, text));
    if (::access(file.path.c_str(), X_OK) != 0)
      return errno_error(path + ": /hook/path: execute", file.path);
    out.push_back(std::move(file));
  }
  return out;
}

namespace {

// The "hooks" object with `added` behind what each stage has.
Result<std::string> merged_hooks(const std::optional<JsonView>& hooks,
                                 const std::map<std::string, std::vector<std::string>>& added) {
  JsonWriter w;
  w.begin_object();
  std::map<std::string, std::vector<std::string>> rest = added;
  const auto list = [&](const std::string& stage, const std::vector<std::string>& existing) {
    w.key(stage).begin_array();
    for (const std::string& hook : existing) w.raw(hook);
    for (const std::string& hook : rest[stage]) w.raw(hook);
    w.end_array();
    rest.erase(stage);
  };
  if (hooks)
    for (const auto& [stage, value] : TRY(hooks->members())) {
      std::vector<std::string> existing;
      for (const JsonView& hook : TRY(value.items())) existing.push_back(hook.json());
      list(stage, existing);
    }
  while (!rest.empty()) list(std::string(rest.begin()->first), {});
  return w.end_object().take();
}

// A program that reads the configuration and writes another.
Result<std::string> filtered(const HookFile& file, std::string config) {
  Command command;
  command.argv = file.args.empty() ? std::vector{file.path} : file.args;
  command.program = file.path;
  if (file.env) command.env = file.env;
  RunOptions options;
  options.input = std::move(config);
  if (file.timeout != 0) options.timeout = std::chrono::seconds(file.timeout);
  const Output output = TRY(run(command, options));
  if (output.status != 0)
    return Error{"precreate hook '" + file.path + "': exit status " +
                 std::to_string(output.status) + ", stderr: " + output.err.substr(0, 2048)};
  const JsonDocument document =
      TRY(JsonDocument::parse("output of '" + file.path + "'", output.out));
  if (!document.root().is_object()) return document.root().error("expected an object");
  return output.out.substr(0, output.out.find_last_not_of('\n') + 1);
}

}  // namespace

Result<std::string> inject_hooks(const JsonView& config, const std::vector<HookFile>& files) {
  const ContainerFacts facts = TRY(container_facts(config));
  std::map<std::string, std::vector<std::string>> added;
  std::vector<const HookFile*> filters;
  for (const HookFile& file : files) {
    if (!file.when.hold(facts)) continue;
    for (const std::string& stage : file.stages) {
      if (stage == kPrecreate)
        filters.push_back(&file);
      else
        added[stage].push_back(file.json);
    }
  }
  std::string out = config.json();
  if (!added.empty()) {
    const std::string hooks = TRY(merged_hooks(config.find("hooks"), added));
    out = with_member(config, "hooks", hooks);
  }
  for (const HookFile* filter : filters) out = TRY(filtered(*filter, std::move(out)));
  return out;
}
