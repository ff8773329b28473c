// SPDX-License-Identifier: Apache-2.0
#include "common/cli.h"

#include <algorithm>
#include <boost/program_options.hpp>
#include <charconv>
#include <climits>
#include <cstdio>
#include <exception>

namespace po = boost::program_options;

bool Options::given(std::string_view name) const {
  return values_.find(name) != values_.end();
}

bool Options::flag(std::string_view name) const {
  const auto it = values_.find(name);
  return it != values_.end() && it->second.back() != "false";
}

std::optional<std::string> Options::value(std::string_view name) const {
  const auto it = values_.find(name);
  if (it == values_.end()) return std::nullopt;
  return it->second.back();
}

std::string Options::value_or(std::string_view name, std::string_view otherwise) const {
  return value(name).value_or(std::string(otherwise));
}

std::vector<std::string> Options::values(std::string_view name) const {
  const auto it = values_.find(name);
  return it == values_.end() ? std::vector<std::string>() : it->second;
}

namespace {

using Words = std::vector<std::string>;

// Our grammar, as Boost's style parser. Boost's own styles look at the word
// after an option and refuse or reinterpret a value such as "--syslog" or
// "--transient-store="; engines pass exactly such values to a container monitor.
class Grammar {
 public:
  Grammar(std::span<const Option> table, bool stop) : table_(table), stop_(stop) {}

  // Takes the option or positional at the front of `words`.
  std::vector<po::option> take(Words& words) const {
    const std::string word = words.front();
    const bool option = word.size() > 1 && word[0] == '-';
    if (word == "--" || (!option && stop_)) return take_rest(words, word == "--" ? 1 : 0);
    if (!option) return take_rest_of(words, 1);
    if (word.starts_with("--")) return take_long(words, 2);
    return means_long(word) ? take_long(words, 1) : take_letters(words);
  }

 private:
  static po::option positional(const std::string& word) {
    po::option p;
    p.position_key = INT_MAX;
    p.value = {word};
    p.original_tokens = {word};
    return p;
  }

  static std::vector<po::option> take_rest_of(Words& words, std::size_t count) {
    std::vector<po::option> out;
    for (std::size_t i = 0; i < count; ++i) out.push_back(positional(words[i]));
    words.erase(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(count));
    return out;
  }

  static std::vector<po::option> take_rest(Words& words, std::size_t skip) {
    words.erase(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(skip));
    auto out = take_rest_of(words, words.size());
    if (out.empty()) out.emplace_back();  // an empty answer would mean "not understood"
    return out;
  }

  // Go programs write -name for --name: taken so when no letter can be meant.
  bool means_long(const std::string& word) const {
    const std::string_view name = std::string_view(word).substr(1, word.find('=') - 1);
    return name.size() > 1 && find(name) != nullptr && find(name[0]) == nullptr;
  }

  std::vector<po::option> take_long(Words& words, std::size_t dashes) const {
    const std::string word = words.front();
    words.erase(words.begin());
    const auto equals = word.find('=');
    const std::string name = word.substr(dashes, equals - dashes);
    const Option* known = find(std::string_view(name));
    if (known == nullptr) throw po::unknown_option(name);
    po::option out = named(*known, word);
    out.value = {equals != std::string::npos ? word.substr(equals + 1) : value_of(*known, words)};
    return {out};
  }

  // -abc for flags a, b and c; -nvalue, -n=value and -n value for n.
  std::vector<po::option> take_letters(Words& words) const {
    const std::string word = words.front();
    words.erase(words.begin());
    std::vector<po::option> out;
    for (std::size_t i = 1; i < word.size(); ++i) {
      const Option* known = find(word[i]);
      if (known == nullptr) throw po::unknown_option(word);
      out.push_back(named(*known, word));
      const bool last = i + 1 == word.size();
      if (known->kind == Option::Kind::Flag || last) {
        out.back().value = {value_of(*known, words)};
        continue;
      }
      out.back().value = {word.substr(word[i + 1] == '=' ? i + 2 : i + 1)};
      break;
    }
    return out;
  }

