// SPDX-License-Identifier: Apache-2.0
#include "dockerfile.h"

#include <gtest/gtest.h>

#include "build_copy.h"
#include "glob.h"

namespace {

std::string expanded(std::string_view word) {
  const Lookup lookup = [](const std::string& name) -> std::optional<std::string> {
    if (name == "a") return "1";
    if (name == "path") return "/usr/local/bin";
    if (name == "empty") return "";
    return std::nullopt;
  };
  const auto out = expand_word(word, lookup, '\\');
  return out ? *out : "error: " + out.error().what;
}

TEST(Dockerfile, JoinsLinesAndDropsComments) {
  const auto file = parse_dockerfile("D",
                                     "# escape=`\n# comment\nfrom x\n\n  RUN a `\n# in between\n"
                                     "\n   b `  \n c\nCMD [\"x\"]");
  ASSERT_TRUE(file) << file.error().text();
  ASSERT_EQ(file->instructions.size(), 3U);
  EXPECT_EQ(file->instructions[0].keyword, "FROM");
  EXPECT_EQ(file->instructions[1].text, "a    b  c");
  EXPECT_EQ(file->instructions[1].line, 5U);
  EXPECT_EQ(file->instructions[2].line, 10U);
}

TEST(Dockerfile, HereDocumentsBelongToTheirInstruction) {
  const auto file =
      parse_dockerfile("D", "RUN <<A cat <<-'B'\none\nA\n\ttwo\n\tB\nRUN echo $((1<<2))\n");
  ASSERT_TRUE(file) << file.error().text();
  ASSERT_EQ(file->instructions.size(), 2U);
  ASSERT_EQ(file->instructions[0].heredocs.size(), 2U);
  EXPECT_EQ(file->instructions[0].heredocs[0].text, "one\n");
  EXPECT_TRUE(file->instructions[0].heredocs[0].expand);
  EXPECT_EQ(file->instructions[0].heredocs[1].text, "two\n");
  EXPECT_FALSE(file->instructions[0].heredocs[1].expand);
  EXPECT_TRUE(file->instructions[1].heredocs.empty());
}

TEST(Dockerfile, ErrorsNameTheLine) {
  EXPECT_EQ(parse_dockerfile("D", "FROM x\nRUNN y\n").error().what,
            "D:2: unknown instruction 'RUNN'");
  EXPECT_EQ(parse_dockerfile("D", "FROM x\nRUN <<E\n").error().what,
            "D:2: the here-document 'E' does not end");
  EXPECT_EQ(parse_dockerfile("D", "FROM\n").error().what, "D:1: FROM needs an argument");
}

TEST(Dockerfile, Variables) {
  EXPECT_EQ(expanded("$a-${a}-$b-"), "1-1--");
  EXPECT_EQ(expanded("${b:-x$a}"), "x1");
  EXPECT_EQ(expanded("${empty:-x}${empty-y}"), "x");
  EXPECT_EQ(expanded("${a:+set}${b+unset}"), "set");
  EXPECT_EQ(expanded("${b:?is missing}"), "error: variable 'b': is missing");
  EXPECT_EQ(expanded("${path##*/} ${path%/*} ${path#/*/}"), "bin /usr/local local/bin");
  EXPECT_EQ(expanded("${path//\\//-}"), "-usr-local-bin");
  EXPECT_EQ(expanded(R"("$a" '$a' \$a "\$a")"), "1 $a $a $a");
  EXPECT_EQ(expanded("${a"), "error: '${' does not name a variable");
}

TEST(Dockerfile, FlagsComeFirst) {
  std::string text = "--from=x --link a --b";
  const auto flags = take_flags(text);
  ASSERT_EQ(flags.size(), 2U);
  EXPECT_EQ(flags[0].value, "x");
  EXPECT_EQ(flags[1].name, "link");
  EXPECT_EQ(text, "a --b");
}

TEST(Glob, Patterns) {
  EXPECT_TRUE(path_match("*.txt", "a.txt"));
  EXPECT_FALSE(path_match("*.txt", "d/a.txt"));
  EXPECT_TRUE(path_match("**/*.txt", "a.txt"));
  EXPECT_TRUE(path_match("**/*.txt", "d/e/a.txt"));
  EXPECT_TRUE(path_match("a/**", "a/b/c"));
  EXPECT_TRUE(path_match("a?[b-d]\\*", "axc*"));
  EXPECT_FALSE(path_match("a?[^b-d]", "axc"));
  EXPECT_FALSE(path_match("[", "["));
}

TEST(Glob, IgnoreFiles) {
  const auto rules = IgnoreRules::parse("# c\n*.log\n/build/\n!build/keep\n\n");
  EXPECT_TRUE(rules.ignores("a.log"));
  EXPECT_FALSE(rules.ignores("d/a.log"));
  EXPECT_TRUE(rules.ignores("build/x/y"));
  EXPECT_FALSE(rules.ignores("build/keep/y"));
  EXPECT_TRUE(rules.has_exceptions());
}

TEST(ChangeMode, OctalAndSymbolic) {
  EXPECT_EQ(change_mode("755", 0), 0755U);
  EXPECT_EQ(change_mode("u+x,go-w", 0666), 0744U);
  EXPECT_EQ(change_mode("a=r", 0777), 0444U);
  EXPECT_EQ(change_mode("+X", 0644), 0644U);
  EXPECT_FALSE(change_mode("u+y", 0));
  EXPECT_FALSE(change_mode("99999", 0));
}

}  // namespace
