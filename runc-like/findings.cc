// SPDX-License-Identifier: Apache-2.0
// The reader of config.json stops at the first error. To find them all, the value
// that it complained of is taken out and the rest is read again.
#include "findings.h"

#include <algorithm>
#include <ranges>

#include "common/json.h"

#include "table_fields.h"
#include "tables.h"

namespace {

std::vector<std::string_view> tokens(std::string_view pointer) {
  std::vector<std::string_view> out;
  for (const auto part : std::views::split(pointer, '/'))
    out.emplace_back(part.begin(), part.end());
  if (!out.empty()) out.erase(out.begin());  // before the first '/'
  return out;
}

bool is_index(std::string_view token) {
  return !token.empty() && std::ranges::all_of(token, [](char c) { return c >= '0' && c <= '9'; });
}

void copy_without(const JsonView& view, const std::string& pointer, JsonWriter& json) {
  if (view.is_object()) {
    json.begin_object();
    if (const auto members = view.members())
      for (const auto& [name, value] : *members)
        if (value.pointer() != pointer) copy_without(value, pointer, json.key(name));
    json.end_object();
  } else if (view.is_array()) {
    json.begin_array();
    if (const auto items = view.items())
      for (const JsonView& item : *items)
        if (item.pointer() != pointer) copy_without(item, pointer, json);
    json.end_array();
  } else {
    json.raw(view.json());
  }
}

// The element of a list that holds the value, or else the value itself: half an
// element would only be wrong in another way.
std::string removable(const std::string& pointer) {
  const auto parts = tokens(pointer);
  std::string path;
  for (const std::string_view part : parts) {
    path.append("/").append(part);
    if (is_index(part)) break;
  }
  return path;
}

// What was taken out moves the later elements of its list; `taken` has the places
// as they were in the document.
std::string as_written(const std::string& pointer, const std::vector<std::string>& taken) {
  std::string path;
  for (const std::string_view part : tokens(pointer)) {
    std::string token(part);
    if (is_index(part)) {
      std::size_t index = std::stoul(token);
      std::vector<std::size_t> gone;
      for (const std::string& other : taken)
        if (other.starts_with(path + "/") && is_index(other.substr(path.size() + 1)))
          gone.push_back(std::stoul(other.substr(path.size() + 1)));
      std::ranges::sort(gone);
      for (const std::size_t before : gone)
        if (before <= index) ++index;
      token = std::to_string(index);
    }
    path.append("/").append(token);
  }
  return path;
}

Finding finding_of(const Error& error, const std::string& field) {
  std::string text = error.text();
  if (const std::size_t at = text.find(error.field + ": ");
      !error.field.empty() && at != std::string::npos)
    text.erase(0, at + error.field.size() + 2);
  return {Finding::Level::Error, field, text};
}

bool matches(const std::vector<std::string_view>& pattern,
             const std::vector<std::string_view>& pointer) {
  if (pointer.size() > pattern.size()) return false;
  for (std::size_t i = 0; i < pointer.size(); ++i)
    if (pattern[i] != "*" && pattern[i] != pointer[i]) return false;
  return true;
}

// The names that could have stood in the last place.
std::vector<std::string_view> siblings(const std::vector<std::string_view>& pointer) {
  std::vector<std::string_view> out;
  const std::vector<std::string_view> parent(pointer.begin(), pointer.end() - 1);
  for (const std::string_view field : kFields) {
    const auto pattern = tokens(field);
    if (pattern.size() > parent.size() && matches(pattern, parent))
      out.push_back(pattern[parent.size()]);
  }
  return out;
}

void look_for_unknown(const JsonView& view, std::vector<Finding>& findings) {
  const auto here = tokens(view.pointer());
  const bool known = std::ranges::any_of(
      kFields, [&](std::string_view field) { return matches(tokens(field), here); });
  if (!known) {
    findings.push_back(
        {Finding::Level::Warning, view.pointer(),
         "is not known and has no effect" + nearest_word(siblings(here), here.back())});
    return;
  }
  if (const auto members = view.members(); view.is_object() && members)
    for (const auto& [name, value] : *members) look_for_unknown(value, findings);
  if (const auto items = view.items(); view.is_array() && items)
    for (const JsonView& item : *items) look_for_unknown(item, findings);
}

}  // namespace

std::string without(std::string_view text, const std::string& pointer) {
  const auto document = JsonDocument::parse("config.json", text);
  if (!document) return std::string(text);
  JsonWriter json;
  copy_without(document->root(), pointer, json);
  return json.take();
}

Examined examine(std::string_view text) {
  Examined out;
  const auto document = JsonDocument::parse("config.json", text);
  if (!document) {
    out.findings.push_back(finding_of(document.error(), document.error().field));
    return out;
  }
  look_for_unknown(document->root(), out.findings);
  std::string rest(text);
  std::vector<std::string> taken;
  constexpr std::size_t kMost = 100;
  while (taken.size() < kMost) {
    auto spec = parse_spec("config.json", rest);
    if (spec) {
      out.spec = *std::move(spec);
      break;
    }
    const std::string field = as_written(spec.error().field, taken);
    const bool again =
        std::ranges::find(taken, as_written(removable(spec.error().field), taken)) != taken.end();
    if (again) break;  // it must be there: nothing more can be read without it
    out.findings.push_back(finding_of(spec.error(), field));
    if (field.empty()) break;
    taken.push_back(as_written(removable(spec.error().field), taken));
    rest = without(rest, removable(spec.error().field));
  }
  if (out.spec)
    for (const std::string& warning : out.spec->warnings)
      out.findings.push_back({Finding::Level::Warning, "", warning});
  return out;
}
