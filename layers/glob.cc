// SPDX-License-Identifier: Apache-2.0
#include "glob.h"

#include <optional>

#include "target_tree.h"

namespace {

// Whether `c` is in the class that begins `pattern` after its '['; the class is
// taken from the pattern. Nothing when the class does not end.
std::optional<bool> class_match(std::string_view& pattern, char c) {
  std::size_t i = 0;
  const bool inverted = i < pattern.size() && (pattern[i] == '^' || pattern[i] == '!');
  if (inverted) ++i;
  bool found = false;
  for (bool first = true; i < pattern.size() && (first || pattern[i] != ']'); first = false) {
    if (pattern[i] == '\\' && i + 1 < pattern.size()) ++i;
    const char low = pattern[i++];
    char high = low;
    if (i + 1 < pattern.size() && pattern[i] == '-' && pattern[i + 1] != ']') {
      high = pattern[i + 1];
      i += 2;
    }
    found = found || (low <= c && c <= high);
  }
  if (i == pattern.size()) return std::nullopt;
  pattern.remove_prefix(i + 1);
  return found != inverted;
}

// Recursion is only as deep as the pattern has stars.
bool match(std::string_view pattern, std::string_view text, bool slashes) {
  while (!pattern.empty()) {
    const char p = pattern.front();
    if (p == '*') {
      const bool any = pattern.starts_with("**") || !slashes;
      while (!pattern.empty() && pattern.front() == '*') pattern.remove_prefix(1);
      // "a/**/b" matches "a/b" too.
      if (any && slashes && pattern.starts_with('/') && match(pattern.substr(1), text, slashes))
        return true;
      for (;; text.remove_prefix(1)) {
        if (match(pattern, text, slashes)) return true;
        if (text.empty() || (text.front() == '/' && !any)) return false;
      }
    }
    if (text.empty() || (slashes && text.front() == '/' && p != '/' && p != '\\')) return false;
    pattern.remove_prefix(1);
    if (p == '[') {
      const auto found = class_match(pattern, text.front());
      if (!found || !*found) return false;
    } else if (p == '\\' && !pattern.empty()) {
      if (pattern.front() != text.front()) return false;
      pattern.remove_prefix(1);
    } else if (p != '?' && p != text.front()) {
      return false;
    }
    text.remove_prefix(1);
  }
  return text.empty();
}

}  // namespace

bool path_match(std::string_view pattern, std::string_view path) {
  return match(pattern, path, true);
}

bool text_match(std::string_view pattern, std::string_view text) {
  return match(pattern, text, false);
}

bool is_pattern(std::string_view text) {
  return text.find_first_of("*?[") != std::string_view::npos;
}

IgnoreRules IgnoreRules::parse(std::string_view text) {
  IgnoreRules out;
  while (!text.empty()) {
    const auto end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.starts_with('#')) continue;
    const auto first = line.find_first_not_of(" \t\r");
    if (first == std::string_view::npos) continue;
    line = line.substr(first, line.find_last_not_of(" \t\r") - first + 1);
    out.add(std::string(line));
  }
  return out;
}

void IgnoreRules::add(const std::string& pattern) {
  const bool wanted = pattern.starts_with('!');
  std::string clean = clean_path(wanted ? pattern.substr(1) : pattern);
  if (clean.empty()) return;
  exceptions_ = exceptions_ || wanted;
  rules_.push_back({std::move(clean), wanted});
}

bool IgnoreRules::ignores(const std::string& path) const {
  bool ignored = false;
  for (const Rule& rule : rules_) {
    if (ignored != rule.wanted) continue;  // it would change nothing
    bool found = path_match(rule.pattern, path);
    for (auto slash = path.find('/'); !found && slash != std::string::npos;
         slash = path.find('/', slash + 1))
      found = path_match(rule.pattern, std::string_view(path).substr(0, slash));
    if (found) ignored = !rule.wanted;
  }
  return ignored;
}
