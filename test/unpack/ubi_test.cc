// UBI against ubinize.
#include "test/unpack/host_tree.h"

namespace assay::unpack {
namespace {

const Format& ubi() { return *find_format("ubi"); }

constexpr const char* kConfiguration =
    "printf '[a]\\nmode=ubi\\nimage=one\\nvol_id=0\\nvol_size=2MiB\\nvol_type=dynamic\\nvol_name=rootfs\\n"
    "vol_flags=autoresize\\n[b]\\nmode=ubi\\nimage=two\\nvol_id=3\\nvol_type=static\\nvol_name=kernel\\n"
    "[c]\\nmode=ubi\\nvol_id=5\\nvol_size=1MiB\\nvol_type=dynamic\\nvol_name=data\\n' > config; ";

std::string make(HostTree& tree, const std::string& options) {
  tree.file("../one", HostTree::noise(500'000));
  tree.file("../two", HostTree::words(300'001));
  return tree.image(kConfiguration + ("ubinize -o out " + options + " config"));
}

class UbiTest : public testing::TestWithParam<const char*> {};

TEST_P(UbiTest, GivesBackItsVolumes) {
  HostTree tree;
  const std::string image = make(tree, GetParam());
  if (image.empty()) GTEST_SKIP() << "ubinize is not installed";
  const std::string follower = image + std::string(64, 'x');
  const auto measured = ubi().measure(Bytes(follower));
  ASSERT_TRUE(measured) << measured.error().what;
  EXPECT_EQ(measured->length, image.size());
  Collect got;
  const auto done = ubi().unpack(Bytes(image), got);
  ASSERT_TRUE(done) << done.error().what;
  for (const Error& problem : got.problems) ADD_FAILURE() << problem.what;
  ASSERT_TRUE(got.find("rootfs") && got.find("kernel"));
  const std::string& rootfs = got.find("rootfs")->content;
  EXPECT_TRUE(rootfs.starts_with(slurp(tree.at("../one"))));
  EXPECT_TRUE(rootfs.find_first_not_of('\xff', 500'000) == rootfs.npos);
  EXPECT_TRUE(got.find("kernel")->content == slurp(tree.at("../two")));
  EXPECT_EQ(got.notes["empty volume"], "data");
}

INSTANTIATE_TEST_SUITE_P(Geometries, UbiTest,
                         testing::Values("-p 128KiB -m 2048", "-p 128KiB -m 2048 -s 512", "-p 64KiB -m 1",
                                         "-p 16KiB -m 512 -Q 77", "-p 256KiB -m 4096 -O 4096"));

TEST(Ubi, ReadsBlocksInAnyOrderAndFillsHoles) {
  HostTree tree;
  const std::string image = make(tree, "-p 64KiB -m 1");
  if (image.empty()) GTEST_SKIP() << "ubinize is not installed";
  constexpr size_t kBlock = 64 << 10;
  std::string mixed;
  for (size_t at = image.size(); at > 0; at -= kBlock) mixed += image.substr(at - kBlock, kBlock);
  Collect got;
  ASSERT_TRUE(ubi().unpack(Bytes(mixed), got));
  EXPECT_TRUE(got.problems.empty());
  ASSERT_TRUE(got.find("kernel"));
  EXPECT_TRUE(got.find("kernel")->content == slurp(tree.at("../two")));

  std::string holed = image;  // blocks 0 and 1 are the volume table, 2 the first of "rootfs"
  holed.replace(3 * kBlock, kBlock, std::string(kBlock, '\xff'));
  Collect with_hole;
  ASSERT_TRUE(ubi().unpack(Bytes(holed), with_hole));
  ASSERT_TRUE(with_hole.find("rootfs"));
  const std::string& rootfs = with_hole.find("rootfs")->content;
  EXPECT_EQ(with_hole.find("rootfs")->codec, "ubi");
  const size_t logical = kBlock - 128;
  EXPECT_EQ(rootfs.substr(logical, logical), std::string(logical, '\xff'));
  EXPECT_TRUE(rootfs.substr(2 * logical, 1000) == slurp(tree.at("../one")).substr(2 * logical, 1000));
}

TEST(Ubi, SaysThatStaticDataIsDamaged) {
  HostTree tree;
  std::string image = make(tree, "-p 64KiB -m 1");
  if (image.empty()) GTEST_SKIP() << "ubinize is not installed";
  const size_t at = image.find("word 0\n");
  ASSERT_NE(at, image.npos);
  image[at] = 'W';
  Collect got;
  ASSERT_TRUE(ubi().unpack(Bytes(image), got));
  ASSERT_EQ(got.problems.size(), 1u);
  EXPECT_NE(got.problems[0].what.find("data_crc of logical block 0"), std::string::npos);
}

TEST(Ubi, SurvivesDamage) {
  HostTree tree;
  tree.file("../one", "one");
  tree.file("../two", "two");
  const std::string image = tree.image(std::string(kConfiguration) + "ubinize -o out -p 8KiB -m 1 config");
  if (image.empty()) GTEST_SKIP() << "ubinize is not installed";
  expect_survives(ubi(), image, 211);
}

}  // namespace
}  // namespace assay::unpack
