// SPDX-License-Identifier: Apache-2.0
#include "reference.h"

#include <algorithm>
#include <array>

namespace {

constexpr std::size_t kLongestName = 255;

struct Prefix {
  std::string_view text;
  Source::Kind kind;
};
constexpr auto kPrefixes = std::to_array<Prefix>({
    {"docker-archive:", Source::Kind::DockerArchive},
    {"oci-archive:", Source::Kind::OciArchive},
    {"oci:", Source::Kind::Oci},
    {"tar:", Source::Kind::Tar},
});

bool is_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// image-spec, annotations.md: component ("/" component)*, a component being
// letters and digits with single separators (or "--") between them.
bool is_component(std::string_view text) {
  constexpr std::string_view kSeparators = "-._:@+";
  if (text.empty() || !is_alphanumeric(text.front()) || !is_alphanumeric(text.back())) return false;
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (is_alphanumeric(text[i])) continue;
    if (kSeparators.find(text[i]) == std::string_view::npos) return false;
    const bool doubled = text[i] == '-' && text[i - 1] == '-' && is_alphanumeric(text[i + 1]);
    if (!is_alphanumeric(text[i - 1]) && !doubled) return false;
  }
  return true;
}

bool is_name(std::string_view text) {
  if (text.size() > kLongestName) return false;
  for (;;) {
    const auto slash = text.find('/');
    if (!is_component(text.substr(0, slash))) return false;
    if (slash == std::string_view::npos) return true;
    text.remove_prefix(slash + 1);
  }
}

bool has_tag(std::string_view name) {
  return name.substr(name.rfind('/') + 1).find(':') != std::string_view::npos;
}

// At the first colon, as other tools do: a docker reference after it has colons
// and slashes of its own.
void split_tag(Source& source, std::string_view rest) {
  const auto colon = rest.find(':');
  source.path = rest.substr(0, colon);
  if (colon != std::string_view::npos) source.tag = rest.substr(colon + 1);
}

std::string base_of(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path.substr(path.rfind('/') + 1);
}

}  // namespace

Result<std::string> full_name(std::string_view name) {
  if (!is_name(name))
    return Error{"image name '" + std::string(name.substr(0, 100)) + "' is not valid", 0,
                 "use letters, digits and single separators, as in web:1.2"};
  return std::string(name) + (has_tag(name) ? "" : ":latest");
}

Result<std::optional<Source>> parse_source(std::string_view text) {
  for (const Prefix& prefix : kPrefixes) {
    if (!text.starts_with(prefix.text)) continue;
    Source source;
    source.kind = prefix.kind;
    const std::string_view rest = text.substr(prefix.text.size());
    if (prefix.kind == Source::Kind::Tar)
      source.path = rest;
    else
      split_tag(source, rest);
    if (source.path.empty()) return Error{"'" + std::string(text) + "' names no file or directory"};
    return std::optional(source);
  }
  return std::optional<Source>();
}

Result<std::string> default_name(const Source& source, const std::optional<std::string>& ref_name) {
  if (ref_name && (ref_name->find('/') != std::string::npos || has_tag(*ref_name)))
    return full_name(*ref_name);
  std::string base = base_of(source.path);
  if (source.kind != Source::Kind::Oci) base = base.substr(0, base.find(".tar"));
  auto name = full_name(ref_name ? base + ":" + *ref_name : base);
  if (!name) return std::move(name).error().with_hint("give a name after the source");
  return name;
}
