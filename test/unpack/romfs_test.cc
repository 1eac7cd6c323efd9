// romfs against genromfs and a real image.
#include "test/unpack/host_tree.h"

namespace assay::unpack {
namespace {

const Format& romfs() { return *find_format("romfs"); }

TEST(Romfs, GivesBackTheSourceTree) {
  HostTree tree;
  tree.fill();
  const std::string image = tree.image("genromfs -f out -d root -V volume");
  if (image.empty()) GTEST_SKIP() << "genromfs is not installed";
  const auto measured = romfs().measure(Bytes(image));
  ASSERT_TRUE(measured) << measured.error().what;
  EXPECT_LE(image.size() - measured->length, 1023u);
  Collect got;
  ASSERT_TRUE(romfs().unpack(Bytes(image).head(measured->length), got));
  for (const Error& problem : got.problems) ADD_FAILURE() << problem.what;
  expect_same(tree, got, {.mode = false, .owner = false, .mtime = false});
  EXPECT_EQ(unknown_bytes(image, got), 0u);
  EXPECT_EQ(got.notes["name"], "volume");
  EXPECT_EQ(got.find("bin/su")->node.mode, 0111u);
  EXPECT_FALSE(got.find("etc/passwd")->node.mode);
  const Collect::Item* noise = got.find("bin/noise");
  EXPECT_EQ(got.find("bin/noise-too")->node.kind == Kind::kHardLink, noise->node.kind == Kind::kFile);
}

TEST(Romfs, SurvivesDamage) {
  HostTree tree;
  tree.directory("d/e");
  tree.file("d/e/file", "content");
  std::filesystem::create_symlink("d/e", tree.at("link"));
  const std::string image = tree.image("genromfs -f out -d root");
  if (image.empty()) GTEST_SKIP() << "genromfs is not installed";
  expect_survives(romfs(), image, 1);
}

TEST(Romfs, RefusesAWrongChecksum) {
  HostTree tree;
  tree.file("file", "content");
  std::string image = tree.image("genromfs -f out -d root");
  if (image.empty()) GTEST_SKIP() << "genromfs is not installed";
  image[20] = static_cast<char>(image[20] ^ 1);
  EXPECT_FALSE(romfs().measure(Bytes(image)));
}

TEST(Romfs, ReadsARealImage) {
  const std::string image = sample_image("format-samples/generic_fs/romfs.img");
  if (image.empty()) GTEST_SKIP() << "sample images are not here";
  const auto measured = romfs().measure(Bytes(image));
  ASSERT_TRUE(measured) << measured.error().what;
  Collect got;
  ASSERT_TRUE(romfs().unpack(Bytes(image).head(measured->length), got));
  EXPECT_TRUE(got.problems.empty());
  EXPECT_FALSE(got.items.empty());
}

}  // namespace
}  // namespace assay::unpack
