// The reader of shell scripts.
#include "system/shell.h"

#include <gtest/gtest.h>

namespace assay::system::shell {
namespace {

const char kSample[] =
    "#!/bin/sh\n# comment; not a command\nPROG=/usr/sbin/x  # tail\n"
    "if [ -x $PROG ]; then\n  $PROG -a 'b c' \"d;e\" &\nelif true; then b; else c; fi\n"
    "case \"$1\" in\n start|boot) go ;;\n *) help;;\nesac\n"
    "f() {\n  cat <<EOF >/tmp/x\nnot a command ; telnetd\nEOF\n  g && h || i\n}\n"
    "for i in a b; do ( x | y ); done; while read l; do z; done < /etc/passwd\n";

TEST(Shell, ReadsTheGrammar) {
  Script script;
  parse(kSample, script);
  EXPECT_FALSE(script.limited);
  ASSERT_EQ(script.commands.size(), 6u);
  EXPECT_EQ(script.commands[0].assignments[0].second, "/usr/sbin/x");
  const Node& branch = script.commands[1];
  ASSERT_EQ(branch.kind, NodeKind::kIf);
  ASSERT_EQ(branch.body.size(), 1u);
  EXPECT_TRUE(branch.body[0].background);
  ASSERT_EQ(branch.body[0].words.size(), 4u);
  EXPECT_EQ(branch.body[0].words[3], "\"d;e\"");
  ASSERT_EQ(branch.otherwise.size(), 1u);
  EXPECT_EQ(branch.otherwise[0].otherwise[0].words[0], "c");
  const Node& choice = script.commands[2];
  ASSERT_EQ(choice.branches.size(), 2u);
  EXPECT_EQ(choice.branches[0].patterns.size(), 2u);
  const Node& function = script.commands[3];
  ASSERT_EQ(function.kind, NodeKind::kFunction);
  EXPECT_EQ(function.name, "f");
  ASSERT_EQ(function.body[0].body.size(), 4u);  // cat, g, h, i: nothing of the here-document
  EXPECT_EQ(function.body[0].body[3].link, Link::kOr);
  EXPECT_EQ(script.commands[4].body[0].kind, NodeKind::kSubshell);
  EXPECT_EQ(script.commands[5].kind, NodeKind::kWhile);
}

TEST(Shell, KeepsPlaces) {
  Script script;
  parse("a\n  /bin/x  -y &\n", script);
  ASSERT_EQ(script.commands.size(), 2u);
  EXPECT_EQ(script.text.substr(script.commands[1].offset, script.commands[1].length), "/bin/x  -y");
}

TEST(Shell, EndsOnEveryTruncationAndFlip) {
  const std::string sample = kSample;
  for (size_t cut = 0; cut < sample.size(); ++cut) {
    Script script;
    parse(sample.substr(0, cut), script);
  }
  for (size_t at = 0; at < sample.size(); ++at) {
    for (const char c : {'\0', '"', '\'', '(', ')', '`', '{', '$', '\\', '\xff'}) {
      std::string flipped = sample;
      flipped[at] = c;
      Script script;
      parse(flipped, script);
    }
  }
}

TEST(Shell, BoundsNesting) {
  std::string deep, open;
  for (int i = 0; i < 100'000; ++i) deep += "if true; then ";
  for (int i = 0; i < 100'000; ++i) open += "$(";
  for (const std::string& text : {deep, open, std::string(100'000, '('), std::string(100'000, '{')}) {
    Script script;
    parse(text, script);
  }
  Script script;
  parse(deep, script);
  EXPECT_TRUE(script.limited);
}

TEST(Shell, MatchesPatterns) {
  EXPECT_TRUE(matches_pattern("S[0-9][0-9]*", "S20net"));
  EXPECT_FALSE(matches_pattern("S[0-9][0-9]*", "Sx0net"));
  EXPECT_TRUE(matches_pattern("[!a]?", "bc"));
  EXPECT_TRUE(matches_pattern("*.sh", "a.b.sh"));
  EXPECT_FALSE(matches_pattern("*.sh", "a.sh.x"));
}

}  // namespace
}  // namespace assay::system::shell
