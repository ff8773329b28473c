// SPDX-License-Identifier: Apache-2.0
#include "pattern.h"

#include <array>
#include <cctype>
#include <string_view>

namespace {

struct Escape {
  char letter;
  std::string_view outside;
  std::string_view in_brackets;  // empty: has no counterpart there
};
constexpr auto kEscapes = std::to_array<Escape>({
    {'A', "^", ""},
    {'B', "\\B", ""},
    {'D', "[^0-9]", ""},
    {'S', "[^[:space:]]", ""},
    {'W', "[^[:alnum:]_]", ""},
    {'b', "\\b", ""},
    {'d', "[0-9]", "0-9"},
    {'s', "[[:space:]]", "[:space:]"},
    {'w', "[[:alnum:]_]", "[:alnum:]_"},
    {'z', "$", ""},
});

Error unsupported(const std::string& text, const std::string& part) {
  return Error{"pattern '" + text + "': '" + part + "' is not supported"}.with_hint(
      "patterns are POSIX extended regular expressions");
}

// The walk through one pattern; `at` is behind what has been written to `out`.
struct Translation {
  const std::string& text;
  std::size_t at = 0;
  std::string out = {};
  bool brackets = false;
  std::size_t opened = 0;  // where the brackets' content begins

  Result<void> escape();
  Result<void> group();
  void bracket();
};

Result<void> Translation::escape() {
  if (at + 1 == text.size()) return unsupported(text, "\\");
  const char c = text[at + 1];
  at += 2;
  for (const Escape& known : kEscapes) {
    if (known.letter != c) continue;
    if (brackets && known.in_brackets.empty()) return unsupported(text, std::string("\\") + c);
    out += brackets ? known.in_brackets : known.outside;
    return {};
  }
  if (std::isalnum(static_cast<unsigned char>(c)) != 0)
    return unsupported(text, std::string("\\") + c);
  // In brackets a backslash means itself to POSIX, and these cannot be quoted.
  if (brackets && (c == ']' || c == '^' || c == '-' || c == '['))
    return unsupported(text, std::string("[\\") + c + "]");
  if (!brackets) out += '\\';
  out += c;
  return {};
}

Result<void> Translation::group() {
  const std::string_view rest = std::string_view(text).substr(at);
  if (rest.starts_with("(?:")) {
    out += '(';
    at += 3;
    return {};
  }
  if (rest.starts_with("(?")) return unsupported(text, std::string(rest.substr(0, 3)));
  out += text[at++];
  return {};
}

void Translation::bracket() {
  const std::string_view rest = std::string_view(text).substr(at);
  if (!brackets) {
    const std::size_t length = rest.starts_with("[^") ? 2 : 1;
    out += rest.substr(0, length);
    at += length;
    opened = at;
    brackets = true;
    return;
  }
  if (rest.starts_with("[:")) {  // a class inside: its own bracket does not end ours
    const std::size_t length = rest.find(":]") == std::string_view::npos ? 1 : rest.find(":]") + 2;
    out += rest.substr(0, length);
    at += length;
    return;
  }
  if (rest[0] == ']' && at != opened) brackets = false;
  out += text[at++];
}

}  // namespace

Result<std::string> to_posix(const std::string& text) {
  Translation t{text};
  while (t.at < text.size()) {
    const char c = text[t.at];
    if (c == '\\')
      TRY(t.escape());
    else if (c == '(' && !t.brackets)
      TRY(t.group());
    else if (c == '[' || (c == ']' && t.brackets))
      t.bracket();
    else
      t.out += text[t.at++];
  }
  return t.out;
}

void Pattern::Free::operator()(regex_t* compiled) const {
  ::regfree(compiled);
  delete compiled;
}

Result<Pattern> Pattern::parse(const std::string& text) {
  const bool any_case = text.starts_with("(?i)");
  const std::string posix = TRY(to_posix(any_case ? text.substr(4) : text));
  auto compiled = std::make_unique<regex_t>();
  const int failed = ::regcomp(compiled.get(), posix.c_str(),
                               REG_EXTENDED | REG_NOSUB | (any_case ? REG_ICASE : 0));
  if (failed != 0) {
    std::array<char, 128> why = {};
    ::regerror(failed, compiled.get(), why.data(), why.size());
    return Error{"pattern '" + text + "': " + why.data()};
  }
  return Pattern(std::unique_ptr<regex_t, Free>(compiled.release()));
}

bool Pattern::matches(const std::string& subject) const {
  return ::regexec(compiled_.get(), subject.c_str(), 0, nullptr, 0) == 0;
}
