// SPDX-License-Identifier: Apache-2.0
// glob.h - patterns of a build: names in COPY, lines of .dockerignore.
#pragma once

#include <string>
#include <string_view>
#include <vector>

// '*' and '?' do not match '/', "**" does; [a-z], [^a-z]; '\' takes the next
// character as it is. The whole path must match.
bool path_match(std::string_view pattern, std::string_view path);
// The same where '/' is a character like any other.
bool text_match(std::string_view pattern, std::string_view text);
bool is_pattern(std::string_view text);

// A .dockerignore file: the last line that matches a path, or one of the
// directories above it, decides.
class IgnoreRules {
 public:
  IgnoreRules() = default;
  static IgnoreRules parse(std::string_view text);
  void add(const std::string& pattern);
  bool ignores(const std::string& path) const;
  // Whether something below an ignored directory may be wanted all the same.
  bool has_exceptions() const { return exceptions_; }

 private:
  struct Rule {
    std::string pattern;
    bool wanted = false;
  };
  std::vector<Rule> rules_;
  bool exceptions_ = false;
};
