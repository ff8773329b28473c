// SPDX-License-Identifier: Apache-2.0
// cli.h - the command line of every executable, from tables.
//
// A program is a table of verbs, a verb a table of options. Parser, --help, the
// man page test and the shell completions read the same tables. cli.cc is the
// only file of the tree that includes Boost.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"

struct Option {
  enum class Kind { Flag, Value, List };  // a List may be given many times
  std::string_view name;                  // "bundle" for --bundle
  char letter = 0;                        // 'b' for -b, or 0
  Kind kind = Kind::Flag;
  std::string_view argument = {};  // "DIR", for --help
  std::string_view help = {};      // one line, lower case; empty: accepted but not shown
};

// What one set of options was given. Asking for a name that the table does not
// have is a programming error.
class Options {
 public:
  bool flag(std::string_view name) const;
  std::optional<std::string> value(std::string_view name) const;  // the last one given
  std::string value_or(std::string_view name, std::string_view otherwise) const;
  std::vector<std::string> values(std::string_view name) const;  // in the order given
  bool given(std::string_view name) const;

 private:
  friend class CommandLine;
  std::map<std::string, std::vector<std::string>, std::less<>> values_;
};

struct Arguments {
  Options global;   // those before the verb
  Options options;  // those of the verb
  std::vector<std::string> positionals;
};

struct Verb {
  std::string_view name;
  Result<int> (*run)(const Arguments&);  // the exit status of the program
  std::string_view synopsis;             // positionals: "ID [SIGNAL]"
  std::string_view summary;              // "send a signal to the container"
  std::span<const Option> options = {};
  std::size_t least = 0;  // positionals: at least, at most
  std::size_t most = 0;
  bool stops = false;  // option parsing ends at the first positional (exec ID ls -l)
};

inline constexpr std::size_t kAny = static_cast<std::size_t>(-1);

struct Program {
  std::string_view name;
  std::string_view summary;
  std::string_view version;  // the whole text of --version, with final newline
  std::span<const Option> options;
  std::span<const Verb> verbs;
  int usage_status = 2;  // exit status of a wrong command line
  // How a failed verb is reported, and the exit status it leads to; by default
  // "NAME: VERB: text" on standard error, and 1.
  int (*report)(const Program&, const Arguments&, std::string_view verb, const Error&) = nullptr;
};

// The whole of main: finds the verb, runs it, reports its error. Exit status as
// the verb says; 1 failed; usage_status wrong usage; 125 internal error.
int run_program(const Program& program, int argc, char** argv);

// For a program without verbs: every word against one table. Accepted forms:
// --name value, --name=value, -name value (unless -n is an option of its own),
// -n value, -nvalue, -abc for flags, "--" ends the options.
struct ParsedWords {
  Options options;
  std::vector<std::string> positionals;
};
Result<ParsedWords> parse_words(std::span<const Option> table, std::span<const std::string> words,
                                bool stop_at_positional = false);

// The help text of a table: one line per option that has a help text.
std::string describe(std::span<const Option> table);

// "1.5" and the like, whole text or nothing.
std::optional<long> parse_integer(std::string_view text);
