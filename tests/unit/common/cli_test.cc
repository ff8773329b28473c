// SPDX-License-Identifier: Apache-2.0
#include "common/cli.h"

#include <gtest/gtest.h>

#include <array>

namespace {

using Kind = Option::Kind;
using Words = std::vector<std::string>;

constexpr auto kTable = std::to_array<Option>({
    {"bundle", 'b', Kind::Value, "DIR", "the bundle"},
    {"tty", 't', Kind::Flag, "", "a terminal"},
    {"interactive", 'i', Kind::Flag, "", "keep stdin"},
    {"arg", 0, Kind::List, "ARG", "many times"},
    {"no-subreaper", 0, Kind::Flag, "", "one dash too"},
});

ParsedWords parsed(const Words& words, bool stop = false) {
  auto result = parse_words(kTable, words, stop);
  EXPECT_TRUE(result) << (result ? "" : result.error().text());
  return result ? *result : ParsedWords();
}

std::string refused(const Words& words) {
  auto result = parse_words(kTable, words);
  return result ? "accepted" : result.error().text();
}

TEST(Cli, ReadsAValueInEveryForm) {
  for (const Words& words :
       std::vector<Words>{{"--bundle", "x"}, {"--bundle=x"}, {"-b", "x"}, {"-bx"}, {"-b=x"}})
    EXPECT_EQ(parsed(words).options.value("bundle"), "x") << words[0];
}

TEST(Cli, AValueMayLookLikeAnOptionOrBeEmpty) {
  const ParsedWords p = parsed(
      {"--arg", "--tty", "--arg", "--transient-store=", "--arg=", "--arg", "", "--arg", "--"});
  EXPECT_EQ(p.options.values("arg"), (Words{"--tty", "--transient-store=", "", "", "--"}));
  EXPECT_FALSE(p.options.flag("tty"));
}

TEST(Cli, RunsFlagsTogether) {
  const ParsedWords p = parsed({"-itb", "x", "rest"});
  EXPECT_TRUE(p.options.flag("tty"));
  EXPECT_TRUE(p.options.flag("interactive"));
  EXPECT_EQ(p.options.value("bundle"), "x");
  EXPECT_EQ(p.positionals, Words{"rest"});
}

TEST(Cli, AFlagMayBeSwitchedOff) {
  EXPECT_FALSE(parsed({"--tty=false"}).options.flag("tty"));
  EXPECT_TRUE(parsed({"--tty=true"}).options.flag("tty"));
  EXPECT_TRUE(parsed({"-no-subreaper"}).options.flag("no-subreaper"));
}

TEST(Cli, StopsAtTheFirstPositionalWhenAsked) {
  const ParsedWords p = parsed({"-t", "web", "ls", "-l", "--", "--bundle"}, true);
  EXPECT_EQ(p.positionals, (Words{"web", "ls", "-l", "--", "--bundle"}));
  EXPECT_EQ(parsed({"web", "-t", "--", "-l"}).positionals, (Words{"web", "-l"}));
}

TEST(Cli, SaysWhatIsWrong) {
  EXPECT_EQ(refused({"--bundel", "x"}), "unknown option '--bundel'");
  EXPECT_EQ(refused({"-tx"}), "unknown option '-tx'");
  EXPECT_EQ(refused({"--bundle"}), "flag needs an argument: --bundle");
}

}  // namespace
