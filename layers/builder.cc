// SPDX-License-Identifier: Apache-2.0
#include "builder.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>

#include "common/beneath.h"
#include "common/cli.h"

#include "image_writer.h"
#include "layer_dirs.h"
#include "options.h"
#include "target_tree.h"

namespace {

// What a builder knows without being told.
std::map<std::string, std::string> platform_args(const Platform& platform) {
  std::map<std::string, std::string> out;
  const Platform host = host_platform();
  for (const auto& [prefix, p] : {std::pair("TARGET", platform), std::pair("BUILD", host)}) {
    out[std::string(prefix) + "PLATFORM"] = p.text();
    out[std::string(prefix) + "OS"] = p.os;
    out[std::string(prefix) + "ARCH"] = p.architecture;
    out[std::string(prefix) + "VARIANT"] = p.variant;
  }
  return out;
}

std::string short_line(const Instruction& instruction) {
  const std::string line = instruction.keyword + " " + instruction.text;
  return line.size() <= 100 ? line : line.substr(0, 99) + "…";
}

}  // namespace

Result<Builder> Builder::create(const Store& store, const BuildOptions& options) {
  Builder out(store, options, TRY(BuildCache::open(store)));
  TRY(out.read_context());
  TRY(out.plan());
  return out;
}

void Builder::say(const std::string& line) const {
  if (!options_->quiet) std::fprintf(stderr, "%s\n", line.c_str());
}

Result<void> Builder::read_context() {
  context_.root = TRY(open_directory(options_->context));
  std::string text;
  std::string name = options_->file.value_or("Dockerfile");
  if (options_->file) {
    text = *options_->file == "-" ? TRY(read_all(FdRef(STDIN_FILENO), "standard input"))
                                  : TRY(read_file(*options_->file));
  } else {
    auto file = open_in_root(context_.root, name, O_RDONLY | O_NONBLOCK);
    if (!file)
      return std::move(file)
          .error()
          .in("'" + options_->context + "'")
          .with_hint("name the Dockerfile with --file");
    text = TRY(read_all(*file, name));
  }
  for (const std::string& candidate : {name + ".dockerignore", std::string(".dockerignore")}) {
    const auto rules = open_in_root(context_.root, candidate, O_RDONLY | O_NONBLOCK);
    if (!rules) continue;
    context_.ignore = IgnoreRules::parse(TRY(read_all(*rules, candidate)));
    break;
  }
  file_ = TRY(parse_dockerfile(name == "-" ? "Dockerfile" : name, text));
  return {};
}

Lookup Builder::global_lookup() const {
  return [this](const std::string& name) -> std::optional<std::string> {
    const auto found = global_args_.find(name);
    return found == global_args_.end() ? std::nullopt : std::optional(found->second);
  };
}

std::optional<std::string> Builder::argument(const std::string& name) const {
  const auto found = options_->args.find(name);
  return found == options_->args.end() ? std::nullopt : std::optional(found->second);
}

// Where the stages begin and end; the arguments before the first.
Result<void> Builder::plan() {
  global_args_ = platform_args(options_->platform);
  for (std::size_t i = 0; i < file_.instructions.size(); ++i) {
    const Instruction& instruction = file_.instructions[i];
    const std::string where = file_.name + ":" + std::to_string(instruction.line);
    if (instruction.keyword == "FROM") {
      auto planned = plan_stage(instruction, i);
      if (!planned) return std::move(planned).error().in(where + ": FROM");
    } else if (!plans_.empty()) {
      plans_.back().last = i + 1;
    } else if (instruction.keyword == "ARG") {
      auto pairs = name_values(instruction.text, false, global_lookup(), file_.escape);
      if (!pairs) return std::move(pairs).error().in(where + ": ARG");
      for (const NameValue& pair : *pairs) {
        used_args_.insert(pair.name);
        const auto value = argument(pair.name);
        if (value || pair.value) global_args_[pair.name] = value ? *value : *pair.value;
      }
    } else {
      return Error{where + ": " + instruction.keyword + ": only ARG may stand before FROM"};
    }
  }
  if (plans_.empty()) return Error{file_.name + ": has no FROM"};
  return {};
}

Result<void> Builder::plan_stage(const Instruction& from, std::size_t index) {
  std::string text = from.text;
  Plan out;
  for (const Flag& flag : take_flags(text)) {
    if (flag.name != "platform") return Error{"unknown option --" + flag.name};
    out.platform = TRY(expand_word(flag.value, global_lookup(), file_.escape));
  }
  const auto words = raw_words(text, file_.escape);
  const bool named =
      words.size() == 3 && (words[1] == "AS" || words[1] == "as" || words[1] == "As");
  if (words.size() != 1 && !named) return Error{"expected IMAGE [AS NAME]"};
  out.base = TRY(expand_word(words[0], global_lookup(), file_.escape));
  if (out.base.empty()) return Error{"'" + words[0] + "' is empty", 0, "give it with --build-arg"};
  out.name = named ? words[2] : std::to_string(plans_.size());
  out.first = out.last = index + 1;
  plans_.push_back(std::move(out));
  return {};
}

