// SPDX-License-Identifier: Apache-2.0
#include "build_stage.h"

#include <algorithm>
#include <array>

#include "target_tree.h"

Result<Lookup> Stage::lookup() const {
  std::map<std::string, std::string> values = args;
  for (const std::string& entry : TRY(image.config.strings("Env"))) {
    const auto equals = entry.find('=');
    if (equals != std::string::npos) values[entry.substr(0, equals)] = entry.substr(equals + 1);
  }
  return Lookup([values = std::move(values)](const std::string& variable) {
    const auto found = values.find(variable);
    return found == values.end() ? std::nullopt : std::optional(found->second);
  });
}

Result<std::vector<std::string>> Stage::arguments() const {
  const auto env = TRY(image.config.strings("Env"));
  std::vector<std::string> out;
  for (const auto& [argument, value] : args) {
    const bool hidden = std::ranges::any_of(
        env, [&](const std::string& e) { return e.starts_with(argument + "="); });
    if (!hidden) out.push_back(argument + "=" + value);
  }
  return out;
}

Result<std::string> Stage::working_dir() const {
  return "/" + clean_path(TRY(image.config.text("WorkingDir")));
}

void Stage::mix(std::string_view what) {
  key = digest_of(key.text() + "\n" + std::string(what));
}

Result<std::vector<NameValue>> name_values(const std::string& text, bool old_form,
                                           const Lookup& lookup, char escape) {
  std::vector<NameValue> out;
  const auto words = raw_words(text, escape);
  const bool assignments = !words.empty() && words[0].find('=') != std::string::npos;
  if (old_form && !assignments) {
    const auto blank = text.find_first_of(" \t");
    if (blank == std::string::npos) return Error{"expected NAME=VALUE"};
    const std::string rest = text.substr(text.find_first_not_of(" \t", blank));
    out.push_back({text.substr(0, blank), TRY(expand_word(rest, lookup, escape))});
    return out;
  }
  for (const std::string& word : words) {
    const auto equals = word.find('=');
    std::string name = TRY(expand_word(word.substr(0, equals), lookup, escape));
    if (name.empty()) return Error{"'" + word + "': expected NAME=VALUE"};
    if (equals == std::string::npos) {
      if (old_form) return Error{"'" + word + "': expected NAME=VALUE"};
      out.push_back({std::move(name), std::nullopt});
      continue;
    }
    out.push_back({std::move(name), TRY(expand_word(word.substr(equals + 1), lookup, escape))});
  }
  return out;
}

Result<std::vector<std::string>> expanded_words(const Stage& stage, std::string_view text) {
  const Lookup lookup = TRY(stage.lookup());
  std::vector<std::string> out;
  for (const std::string& word : raw_words(text, stage.escape))
    out.push_back(TRY(expand_word(word, lookup, stage.escape)));
  return out;
}

std::optional<std::int64_t> parse_duration(std::string_view text) {
  struct Unit {
    std::string_view name;
    double nanoseconds;
  };
  constexpr auto kUnits = std::to_array<Unit>(
      {{"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"h", 3600e9}, {"m", 60e9}, {"s", 1e9}});
  double total = 0;
  if (text.empty()) return std::nullopt;
  while (!text.empty()) {
    const auto end = text.find_first_not_of("0123456789.");
    if (end == 0 || end == std::string_view::npos) return std::nullopt;
    const double value = std::stod(std::string(text.substr(0, end)));
    text.remove_prefix(end);
    const auto unit =
        std::ranges::find_if(kUnits, [&](const Unit& u) { return text.starts_with(u.name); });
    if (unit == kUnits.end()) return std::nullopt;
    total += value * unit->nanoseconds;
    text.remove_prefix(unit->name.size());
  }
  return static_cast<std::int64_t>(total);
}
