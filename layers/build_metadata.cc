// SPDX-License-Identifier: Apache-2.0
// build_metadata.cc - the instructions that change only the configuration.
#include <algorithm>
#include <array>

#include "common/cli.h"

#include "build_stage.h"

namespace {

using Strings = std::vector<std::string>;
using Apply = Result<void> (*)(Stage&, const std::string&);

Result<void> env(Stage& stage, const std::string& text) {
  const Lookup lookup = TRY(stage.lookup());
  for (const NameValue& pair : TRY(name_values(text, true, lookup, stage.escape)))
    TRY(stage.image.config.set_variable(pair.name + "=" + pair.value.value_or("")));
  return {};
}

Result<void> label(Stage& stage, const std::string& text) {
  const Lookup lookup = TRY(stage.lookup());
  auto labels = TRY(stage.image.config.map("Labels"));
  for (const NameValue& pair : TRY(name_values(text, true, lookup, stage.escape)))
    labels[pair.name] = pair.value.value_or("");
  stage.image.config.set_map("Labels", labels);
  return {};
}

Result<std::string> one_word(const Stage& stage, const std::string& text) {
  const auto words = TRY(expanded_words(stage, text));
  if (words.size() != 1) return Error{"expected one argument"};
  return words[0];
}

Result<void> user(Stage& stage, const std::string& text) {
  const std::string value = TRY(one_word(stage, text));
  stage.image.config.set_text("User", value);
  return {};
}

Result<void> stop_signal(Stage& stage, const std::string& text) {
  const std::string value = TRY(one_word(stage, text));
  stage.image.config.set_text("StopSignal", value);
  return {};
}

Result<std::string> port(const std::string& text) {
  const auto slash = text.find('/');
  const std::string protocol = slash == std::string::npos ? "tcp" : text.substr(slash + 1);
  const std::string range = text.substr(0, slash);
  const auto dash = range.find('-');
  for (const std::string& part : {range.substr(0, dash), range.substr(dash + 1)}) {
    const auto number = parse_integer(part);
    if (!number || *number < 1 || *number > 65535)
      return Error{"'" + text + "' is no port: expected PORT[-PORT][/PROTOCOL]"};
  }
  return range + "/" + protocol;
}

Result<void> expose(Stage& stage, const std::string& text) {
  auto ports = TRY(stage.image.config.keys("ExposedPorts"));
  for (const std::string& word : TRY(expanded_words(stage, text)))
    for (const std::string& each : raw_words(word, stage.escape)) ports.push_back(TRY(port(each)));
  stage.image.config.set_keys("ExposedPorts", ports);
  return {};
}

Result<void> volume(Stage& stage, const std::string& text) {
  auto volumes = TRY(stage.image.config.keys("Volumes"));
  const auto json = json_words(text);
  const Strings words = json ? *json : TRY(expanded_words(stage, text));
  volumes.insert(volumes.end(), words.begin(), words.end());
  stage.image.config.set_keys("Volumes", volumes);
  return {};
}

// JSON, or a line for the stage's shell.
Strings argv_of(const Stage& stage, const std::string& text) {
  if (auto json = json_words(text)) return *json;
  Strings out = stage.shell;
  out.push_back(text);
  return out;
}

Result<void> cmd(Stage& stage, const std::string& text) {
  stage.image.config.set_strings("Cmd", argv_of(stage, text));
  stage.has_cmd = true;
  return {};
}

Result<void> entrypoint(Stage& stage, const std::string& text) {
  stage.image.config.set_strings("Entrypoint", argv_of(stage, text));
  // The base's arguments were for the base's entrypoint.
  if (!stage.has_cmd) stage.image.config.config.erase("Cmd");
  return {};
}

Result<void> shell(Stage& stage, const std::string& text) {
  const auto words = json_words(text);
  if (!words || words->empty()) return Error{"expected a JSON array of words"};
  stage.shell = *words;
  stage.image.config.set_strings("Shell", *words);
  return {};
}

Result<void> onbuild(Stage& stage, const std::string& text) {
  const Instruction trigger = TRY(parse_instruction(text, 0));
  for (const char* refused : {"ONBUILD", "FROM", "MAINTAINER"})
    if (trigger.keyword == refused) return Error{trigger.keyword + " cannot be a trigger"};
  auto triggers = TRY(stage.image.config.strings("OnBuild"));
  triggers.push_back(text);
  stage.image.config.set_strings("OnBuild", triggers);
  return {};
}

Result<void> maintainer(Stage& stage, const std::string& text) {
  stage.image.config.root.set("author", json_text(text));
  return {};
}

struct HealthField {
  std::string_view flag;
  std::string_view key;
};
constexpr auto kHealthFields = std::to_array<HealthField>({{"interval", "Interval"},
                                                           {"timeout", "Timeout"},
                                                           {"start-period", "StartPeriod"},
                                                           {"start-interval", "StartInterval"},
                                                           {"retries", "Retries"}});

Result<void> healthcheck(Stage& stage, const std::string& whole) {
  std::string text = whole;
  JsonWriter out;
  out.begin_object();
  for (const Flag& flag : take_flags(text)) {
    const auto field = std::ranges::find(kHealthFields, flag.name, &HealthField::flag);
    if (field == kHealthFields.end()) return Error{"unknown option --" + flag.name};
    const auto value =
        flag.name == "retries" ? parse_integer(flag.value) : parse_duration(flag.value);
    if (!value || *value < 0) return Error{"--" + flag.name + "=" + flag.value + ": no such value"};
    out.member(field->key, static_cast<std::int64_t>(*value));
  }
  const std::string kind = TRY(parse_instruction(text == "NONE" ? "CMD NONE" : text, 0)).keyword;
  if (kind != "CMD") return Error{"expected CMD or NONE"};
  if (text == "NONE") {
    out.member("Test", Strings{"NONE"});
  } else {
    const std::string command = TRY(parse_instruction(text, 0)).text;
    Strings test = json_words(command).value_or(Strings());
    if (test.empty())
      test = {"CMD-SHELL", command};
    else
      test.insert(test.begin(), "CMD");
    out.member("Test", test);
  }
  stage.image.config.config.set("Healthcheck", out.end_object().take());
  return {};
}

struct Row {
  std::string_view keyword;
  Apply apply;
};
constexpr auto kRows = std::to_array<Row>({
    {"CMD", cmd},
    {"ENTRYPOINT", entrypoint},
    {"ENV", env},
    {"EXPOSE", expose},
    {"HEALTHCHECK", healthcheck},
    {"LABEL", label},
    {"MAINTAINER", maintainer},
    {"ONBUILD", onbuild},
    {"SHELL", shell},
    {"STOPSIGNAL", stop_signal},
    {"USER", user},
    {"VOLUME", volume},
});

}  // namespace

Result<bool> apply_metadata(Stage& stage, const Instruction& instruction) {
  const auto row = std::ranges::find(kRows, instruction.keyword, &Row::keyword);
  if (row == kRows.end()) return false;
  TRY(row->apply(stage, instruction.text));
  return true;
}
