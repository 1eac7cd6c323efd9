// UBIFS against mkfs.ubifs and a real image.
#include "core/hash.h"
#include "test/unpack/host_tree.h"

namespace assay::unpack {
namespace {

const Format& ubifs() { return *find_format("ubifs"); }

struct Case {
  const char *name, *options;
};

class UbifsTest : public testing::TestWithParam<Case> {};

TEST_P(UbifsTest, GivesBackTheSourceTree) {
  HostTree tree;
  tree.fill();
  const std::string image = tree.image(std::string("mkfs.ubifs -r root -o out ") + GetParam().options);
  if (image.empty()) GTEST_SKIP() << "mkfs.ubifs is not installed";
  const auto measured = ubifs().measure(Bytes(image));
  ASSERT_TRUE(measured) << measured.error().what;
  EXPECT_EQ(measured->length, image.size());
  Collect got;
  const auto done = ubifs().unpack(Bytes(image), got);
  ASSERT_TRUE(done) << done.error().what;
  for (const Error& problem : got.problems) ADD_FAILURE() << problem.what;
  expect_same(tree, got);
  EXPECT_EQ(unknown_bytes(image, got), 0u);
}

INSTANTIATE_TEST_SUITE_P(Options, UbifsTest,
                         testing::Values(Case{"lzo", "-m 2048 -e 126976 -c 100 -x lzo"},
                                         Case{"zlib", "-m 512 -e 15872 -c 300 -x zlib"},
                                         Case{"zstd", "-m 1 -e 65408 -c 100 -x zstd"},
                                         Case{"none", "-m 2048 -e 126976 -c 100 -x none"},
                                         Case{"favor", "-m 2048 -e 126976 -c 100 -x favor_lzo -X 30"}),
                         [](const auto& test) { return test.param.name; });

TEST(Ubifs, FallsBackToEveryNodeWhenTheIndexIsBroken) {
  HostTree tree;
  tree.fill();
  std::string image = tree.image("mkfs.ubifs -r root -o out -m 512 -e 15872 -c 300 -x zlib");
  if (image.empty()) GTEST_SKIP() << "mkfs.ubifs is not installed";
  for (size_t block = 1; block < 3; ++block)
    image.replace(block * 15872, 15872, std::string(15872, '\xff'));  // both master nodes
  Collect got;
  ASSERT_TRUE(ubifs().unpack(Bytes(image), got));
  ASSERT_EQ(got.problems.size(), 1u);
  EXPECT_NE(got.problems[0].what.find("the index cannot be followed"), std::string::npos);
  expect_same(tree, got);
}

TEST(Ubifs, SaysThatADataNodeIsLost) {
  HostTree tree;
  tree.fill();
  std::string image = tree.image("mkfs.ubifs -r root -o out -m 512 -e 15872 -c 300 -x none");
  if (image.empty()) GTEST_SKIP() << "mkfs.ubifs is not installed";
  const size_t at = image.find("set user");
  ASSERT_NE(at, image.npos);
  image[at] = 'S';
  Collect got;
  ASSERT_TRUE(ubifs().unpack(Bytes(image), got));
  ASSERT_FALSE(got.problems.empty());
  ASSERT_TRUE(got.find("bin/su"));
  EXPECT_EQ(got.find("bin/su")->content, std::string(9, '\0'));
}

std::string number(uint64_t value, int size) {
  std::string out;
  for (; size > 0; --size, value >>= 8) out.push_back(static_cast<char>(value));
  return out;
}
// A node with its header; `fields` begin behind it, at offset 24.
std::string node(uint8_t type, uint64_t sequence, const std::string& fields) {
  const std::string rest =
      number(sequence, 8) + number(24 + fields.size(), 4) + number(type, 1) + number(0, 3) + fields;
  std::string out = number(0x06101831, 4) + number(crc32_raw(Bytes(rest)), 4) + rest;
  while (out.size() % 8) out.push_back('\0');
  return out;
}
std::string key(uint32_t inode, uint32_t type, uint32_t low) {
  return number(inode, 4) + number(type << 29 | low, 4) + std::string(8, '\0');
}
std::string entry(uint64_t sequence, uint32_t directory, uint64_t inode, const std::string& name) {
  return node(
      2, sequence,
      key(directory, 2, 5) + number(inode, 8) + number(0, 2) + number(name.size(), 2) + number(0, 4) + name + '\0');
}
std::string inode(uint64_t sequence, uint32_t number_of_it, uint64_t size, uint32_t links) {
  std::string fields = key(number_of_it, 0, 0) + number(0, 8) + number(size, 8) + number(0, 16) + number(77, 8) +
                       number(0, 12) + number(links, 4) + number(1, 4) + number(2, 4) + number(0100640, 4);
  return node(0, sequence, fields + std::string(136 - fields.size(), '\0'));
}
std::string data(uint64_t sequence, uint32_t number_of_it, uint32_t block, const std::string& text) {
  return node(1, sequence, key(number_of_it, 1, block) + number(text.size(), 4) + number(0, 4) + text);
}

// What Linux leaves behind when it is switched off before a commit: the log refers to a block of new nodes.
TEST(Ubifs, ReplaysTheJournal) {
  HostTree tree;
  tree.file("old", "old content");
  tree.file("removed", "removed");
  std::string image = tree.image("mkfs.ubifs -r root -o out -m 1 -e 15360 -c 60 -x none");
  if (image.empty()) GTEST_SKIP() << "mkfs.ubifs is not installed";
  constexpr uint64_t kBlock = 15360, kLog = 3 * kBlock, kLater = 1'000'000;
  uint64_t reference = kLog;
  while (image[reference] != '\xff') reference += 8;
  const uint64_t bud = image.size() / kBlock;
  image.replace(reference, 64, node(8, kLater, number(bud, 4) + number(0, 4) + number(1, 4) + std::string(28, '\0')));
  std::string written = entry(kLater + 1, 1, 900, "new") + inode(kLater + 2, 900, 5, 1) +
                        data(kLater + 3, 900, 0, "first") + entry(kLater + 4, 1, 0, "removed") +
                        data(kLater + 5, 900, 1, std::string(4096, 'x')) + data(kLater + 9, 900, 0, "newer") +
                        node(4, kLater + 10, number(900, 4) + std::string(12, '\0') + number(8192, 8) + number(5, 8));
  written.resize(kBlock, '\xff');
  image += written;
  Collect got;
  ASSERT_TRUE(ubifs().unpack(Bytes(image), got));
  for (const Error& problem : got.problems) ADD_FAILURE() << problem.what;
  EXPECT_EQ(got.find("old")->content, "old content");
  EXPECT_FALSE(got.find("removed"));
  ASSERT_TRUE(got.find("new"));
  EXPECT_EQ(got.find("new")->content, "newer");
  EXPECT_EQ(got.find("new")->node.mode, 0640u);
  EXPECT_EQ(got.find("new")->node.mtime, 77);
  EXPECT_TRUE(got.notes["journal"].starts_with("7 nodes"));
}

TEST(Ubifs, SurvivesDamage) {
  HostTree tree;
  tree.directory("d");
  tree.file("d/file", HostTree::words(9000));
  std::filesystem::create_symlink("d", tree.at("link"));
  const std::string image = tree.image("mkfs.ubifs -r root -o out -m 1 -e 15360 -c 40 -x zstd");
  if (image.empty()) GTEST_SKIP() << "mkfs.ubifs is not installed";
  expect_survives(ubifs(), image, 389);
}

TEST(Ubifs, ReadsARealImage) {
  const std::string image = sample_image("format-samples/ubi/test.ubifs");
  if (image.empty()) GTEST_SKIP() << "sample images are not here";
  const auto measured = ubifs().measure(Bytes(image));
  ASSERT_TRUE(measured) << measured.error().what;
  Collect got;
  ASSERT_TRUE(ubifs().unpack(Bytes(image).head(measured->length), got));
  EXPECT_TRUE(got.problems.empty());
  EXPECT_GE(got.items.size(), 2u);
}

}  // namespace
}  // namespace assay::unpack
