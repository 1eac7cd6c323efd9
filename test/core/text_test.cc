#include "core/text.h"
#include "core/artifact.h"
#include "core/pack.h"

#include <gtest/gtest.h>

namespace assay {
namespace {

TEST(Escape, KeepsUtf8AndEscapesTheRest) {
  EXPECT_EQ(escape("caf\xc3\xa9"), "caf\xc3\xa9");
  EXPECT_EQ(escape(std::string_view("a\0b\n\x7f", 5)), "a\\x00b\\x0a\\x7f");
  EXPECT_EQ(escape("\xff\xc2\x80\\"), "\\xff\\xc2\\x80\\x5c");
  EXPECT_EQ(unescape(escape("\xff\xc2\x80\\x41")), "\xff\xc2\x80\\x41");
}

TEST(Utf8, WritesEveryLengthAndKnowsWhatItIsNot) {
  std::string out;
  for (const uint32_t code : {0x24u, 0xa3u, 0x20acu, 0x10348u}) append_utf8(out, code);
  EXPECT_EQ(out, "$\xc2\xa3\xe2\x82\xac\xf0\x90\x8d\x88");
  EXPECT_TRUE(is_utf8(out));
  for (const char* bad : {"a\xff", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82"})
    EXPECT_FALSE(is_utf8(bad)) << bad;
  std::string lone, past;
  append_utf8(lone, 0xd800), append_utf8(past, 0x110000);
  EXPECT_FALSE(is_utf8(lone));
  EXPECT_EQ(past, "\xef\xbf\xbd");
}

TEST(Pack, ComesBackWholeAndRefusesEveryTruncation) {
  Node node;
  node.kind = Kind::kSymlink;
  node.path = "a/b";
  node.mode = 04755;
  node.mtime = -5;
  node.xattrs = {{"user.a", "b"}};
  const std::string bytes = pack(node);
  const auto back = unpack_as<Node>(bytes);
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(pack(*back), bytes);
  EXPECT_EQ(back->mtime, -5);
  for (size_t cut = 0; cut < bytes.size(); ++cut) EXPECT_FALSE(unpack_as<Node>(bytes.substr(0, cut)).has_value());
}

TEST(Text, LinesKeepOffsets) {
  const auto found = lines("a\r\nbb\n\nc");
  ASSERT_EQ(found.size(), 4u);
  EXPECT_EQ(found[1].text, "bb");
  EXPECT_EQ(found[1].offset, 3u);
  EXPECT_EQ(found[3].number, 4u);
}

}  // namespace
}  // namespace assay
