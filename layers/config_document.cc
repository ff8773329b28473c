// SPDX-License-Identifier: Apache-2.0
#include "config_document.h"

#include <algorithm>
#include <array>

#include "image_writer.h"

namespace {

constexpr auto kOwnMembers = std::to_array<std::string_view>({"config", "rootfs", "history"});

}  // namespace

std::string json_text(std::string_view text) {
  return JsonWriter().value(text).take();
}

std::string json_strings(const std::vector<std::string>& texts) {
  return JsonWriter().value(texts).take();
}

Result<JsonMembers> JsonMembers::of(const JsonView& object) {
  JsonMembers out;
  for (const auto& [key, value] : TRY(object.members()))
    out.members_.emplace_back(key, value.json());
  return out;
}

void JsonMembers::set(std::string_view key, std::string json) {
  const auto found = std::ranges::find(members_, key, &std::pair<std::string, std::string>::first);
  if (found != members_.end())
    found->second = std::move(json);
  else
    members_.emplace_back(key, std::move(json));
}

void JsonMembers::erase(std::string_view key) {
  std::erase_if(members_, [&](const auto& member) { return member.first == key; });
}

std::optional<std::string> JsonMembers::get(std::string_view key) const {
  const auto found = std::ranges::find(members_, key, &std::pair<std::string, std::string>::first);
  if (found == members_.end() || found->second == "null") return std::nullopt;
  return found->second;
}

std::string JsonMembers::json() const {
  JsonWriter out;
  out.begin_object();
  for (const auto& [key, value] : members_) out.key(key).raw(value);
  return out.end_object().take();
}

Result<ConfigDocument> ConfigDocument::parse(const std::string& name, std::string_view text) {
  const ImageConfig known = TRY(parse_image_config(name, text));  // refuses what is malformed
  const JsonDocument document = TRY(JsonDocument::parse(name, text));
  ConfigDocument out;
  out.root = TRY(JsonMembers::of(document.root()));
  for (const std::string_view own : kOwnMembers) out.root.erase(own);
  if (const auto config = document.root().find("config"))
    out.config = TRY(JsonMembers::of(*config));
  out.diff_ids = known.diff_ids;
  if (const auto history = document.root().find("history"))
    for (const JsonView& entry : TRY(history->items())) out.history.push_back(entry.json());
  return out;
}

ConfigDocument ConfigDocument::fresh(const Platform& platform) {
  ConfigDocument out;
  out.root.set("created", json_text(creation_time()));
  out.root.set("architecture", json_text(platform.architecture));
  if (!platform.variant.empty()) out.root.set("variant", json_text(platform.variant));
  out.root.set("os", json_text(platform.os));
  return out;
}

void ConfigDocument::add_history(const NewHistory& entry) {
  JsonWriter out;
  out.begin_object().member("created", entry.created.empty() ? creation_time() : entry.created);
  if (!entry.author.empty()) out.member("author", entry.author);
  out.member("created_by", entry.created_by);
  if (!entry.comment.empty()) out.member("comment", entry.comment);
  if (entry.empty_layer) out.member("empty_layer", true);
  history.push_back(out.end_object().take());
}

Result<std::optional<JsonDocument>> ConfigDocument::member(std::string_view key) const {
  const auto json = config.get(key);
  if (!json) return std::optional<JsonDocument>();
  return std::optional(TRY(JsonDocument::parse("configuration: " + std::string(key), *json)));
}

Result<std::vector<std::string>> ConfigDocument::strings(std::string_view key) const {
  const auto found = TRY(member(key));
  return found ? found->root().strings() : std::vector<std::string>();
}

void ConfigDocument::set_strings(std::string_view key, const std::vector<std::string>& values) {
  if (values.empty())
    config.erase(key);
  else
    config.set(key, json_strings(values));
}

Result<std::map<std::string, std::string>> ConfigDocument::map(std::string_view key) const {
  std::map<std::string, std::string> out;
  const auto found = TRY(member(key));
  if (!found) return out;
  for (const auto& [name, value] : TRY(found->root().members())) out[name] = TRY(value.string());
  return out;
}

void ConfigDocument::set_map(std::string_view key,
                             const std::map<std::string, std::string>& values) {
  if (values.empty()) return config.erase(key);
  JsonWriter out;
  out.begin_object();
  for (const auto& [name, value] : values) out.member(name, value);
  config.set(key, out.end_object().take());
}

Result<std::vector<std::string>> ConfigDocument::keys(std::string_view key) const {
  std::vector<std::string> out;
  const auto found = TRY(member(key));
  if (!found) return out;
  for (const auto& [name, value] : TRY(found->root().members())) out.push_back(name);
  return out;
}

void ConfigDocument::set_keys(std::string_view key, const std::vector<std::string>& values) {
  if (values.empty()) return config.erase(key);
  JsonWriter out;
  out.begin_object();
  std::vector<std::string> sorted = values;
  std::ranges::sort(sorted);
  const auto twice = std::ranges::unique(sorted);
  sorted.erase(twice.begin(), twice.end());
  for (const std::string& name : sorted) out.key(name).begin_object().end_object();
  config.set(key, out.end_object().take());
}

Result<std::string> ConfigDocument::text(std::string_view key) const {
  const auto found = TRY(member(key));
  return found ? found->root().string() : std::string();
}

void ConfigDocument::set_text(std::string_view key, std::string_view value) {
  if (value.empty())
    config.erase(key);
  else
    config.set(key, json_text(value));
}

Result<void> ConfigDocument::set_variable(const std::string& assignment) {
  auto env = TRY(strings("Env"));
  const std::string prefix = assignment.substr(0, assignment.find('=') + 1);
  const auto found =
      std::ranges::find_if(env, [&](const std::string& e) { return e.starts_with(prefix); });
  if (found != env.end())
    *found = assignment;
  else
    env.push_back(assignment);
  set_strings("Env", env);
  return {};
}

std::string ConfigDocument::json() const {
  JsonMembers out = root;
  out.set("config", config.json());
  JsonWriter rootfs;
  rootfs.begin_object().member("type", "layers").key("diff_ids").begin_array();
  for (const Digest& id : diff_ids) rootfs.value(id.text());
  out.set("rootfs", rootfs.end_array().end_object().take());
  if (!history.empty()) {
    JsonWriter list;
    list.begin_array();
    for (const std::string& entry : history) list.raw(entry);
    out.set("history", list.end_array().take());
  }
  return out.json();
}
