// UBIFS against mkfs.ubifs and a real image.
#include "test/unpack/host_tree.h"

namespace assay::unpack {
extern const Format kUbifs;

namespace {

struct Case {
  const char *name, *options;
};

class UbifsTest : public testing::TestWithParam<Case> {};

TEST_P(UbifsTest, GivesBackTheSourceTree) {
  HostTree tree;
  tree.fill();
  const std::string image = tree.image(std::string("mkfs.ubifs -r root -o out ") + GetParam().options);
  if (image.empty()) GTEST_SKIP() << "mkfs.ubifs is not installed";
  const auto measured = kUbifs.measure(Bytes(image));
  ASSERT_TRUE(measured) << measured.error().what;
  EXPECT_EQ(measured->length, image.size());
  Collect got;
  const auto done = kUbifs.unpack(Bytes(image), got);
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
  ASSERT_TRUE(kUbifs.unpack(Bytes(image), got));
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
  ASSERT_TRUE(kUbifs.unpack(Bytes(image), got));
  ASSERT_FALSE(got.problems.empty());
  ASSERT_TRUE(got.find("bin/su"));
  EXPECT_EQ(got.find("bin/su")->content, std::string(9, '\0'));
}

TEST(Ubifs, SurvivesDamage) {
  HostTree tree;
  tree.directory("d");
  tree.file("d/file", HostTree::words(9000));
  std::filesystem::create_symlink("d", tree.at("link"));
  const std::string image = tree.image("mkfs.ubifs -r root -o out -m 1 -e 15360 -c 40 -x zstd");
  if (image.empty()) GTEST_SKIP() << "mkfs.ubifs is not installed";
  expect_survives(kUbifs, image, 97);
}

TEST(Ubifs, ReadsARealImage) {
  const std::string image = sample_image("format-samples/ubi/test.ubifs");
  if (image.empty()) GTEST_SKIP() << "sample images are not here";
  const auto measured = kUbifs.measure(Bytes(image));
  ASSERT_TRUE(measured) << measured.error().what;
  Collect got;
  ASSERT_TRUE(kUbifs.unpack(Bytes(image).head(measured->length), got));
  EXPECT_TRUE(got.problems.empty());
  EXPECT_GE(got.items.size(), 2u);
}

}  // namespace
}  // namespace assay::unpack