std::optional<std::size_t> Builder::find_stage(const std::string& name, std::size_t before) const {
  for (std::size_t i = before; i-- > 0;)
    if (plans_[i].name == name || std::to_string(i) == name) return i;
  return std::nullopt;
}

Result<std::size_t> Builder::find_target() const {
  if (!options_->target) return plans_.size() - 1;
  const auto found = find_stage(*options_->target, plans_.size());
  if (!found) return Error{file_.name + ": has no stage '" + *options_->target + "'"};
  return *found;
}

Result<NewImage> Builder::run() {
  const std::size_t target = TRY(find_target());
  Stage* stage = TRY(build(target));
  for (const auto& [name, value] : options_->args)
    if (!used_args_.contains(name)) say("warning: no ARG takes --build-arg " + name);
  NewImage out = stage->image;
  auto labels = TRY(out.config.map("Labels"));
  for (const auto& [name, value] : options_->labels) labels[name] = value;
  out.config.set_map("Labels", labels);
  out.config.root.set("created", json_text(creation_time()));
  return out;
}

Result<Stage*> Builder::build(std::size_t number) {
  if (const auto found = built_.find(number); found != built_.end()) return found->second.get();
  const Plan& plan = plans_[number];
  auto base = base_of(number);
  if (!base)
    return std::move(base).error().in(file_.name + ":" +
                                      std::to_string(file_.instructions[plan.first - 1].line) +
                                      ": FROM " + plan.base);
  auto stage = std::make_unique<Stage>(std::move(*base));
  say("[" + stage->name + "] FROM " + plan.base);
  TRY(triggers(*stage));
  for (std::size_t i = plan.first; i < plan.last; ++i) TRY(step(*stage, file_.instructions[i]));
  return (built_[number] = std::move(stage)).get();
}

Result<Image> Builder::load_image(const std::string& name, const Platform& platform) const {
  const auto found = store_->find(name);
  const bool missing = !found && found.error().code == ENOENT;
  if (!options_->fetch || (!missing && !options_->fetch_again)) return store_->load(name, platform);
  auto fetched = options_->fetch(name, platform);
  if (fetched) return store_->load(*fetched, platform);
  Error error = std::move(fetched).error().in(missing ? "it is not in the store; pull" : "pull");
  // The name of an image that is there, but for a letter.
  if (missing && found.error().hint.starts_with("did")) error.hint = found.error().hint;
  return error;
}

Result<Stage> Builder::base_of(std::size_t number) {
  const Plan& plan = plans_[number];
  Platform platform = options_->platform;
  if (!plan.platform.empty()) platform = TRY(parse_platform(plan.platform));
  // What goes into every layer besides the instructions.
  const auto epoch = pack_options().latest;
  const std::string terms = std::string(name_of(options_->compression)) + " " +
                            (epoch ? std::to_string(*epoch) : "") + "\n";
  Stage out{plan.name, number, file_.escape, NewImage::scratch(platform),
            digest_of(terms + "scratch")};
  if (const auto below = find_stage(plan.base, number)) {
    const Stage* base = TRY(build(*below));
    out.image = base->image;
    out.key = base->key;
    out.shell = base->shell;
    return out;
  }
  if (plan.base == "scratch") return out;
  const Image image = TRY(load_image(plan.base, platform));
  out.image = TRY(NewImage::of(store_->layout(), image));
  out.image.annotations.clear();
  out.key = digest_of(terms + image.manifest.config.digest.text());
  const auto shell = TRY(out.image.config.strings("Shell"));
  if (!shell.empty()) out.shell = shell;
  return out;
}

// What the base wants to happen in images made from it.
Result<void> Builder::triggers(Stage& stage) {
  const auto triggers = TRY(stage.image.config.strings("OnBuild"));
  stage.image.config.config.erase("OnBuild");
  for (const std::string& text : triggers) {
    const Instruction trigger = TRY(parse_instruction(text, 0));
    auto done = step(stage, trigger);
    if (!done) return std::move(done).error().in("ONBUILD of the base");
  }
  return {};
}

Result<void> Builder::step(Stage& stage, const Instruction& instruction) {
  say("[" + stage.name + "] " + short_line(instruction));
  auto done = execute(stage, instruction);
  if (done) return {};
  return std::move(done).error().in(file_.name + ":" + std::to_string(instruction.line) + ": " +
                                    instruction.keyword);
}