  static po::option named(const Option& known, const std::string& word) {
    po::option out;
    out.string_key = known.name;
    out.original_tokens = {word};
    return out;
  }

  static std::string value_of(const Option& known, Words& words) {
    if (known.kind == Option::Kind::Flag) return "true";
    // Engines probe a runtime for an option and look for this very text.
    if (words.empty()) throw po::error("flag needs an argument: --" + std::string(known.name));
    std::string value = words.front();
    words.erase(words.begin());
    return value;
  }

  const Option* find(std::string_view name) const {
    const auto it = std::ranges::find(table_, name, &Option::name);
    return it == table_.end() ? nullptr : &*it;
  }

  const Option* find(char letter) const {
    const auto it = std::ranges::find(table_, letter, &Option::letter);
    return it == table_.end() ? nullptr : &*it;
  }

  std::span<const Option> table_;
  bool stop_;
};

po::options_description description_of(std::span<const Option> table) {
  po::options_description out;
  for (const Option& option : table)
    out.add_options()(std::string(option.name).c_str(), po::value<Words>()->composing());
  return out;
}

}  // namespace

// Fills Options; a class because only it may.
class CommandLine {
 public:
  static ParsedWords read(const po::parsed_options& parsed) {
    ParsedWords out;
    for (const po::option& option : parsed.options) {
      auto& into =
          option.string_key.empty() ? out.positionals : out.options.values_[option.string_key];
      into.insert(into.end(), option.value.begin(), option.value.end());
    }
    return out;
  }
};

Result<ParsedWords> parse_words(std::span<const Option> table, std::span<const std::string> words,
                                bool stop_at_positional) try {
  const Grammar grammar(table, stop_at_positional);
  const po::options_description description = description_of(table);
  const auto style = static_cast<po::command_line_style::style_t>(0);
  po::command_line_parser parser(Words(words.begin(), words.end()));
  parser.options(description).style(style);
  parser.extra_style_parser([&](Words& rest) { return grammar.take(rest); });
  return CommandLine::read(parser.run());
} catch (const po::unknown_option& e) {
  const std::string name = e.get_option_name();
  return Error{"unknown option '" + (name.starts_with('-') ? name : "--" + name) + "'"};
} catch (const po::error& e) {
  return Error{e.what()};
}

std::string describe(std::span<const Option> table) {
  std::string out;
  for (const Option& option : table) {
    if (option.help.empty()) continue;
    std::string left =
        option.letter != 0 ? std::string("  -") + option.letter + ", --" : "      --";
    left.append(option.name);
    if (!option.argument.empty()) left.append(" ").append(option.argument);
    left.resize(std::max<std::size_t>(left.size() + 2, 30), ' ');
    out.append(left).append(option.help).append("\n");
  }
  return out;
}

