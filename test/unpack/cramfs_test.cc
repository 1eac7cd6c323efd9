// cramfs against mkfs.cramfs (util-linux) and a real image.
#include "test/unpack/host_tree.h"

namespace assay::unpack {
namespace {

const Format& cramfs() { return *find_format("cramfs"); }

struct Case {
  const char *name, *options;
};

class CramfsTest : public testing::TestWithParam<Case> {};

TEST_P(CramfsTest, GivesBackTheSourceTree) {
  HostTree tree;
  tree.fill();
  const std::string image = tree.image(std::string("mkfs.cramfs ") + GetParam().options + " root out");
  if (image.empty()) GTEST_SKIP() << "mkfs.cramfs is not installed";
  const auto measured = cramfs().measure(Bytes(image));
  ASSERT_TRUE(measured) << measured.error().what;
  EXPECT_TRUE(measured->verified);
  EXPECT_EQ(measured->length, image.size());
  Collect got;
  const auto done = cramfs().unpack(Bytes(image), got);
  ASSERT_TRUE(done) << done.error().what;
  for (const Error& problem : got.problems) ADD_FAILURE() << problem.what;
  expect_same(tree, got, {.mtime = false});
  EXPECT_EQ(unknown_bytes(image, got), 0u);
  EXPECT_EQ(got.notes["name"], "volume");
}

INSTANTIATE_TEST_SUITE_P(Options, CramfsTest,
                         testing::Values(Case{"little", "-N little -n volume"}, Case{"big", "-N big -n volume"},
                                         Case{"holes", "-z -n volume"}, Case{"boot", "-p -n volume"},
                                         Case{"edition", "-e 7 -N big -n volume"}),
                         [](const auto& test) { return test.param.name; });

TEST(Cramfs, SurvivesDamage) {
  HostTree tree;
  tree.directory("d/e");
  tree.file("d/e/file", HostTree::words(9000));
  std::filesystem::create_symlink("d/e", tree.at("link"));
  const std::string image = tree.image("mkfs.cramfs root out");
  if (image.empty()) GTEST_SKIP() << "mkfs.cramfs is not installed";
  expect_survives(cramfs(), image, 1);
}

TEST(Cramfs, RefusesAWrongChecksum) {
  HostTree tree;
  tree.file("file", "content");
  std::string image = tree.image("mkfs.cramfs root out");
  if (image.empty()) GTEST_SKIP() << "mkfs.cramfs is not installed";
  image[200] = static_cast<char>(image[200] ^ 1);
  EXPECT_FALSE(cramfs().measure(Bytes(image)));
}

TEST(Cramfs, ReadsARealImage) {
  const std::string image = sample_image("format-samples/sevenz/cramfs.img");
  if (image.empty()) GTEST_SKIP() << "sample images are not here";
  const auto measured = cramfs().measure(Bytes(image));
  ASSERT_TRUE(measured) << measured.error().what;
  Collect got;
  ASSERT_TRUE(cramfs().unpack(Bytes(image).head(measured->length), got));
  EXPECT_TRUE(got.problems.empty());
  EXPECT_GE(got.items.size(), 2u);
}

}  // namespace
}  // namespace assay::unpack
