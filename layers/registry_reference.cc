// SPDX-License-Identifier: Apache-2.0
#include "registry_reference.h"

#include <algorithm>

namespace {

constexpr std::string_view kScheme = "docker://";
constexpr std::size_t kLongestName = 255;
constexpr std::size_t kLongestTag = 128;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_lower(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z');
}
bool is_word(char c) {
  return is_lower(c) || (c >= 'A' && c <= 'Z') || c == '_';
}

Error invalid(std::string_view what, std::string_view text, std::string_view expected) {
  return Error{std::string(what) + " '" + std::string(text.substr(0, 100)) + "' is not valid", 0,
               std::string(expected)};
}

// Letters and digits, with ".", "_", "__" or dashes between them.
bool is_path_component(std::string_view text) {
  if (text.empty() || !is_lower(text.front()) || !is_lower(text.back())) return false;
  for (std::size_t i = 0; i < text.size();) {
    if (is_lower(text[i])) {
      ++i;
      continue;
    }
    const auto end = std::ranges::find_if(text.substr(i), is_lower);
    const std::string_view gap(
        text.data() + i,
        static_cast<std::size_t>(end - (text.begin() + static_cast<std::ptrdiff_t>(i))));
    if (gap != "." && gap != "_" && gap != "__" && gap.find_first_not_of('-') != gap.npos)
      return false;
    i += gap.size();
  }
  return true;
}

bool is_repository(std::string_view text) {
  for (;;) {
    const auto slash = text.find('/');
    if (!is_path_component(text.substr(0, slash))) return false;
    if (slash == std::string_view::npos) return true;
    text.remove_prefix(slash + 1);
  }
}

bool is_tag(std::string_view text) {
  return !text.empty() && text.size() <= kLongestTag && is_word(text.front()) &&
         std::ranges::all_of(text, [](char c) { return is_word(c) || c == '.' || c == '-'; });
}

bool is_port(std::string_view text) {
  return !text.empty() && text.size() <= 5 && std::ranges::all_of(text, is_digit);
}

bool is_host(std::string_view text) {
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == text.npos) return false;
    const std::string_view port = text.substr(end + 1);
    return text.substr(1, end - 1).find_first_not_of("0123456789abcdefABCDEF:.") == text.npos &&
           (port.empty() || (port.front() == ':' && is_port(port.substr(1))));
  }
  const auto colon = text.find(':');
  const std::string_view name = text.substr(0, colon);
  if (colon != text.npos && !is_port(text.substr(colon + 1))) return false;
  return !name.empty() && name.front() != '-' && name.front() != '.' &&
         std::ranges::all_of(name, [](char c) { return is_word(c) || c == '.' || c == '-'; });
}

// The first part of a name is a host when it looks like one, as every tool has it.
bool looks_like_host(std::string_view text) {
  return text == "localhost" || text.find_first_of(".:[") != text.npos;
}

void split_host(std::string_view text, RegistryReference& out) {
  const auto slash = text.find('/');
  const std::string_view first = text.substr(0, slash);
  if (slash != text.npos && looks_like_host(first)) {
    out.host = first;
    out.repository = text.substr(slash + 1);
  } else {
    out.host = "docker.io";
    out.repository = text;
  }
  if (out.host == "index.docker.io" || out.host == "registry-1.docker.io") out.host = "docker.io";
  if (out.host == "docker.io" && out.repository.find('/') == std::string::npos)
    out.repository.insert(0, "library/");
}

}  // namespace

std::string RegistryReference::endpoint() const {
  return host == "docker.io" ? "registry-1.docker.io" : host;
}

std::string RegistryReference::name() const {
  std::string out = host + "/" + repository;
  if (!tag.empty()) out.append(":").append(tag);
  if (digest) out.append("@").append(digest->text());
  return out;
}

std::string RegistryReference::version() const {
  return digest ? digest->text() : tag;
}

Result<RegistryReference> parse_registry_reference(std::string_view text) {
  const std::string_view whole = text;
  if (names_registry(text)) text.remove_prefix(kScheme.size());
  RegistryReference out;
  if (const auto at = text.find('@'); at != text.npos) {
    out.digest = TRY(Digest::parse(text.substr(at + 1)));
    text = text.substr(0, at);
  }
  const auto colon = text.rfind(':');
  if (colon != text.npos && text.find('/', colon) == text.npos) {
    out.tag = text.substr(colon + 1);
    if (!is_tag(out.tag)) return invalid("tag", out.tag, "use letters, digits, '_', '.' and '-'");
    text = text.substr(0, colon);
  }
  split_host(text, out);
  if (!is_host(out.host)) return invalid("registry", out.host, "write HOST[:PORT]");
  if (!is_repository(out.repository) || out.host.size() + out.repository.size() > kLongestName)
    return invalid("reference", whole, "write [HOST[:PORT]/]REPOSITORY[:TAG] in lower case");
  if (out.tag.empty() && !out.digest) out.tag = "latest";
  return out;
}

Result<RegistryReference> parse_registry_host(std::string_view text) {
  for (const std::string_view scheme : {kScheme, std::string_view("https://")})
    if (text.starts_with(scheme)) text.remove_prefix(scheme.size());
  while (text.ends_with('/')) text.remove_suffix(1);
  const auto slash = text.find('/');
  RegistryReference out{std::string(text.substr(0, slash)), ""};
  if (slash != text.npos) out.repository = text.substr(slash + 1);
  if (out.host == "index.docker.io" || out.host == "registry-1.docker.io") out.host = "docker.io";
  if (!is_host(out.host)) return invalid("registry", text, "write HOST[:PORT]");
  if (slash != text.npos && !is_repository(out.repository))
    return invalid("repository", out.repository, "write HOST[:PORT]/REPOSITORY in lower case");
  return out;
}

bool names_registry(std::string_view text) {
  return text.starts_with(kScheme);
}

bool is_loopback(std::string_view host) {
  if (host.starts_with("[::1]")) return true;
  const std::string_view name = host.substr(0, host.find(':'));
  return name == "localhost" ||
         (name.starts_with("127.") && name.find_first_not_of("0123456789.") == name.npos);
}
