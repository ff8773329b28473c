// SPDX-License-Identifier: Apache-2.0
// dockerfile.h - a Dockerfile as the list of its instructions.
//
// Lines are joined, comments and directives taken out, here-documents attached;
// what an instruction means is not known here.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"

struct Heredoc {
  std::string name;
  std::string text;
  bool expand = true;  // the name was not quoted
};

struct Instruction {
  std::string keyword;  // in capitals
  std::string text;     // what follows it
  std::size_t line = 0;
  std::vector<Heredoc> heredocs = {};
};

struct Dockerfile {
  std::string name;
  char escape = '\\';
  std::vector<Instruction> instructions = {};
};

Result<Dockerfile> parse_dockerfile(const std::string& name, std::string_view text);
// One instruction, as ONBUILD keeps them.
Result<Instruction> parse_instruction(std::string_view text, std::size_t line);

// The value of a variable; nothing when it has none.
using Lookup = std::function<std::optional<std::string>(const std::string&)>;

// Words as they stand, quotes and all.
std::vector<std::string> raw_words(std::string_view text, char escape);
// Variables put in, quotes taken away: $v ${v} ${v:-w} ${v-w} ${v:+w} ${v+w}
// ${v:?w} ${v?w} ${v#p} ${v##p} ${v%p} ${v%%p} ${v/p/r} ${v//p/r}.
Result<std::string> expand_word(std::string_view word, const Lookup& lookup, char escape);

// The same where quotes are characters like any other.
Result<std::string> expand_text(std::string_view text, const Lookup& lookup, char escape);

// "--name=value" words in front of the others.
struct Flag {
  std::string name;
  std::string value;
};
std::vector<Flag> take_flags(std::string& text);

// ["a","b"]; nothing when the text is no JSON array of strings.
std::optional<std::vector<std::string>> json_words(std::string_view text);