Result<void> Builder::execute(Stage& stage, const Instruction& instruction) {
  const std::string& keyword = instruction.keyword;
  if (keyword == "RUN") return run_command(stage, instruction);
  if (keyword == "COPY" || keyword == "ADD") return copy(stage, instruction);
  if (keyword == "WORKDIR") return workdir(stage, instruction);
  if (keyword == "ARG") return arg(stage, instruction);
  if (!TRY(apply_metadata(stage, instruction))) return Error{"cannot stand here"};
  stage.mix(stage.image.config.config.json());
  stage.image.config.add_history(
      {.created_by = keyword + " " + instruction.text, .created = {}, .empty_layer = true});
  return {};
}

Result<void> Builder::arg(Stage& stage, const Instruction& instruction) {
  const Lookup lookup = TRY(stage.lookup());
  for (const NameValue& pair : TRY(name_values(instruction.text, false, lookup, stage.escape))) {
    used_args_.insert(pair.name);
    auto value = argument(pair.name);
    if (!value) value = pair.value ? pair.value : global_lookup()(pair.name);
    if (value) stage.args[pair.name] = *value;
  }
  stage.image.config.add_history(
      {.created_by = "ARG " + instruction.text, .created = {}, .empty_layer = true});
  return {};
}

Result<void> Builder::workdir(Stage& stage, const Instruction& instruction) {
  const auto words = TRY(expanded_words(stage, instruction.text));
  if (words.size() != 1) return Error{"expected one directory"};
  const std::string before = TRY(stage.working_dir());
  const std::string path =
      clean_path(words[0].starts_with('/') ? words[0] : before + "/" + words[0]);
  stage.image.config.set_text("WorkingDir", "/" + path);
  return layer_step(stage, instruction, "/" + path,
                    [&](StepRoot& root) -> Result<std::set<std::string>> {
                      if (!path.empty()) TRY(make_directories_in_root(root.root(), path));
                      return std::set<std::string>();
                    });
}

// The step itself, or what it gave the last time that the same went in.
Result<void> Builder::layer_step(Stage& stage, const Instruction& instruction,
                                 const std::string& inputs, const Work& work) {
  stage.mix(instruction.keyword + "\n" + inputs);
  NewHistory history{.created_by = instruction.keyword + " " + instruction.text, .created = {}};
  auto entry = options_->cache ? cache_.find(stage.key) : std::nullopt;
  if (entry) {
    say("  as before");
  } else {
    const auto begin = std::chrono::steady_clock::now();
    StepRoot root = TRY(StepRoot::open(*store_, stage.image, options_->limits));
    const std::set<std::string> mounted = TRY(work(root));
    entry = BuildCache::Entry{TRY(root.take(options_->compression, mounted))};
    TRY(cache_.keep(stage.key, *entry));
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    std::array<char, 32> seconds = {};
    (void)std::snprintf(seconds.data(), seconds.size(), "%.1f s", took.count());
    say("  " + (entry->layer ? human_size(entry->layer->descriptor.size) : "no change") + ", " +
        seconds.data());
  }
  history.empty_layer = !entry->layer;
  if (entry->layer)
    add_layer(stage.image, *entry->layer, history);
  else
    stage.image.config.add_history(history);
  return {};
}

Result<Builder::Origin> Builder::origin(const Stage& stage, const std::string& from) {
  if (from.empty()) return Origin{.name = "the build context", .key = {}, .is_context = true};
  if (const auto named = options_->contexts.find(from); named != options_->contexts.end())
    return Origin{.name = "'" + from + "'", .directory = named->second, .key = {}};
  Origin out{.name = "'" + from + "'", .key = {}};
  if (const auto number = find_stage(from, stage.number)) {
    const Stage* built = TRY(build(*number));
    out.layers = TRY(unpacked_layers(*store_, built->image.image(), options_->limits));
    out.key = built->key.text();
    return out;
  }
  const Image image = TRY(load_image(from, options_->platform));
  out.layers = TRY(unpacked_layers(*store_, image, options_->limits));
  out.key = image.manifest.config.digest.text();
  return out;
}

Result<SourceTree> Builder::open_origin(const Origin& origin) const {
  SourceTree out;
  out.name = origin.name;
  if (origin.is_context) {
    out.root = TRY(open_at(context_.root, ".", O_RDONLY | O_DIRECTORY));
    out.ignore = context_.ignore;
  } else if (!origin.directory.empty()) {
    out.root = TRY(open_at(kCwd, origin.directory, O_RDONLY | O_DIRECTORY));
  } else {
    out.root = TRY(open_lower_tree(origin.layers)).fd;
    if (!out.root) return Error{origin.name + " has no files"};
  }
  return out;
}