namespace {

std::string program_help(const Program& program) {
  std::string out =
      "usage: " + std::string(program.name) + " [OPTION]... COMMAND [ARGUMENT]...\n\n";
  out.append(program.summary).append("\n\n");
  for (const Verb& verb : program.verbs) {
    if (verb.summary.empty()) continue;
    std::string left = "  " + std::string(verb.name);
    left.resize(std::max<std::size_t>(left.size() + 2, 16), ' ');
    out.append(left).append(verb.summary).append("\n");
  }
  out.append("\noptions:\n").append(describe(program.options));
  out.append("  -h, --help                  show this text, or that of a command\n");
  out.append("  -v, --version               show the version\n");
  return out;
}

std::string verb_help(const Program& program, const Verb& verb) {
  std::string out = "usage: " + std::string(program.name) + " " + std::string(verb.name);
  if (!verb.options.empty()) out += " [OPTION]...";
  if (!verb.synopsis.empty()) out.append(" ").append(verb.synopsis);
  out.append("\n\n").append(verb.summary).append("\n");
  if (!verb.options.empty()) out.append("\n").append(describe(verb.options));
  return out;
}

int usage_error(const Program& program, std::string_view text) {
  const std::string name(program.name);
  std::fprintf(stderr, "%s: %s\n%s: try '%s --help'\n", name.c_str(), std::string(text).c_str(),
               name.c_str(), name.c_str());
  return program.usage_status;
}

constexpr auto kAlways = std::to_array<Option>({
    {"help", 'h', Option::Kind::Flag, "", "show this text, or that of a command"},
    {"version", 'v', Option::Kind::Flag, "", "show the version"},
});

// --help and --version are known everywhere, unless the table uses the letter
// or the name for something of its own.
std::vector<Option> with_always(std::span<const Option> table) {
  std::vector<Option> out(table.begin(), table.end());
  for (Option extra : kAlways) {
    if (std::ranges::find(table, extra.name, &Option::name) != table.end()) continue;
    if (std::ranges::find(table, extra.letter, &Option::letter) != table.end()) extra.letter = 0;
    out.push_back(extra);
  }
  return out;
}

void report_plainly(const Program& program, std::string_view verb, const Error& error) {
  std::fprintf(stderr, "%s: %s: %s\n", std::string(program.name).c_str(), std::string(verb).c_str(),
               error.text().c_str());
}

int run_verb(const Program& program, const Verb& verb, Arguments& arguments,
             std::span<const std::string> words) {
  const std::vector<Option> table = with_always(verb.options);
  auto parsed = parse_words(table, words, verb.stops);
  const std::string in = std::string(verb.name) + ": ";
  if (!parsed) return usage_error(program, in + parsed.error().text());
  arguments.options = std::move(parsed->options);
  arguments.positionals = std::move(parsed->positionals);
  if (arguments.options.flag("help")) {
    std::fputs(verb_help(program, verb).c_str(), stdout);
    return 0;
  }
  const std::size_t count = arguments.positionals.size();
  if (count < verb.least || count > verb.most)
    return usage_error(program, in + (count < verb.least ? "too few" : "too many") +
                                    " arguments; it takes " +
                                    (verb.synopsis.empty() ? "none" : std::string(verb.synopsis)));
  const Result<int> status = verb.run(arguments);
  if (status) return *status;
  if (program.report != nullptr)
    return program.report(program, arguments, verb.name, status.error());
  report_plainly(program, verb.name, status.error());
  return 1;
}

int run_checked(const Program& program, std::span<const std::string> words) {
  const std::vector<Option> table = with_always(program.options);
  auto parsed = parse_words(table, words, true);
  if (!parsed) return usage_error(program, parsed.error().text());
  Arguments arguments;
  arguments.global = std::move(parsed->options);
  const Words& rest = parsed->positionals;
  if (arguments.global.flag("version")) {
    std::fputs(std::string(program.version).c_str(), stdout);
    return 0;
  }
  if (arguments.global.flag("help") || (!rest.empty() && rest[0] == "help" && rest.size() == 1)) {
    std::fputs(program_help(program).c_str(), stdout);
    return 0;
  }
  if (rest.empty()) return usage_error(program, "which command?");
  const auto verb = std::ranges::find(program.verbs, rest[0], &Verb::name);
  if (verb == program.verbs.end()) return usage_error(program, "unknown command '" + rest[0] + "'");
  return run_verb(program, *verb, arguments, std::span(rest).subspan(1));
}

}  // namespace

int run_program(const Program& program, int argc, char** argv) try {
  const Words words(argv + (argc > 0 ? 1 : 0), argv + argc);
  return run_checked(program, words);
} catch (const std::exception& e) {
  std::fprintf(stderr, "%s: internal error: %s\n", std::string(program.name).c_str(), e.what());
  return 125;
}

std::optional<long> parse_integer(std::string_view text) {
  long number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}
