// SPDX-License-Identifier: Apache-2.0
// dockerfile_expand.cc - variables and quotes in the words of an instruction.
#include <algorithm>
#include <cctype>

#include "dockerfile.h"
#include "glob.h"

namespace {

bool is_name_start(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_';
}
bool is_name(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

// The longest or shortest beginning (or end) that the pattern matches goes.
std::string strip(const std::string& value, const std::string& pattern, bool front, bool longest) {
  std::string best = value;
  for (std::size_t n = 0; n <= value.size(); ++n) {
    const std::string part = front ? value.substr(0, n) : value.substr(value.size() - n);
    if (!text_match(pattern, part)) continue;
    best = front ? value.substr(n) : value.substr(0, value.size() - n);
    if (!longest) break;
  }
  return best;
}

std::string replace(const std::string& value, const std::string& pattern, const std::string& by,
                    bool all) {
  std::string out;
  for (std::size_t i = 0; i < value.size();) {
    std::size_t n = value.size() - i;
    while (n > 0 && !text_match(pattern, value.substr(i, n))) --n;
    if (n == 0) {
      out += value[i++];
      continue;
    }
    out += by;
    i += n;
    if (!all) return out + value.substr(i);
  }
  return out;
}

class Expander {
 public:
  Expander(std::string_view text, const Lookup& lookup, char escape)
      : rest_(text), lookup_(&lookup), escape_(escape) {}

  // Until the end, or a `stop` outside of quotes and braces, which is taken.
  Result<std::string> run(std::string_view stops) {
    std::string out;
    while (!rest_.empty() && stops.find(rest_.front()) == std::string_view::npos) {
      const char c = take();
      if (c == '\'')
        TRY(single(out));
      else if (c == '"')
        TRY(twofold(out));
      else if (c == '$')
        out += TRY(variable());
      else if (c == escape_ && !rest_.empty())
        out += take();
      else
        out += c;
    }
    return out;
  }
  Result<std::string> text() {
    std::string out;
    while (!rest_.empty()) {
      const char c = take();
      if (c == '$')
        out += TRY(variable());
      else if (c == escape_ && !rest_.empty() && (rest_.front() == '$' || rest_.front() == escape_))
        out += take();
      else
        out += c;
    }
    return out;
  }

 private:
  char take() {
    const char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }

  static Error open(std::string_view what) { return Error{std::string(what) + " is not closed"}; }

  Result<void> single(std::string& out) {
    const auto end = rest_.find('\'');
    if (end == std::string_view::npos) return open("a single quote");
    out.append(rest_.substr(0, end));
    rest_.remove_prefix(end + 1);
    return {};
  }

  Result<void> twofold(std::string& out) {
    while (!rest_.empty()) {
      const char c = take();
      if (c == '"') return {};
      if (c == '$')
        out += TRY(variable());
      else if (c == escape_ && !rest_.empty() &&
               (rest_.front() == '"' || rest_.front() == '$' || rest_.front() == escape_))
        out += take();
      else
        out += c;
    }
    return open("a double quote");
  }

  std::string name() {
    std::string out;
    while (!rest_.empty() && is_name(rest_.front())) out += take();
    return out;
  }

  Result<std::string> variable() {
    if (rest_.empty()) return std::string("$");
    if (rest_.front() == '{') {
      take();
      return braces();
    }
    if (!is_name_start(rest_.front())) return std::string("$");
    return (*lookup_)(name()).value_or("");
  }

  Result<std::string> braces() {
    const std::string key = name();
    if (key.empty() || rest_.empty()) return Error{"'${' does not name a variable"};
    const auto value = (*lookup_)(key);
    char sign = take();
    if (sign == '}') return value.value_or("");
    if (sign == '/') return substitution(value.value_or(""));
    const bool doubled = !rest_.empty() && rest_.front() == sign && (sign == '#' || sign == '%');
    if (doubled) take();
    const bool colon = sign == ':';
    if (colon && !rest_.empty()) sign = take();
    const std::string word = TRY(run("}"));
    if (rest_.empty()) return open("'${'");
    take();
    const bool is_set = value && !(colon && value->empty());
    switch (sign) {
      case '-':
        return is_set ? *value : word;
      case '+':
        return is_set ? word : std::string();
      case '?':
        if (is_set) return *value;
        return Error{"variable '" + key + "': " + (word.empty() ? "is not set" : word)};
      case '#':
      case '%':
        return strip(value.value_or(""), word, sign == '#', doubled);
      default:
        return Error{"'${" + key + sign + "' is no known form"};
    }
  }

  Result<std::string> substitution(const std::string& value) {
    const bool all = !rest_.empty() && rest_.front() == '/';
    if (all) take();
    const std::string pattern = TRY(run("/}"));
    std::string by;
    if (!rest_.empty() && rest_.front() == '/') {
      take();
      by = TRY(run("}"));
    }
    if (rest_.empty()) return open("'${'");
    take();
    return pattern.empty() ? value : replace(value, pattern, by, all);
  }

  std::string_view rest_;
  const Lookup* lookup_;
  char escape_;
};

}  // namespace

Result<std::string> expand_word(std::string_view word, const Lookup& lookup, char escape) {
  return Expander(word, lookup, escape).run("");
}

Result<std::string> expand_text(std::string_view text, const Lookup& lookup, char escape) {
  return Expander(text, lookup, escape).text();
}
