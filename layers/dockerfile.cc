// SPDX-License-Identifier: Apache-2.0
#include "dockerfile.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "common/json.h"

#include "closest.h"

namespace {

const std::vector<std::string> kKeywords = {
    "ADD",    "ARG",   "CMD",         "COPY",  "ENTRYPOINT", "ENV",
    "EXPOSE", "FROM",  "HEALTHCHECK", "LABEL", "MAINTAINER", "ONBUILD",
    "RUN",    "SHELL", "STOPSIGNAL",  "USER",  "VOLUME",     "WORKDIR"};

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r';
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

std::string capitals(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return out;
}

class Parser {
 public:
  Parser(const std::string& name, std::string_view text) : out_{name}, rest_(text) {
    if (rest_.starts_with("\xEF\xBB\xBF")) rest_.remove_prefix(3);
  }

  Result<Dockerfile> run() {
    TRY(directives());
    while (!rest_.empty()) {
      const std::string_view line = trim(next_line());
      if (line.empty() || line.starts_with('#')) continue;
      TRY(instruction(line));
    }
    return std::move(out_);
  }

 private:
  std::string_view next_line() {
    const auto end = rest_.find('\n');
    const std::string_view line = rest_.substr(0, end);
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
    ++line_;
    return line;
  }

  Error error(std::size_t line, const std::string& what, std::string hint = {}) const {
    return Error{out_.name + ":" + std::to_string(line) + ": " + what, 0, std::move(hint)};
  }

  // "# escape=`": only before everything else.
  Result<void> directives() {
    std::vector<std::string> seen;
    for (;;) {
      std::string_view line = trim(rest_.substr(0, rest_.find('\n')));
      if (!line.starts_with('#')) return {};
      line = trim(line.substr(1));
      const auto equals = line.find('=');
      const std::string key(trim(line.substr(0, equals)));
      if (equals == std::string_view::npos ||
          (key != "syntax" && key != "escape" && key != "check"))
        return {};
      (void)next_line();
      if (std::ranges::find(seen, key) != seen.end())
        return error(line_, "the directive '" + key + "' stands here twice");
      seen.push_back(key);
      const std::string_view value = trim(line.substr(equals + 1));
      if (key != "escape") continue;  // other parsers are images, which are not run
      if (value != "\\" && value != "`") return error(line_, "escape is either \\ or `");
      out_.escape = value[0];
    }
  }

  // Whether the line goes on; if so without what says it.
  bool continues(std::string_view& line) const {
    const std::string_view trimmed = trim(line);
    if (!trimmed.ends_with(out_.escape)) return false;
    line = line.substr(0, line.rfind(out_.escape));
    return true;
  }

  Result<void> instruction(std::string_view line) {
    const std::size_t begin = line_;
    std::string text;
    bool more = continues(line);
    text.append(line);
    while (more && !rest_.empty()) {
      std::string_view next = next_line();
      if (next.ends_with('\r')) next.remove_suffix(1);
      const std::string_view trimmed = trim(next);
      if (trimmed.empty() || trimmed.starts_with('#')) continue;
      more = continues(next);
      text.append(next);
    }
    auto parsed = parse_instruction(text, begin);
    if (!parsed) return error(begin, parsed.error().what, parsed.error().hint);
    TRY(heredocs(*parsed));
    out_.instructions.push_back(std::move(*parsed));
    return {};
  }

  // What "<<NAME" words announce.
  Result<void> heredocs(Instruction& instruction) {
    const std::string_view keyword = instruction.keyword == "ONBUILD"
                                         ? std::string_view(instruction.text)
                                         : std::string_view(instruction.keyword);
    const std::string first = capitals(keyword.substr(0, keyword.find(' ')));
    if (first != "RUN" && first != "COPY" && first != "ADD") return {};
    for (const std::string& word : raw_words(instruction.text, out_.escape)) {
      const auto digits = word.find_first_not_of("0123456789");
      if (digits == std::string::npos || word.compare(digits, 2, "<<") != 0) continue;
      std::string name = word.substr(digits + 2);
      const bool tabs = name.starts_with('-');
      if (tabs) name.erase(0, 1);
      if (name.empty() || name.find('<') != std::string::npos) continue;
      const bool quoted = name.find_first_of("\"'") != std::string::npos;
      std::erase_if(name, [](char c) { return c == '"' || c == '\''; });
      TRY(heredoc(instruction, {name, {}, !quoted}, tabs));
    }
    return {};
  }

  Result<void> heredoc(Instruction& instruction, Heredoc out, bool tabs) {
    while (!rest_.empty()) {
      std::string_view line = next_line();
      if (line.ends_with('\r')) line.remove_suffix(1);
      while (tabs && line.starts_with('\t')) line.remove_prefix(1);
      if (line == out.name) {
        instruction.heredocs.push_back(std::move(out));
        return {};
      }
      out.text.append(line).append("\n");
    }
    return error(instruction.line, "the here-document '" + out.name + "' does not end");
  }

  Dockerfile out_;
  std::string_view rest_;
  std::size_t line_ = 0;
};

}  // namespace

Result<Dockerfile> parse_dockerfile(const std::string& name, std::string_view text) {
  if (text.find('\0') != std::string_view::npos) return Error{"'" + name + "' is no text file"};
  return Parser(name, text).run();
}

Result<Instruction> parse_instruction(std::string_view text, std::size_t line) {
  const std::string_view trimmed = trim(text);
  const auto end = trimmed.find_first_of(" \t");
  Instruction out{capitals(trimmed.substr(0, end)), "", line};
  if (end != std::string_view::npos) out.text = trim(trimmed.substr(end));
  if (std::ranges::find(kKeywords, out.keyword) == kKeywords.end()) {
    const std::string near = closest(out.keyword, kKeywords);
    return Error{"unknown instruction '" + out.keyword + "'", 0,
                 near.empty() ? "" : "did you mean '" + near + "'?"};
  }
  if (out.text.empty()) return Error{out.keyword + " needs an argument"};
  return out;
}

std::vector<std::string> raw_words(std::string_view text, char escape) {
  std::vector<std::string> out;
  std::string word;
  char quote = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote == 0 && is_blank(c)) {
      if (!word.empty()) out.push_back(std::exchange(word, {}));
      continue;
    }
    word += c;
    if (c == escape && quote != '\'' && i + 1 < text.size())
      word += text[++i];
    else if (quote != 0 && c == quote)
      quote = 0;
    else if (quote == 0 && (c == '"' || c == '\''))
      quote = c;
  }
  if (!word.empty()) out.push_back(word);
  return out;
}

std::vector<Flag> take_flags(std::string& text) {
  std::vector<Flag> out;
  while (text.starts_with("--")) {
    const std::string word = text.substr(0, text.find_first_of(" \t"));
    text = trim(std::string_view(text).substr(word.size()));
    const auto equals = word.find('=');
    out.push_back({word.substr(2, equals == std::string::npos ? equals : equals - 2),
                   equals == std::string::npos ? "" : word.substr(equals + 1)});
    if (word == "--") break;
  }
  return out;
}

std::optional<std::vector<std::string>> json_words(std::string_view text) {
  if (!text.starts_with('[')) return std::nullopt;
  const auto document = JsonDocument::parse("", text);
  if (!document) return std::nullopt;
  auto words = document->root().strings();
  if (!words) return std::nullopt;
  return std::move(*words);
}
