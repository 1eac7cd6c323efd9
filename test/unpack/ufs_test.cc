// UFS against makefs.
#include "test/unpack/build.h"
#include "test/unpack/disk_tree.h"
#include "test/unpack/host_tree.h"

namespace assay::unpack {
namespace {

std::string made(const HostTree& tree, const std::string& options) {
  return tree.image("PATH=$PATH:/sbin:/usr/sbin; makefs -t ffs " + options + " out root");
}

class MadeUfs : public testing::TestWithParam<std::string> {};

TEST_P(MadeUfs, ReadsWhatWasPutIn) {
  if (!installed("makefs")) GTEST_SKIP() << "makefs is not installed";
  HostTree tree;
  tree.fill();
  tree.file("large", HostTree::words(600'000));  // beyond the direct addresses
  std::filesystem::remove_all(tree.at("dev"));
  const std::string image = made(tree, GetParam());
  ASSERT_FALSE(image.empty());
  const auto length = measured("ufs", image);
  ASSERT_TRUE(length.has_value()) << length.error().what;
  EXPECT_LE(length->length, image.size());
  const Collect got = unpacked("ufs", image);
  for (const Error& p : got.problems) ADD_FAILURE() << p.what;
  Compare what;
  what.mtime = false;  // of what was touched last
  expect_same(tree, got, what);
  EXPECT_LE(unknown_bytes(image, got), 1u);  // makefs leaves a byte in free space
}

INSTANTIATE_TEST_SUITE_P(Ufs, MadeUfs,
                         testing::Values("-B le -o version=1", "-B be -o version=1", "-B le -o version=2",
                                         "-B be -o version=2,bsize=16384,fsize=2048"));

TEST(Ufs, RefusesLiesAndTruncations) {
  if (!installed("makefs")) GTEST_SKIP() << "makefs is not installed";
  HostTree tree;
  tree.directory("etc");
  tree.file("etc/text", HostTree::words(200'000));
  for (const std::string version : {"1", "2"}) {
    const std::string image = made(tree, "-B le -s 2m -o version=" + version);
    ASSERT_FALSE(image.empty());
    const size_t super = 8192;  // this makefs puts UFS2's there too; FreeBSD has it at 65536
    EXPECT_EQ(measured("ufs", image.substr(0, image.size() - 65536)).error().fault, Fault::kTruncated);
    for (const size_t field : {44, 48, 52, 56, 116, 120, 184}) {
      std::string lying = image;
      put(lying, super + field, std::string(4, '\0'));
      EXPECT_FALSE(measured("ufs", lying)) << field;
    }
    std::string damaged = image;
    for (size_t at = super; at < damaged.size(); at += at < super + 200 ? 1 : 2399) {
      const char kept = std::exchange(damaged[at], '\xff');
      const auto length = measured("ufs", damaged);
      if (length) {
        EXPECT_LE(length->length, damaged.size());
        unpacked("ufs", damaged);
      }
      damaged[at] = kept;
    }
  }
}

TEST(Ufs, FindsTheSuperblockOfUfs2At65536) {
  if (!installed("makefs")) GTEST_SKIP() << "makefs is not installed";
  HostTree tree;
  tree.file("text", "a file\n");
  std::string image = made(tree, "-B le -s 2m -o version=2,bsize=65536,fsize=8192");
  if (image.empty() || !Bytes(image).starts_with("\x19\x01\x54\x19", 8192 + 1372)) GTEST_SKIP() << "another makefs";
  EXPECT_EQ(unpacked("ufs", image).find("text")->content, "a file\n");
  put(image, 65536, image.substr(8192, 1376));
  put(image, 8192, std::string(1376, '\0'));
  const auto length = measured("ufs", image);
  ASSERT_TRUE(length) << length.error().what;
}

}  // namespace
}  // namespace assay::unpack
