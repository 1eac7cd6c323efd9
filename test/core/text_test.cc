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
