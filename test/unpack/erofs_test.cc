// EROFS against mkfs.erofs.
#include "test/unpack/build.h"
#include "test/unpack/disk_tree.h"
#include "test/unpack/host_tree.h"

namespace assay::unpack {
namespace {

std::string list_problems(const Collect& sink) {
  std::string text;
  for (const Error& problem : sink.problems) text += problem.what + "\n";
  return text;
}

std::string made(const HostTree& tree, const std::string& options) {
  return tree.image("mkfs.erofs " + options + " out root");
}

class MadeErofs : public testing::TestWithParam<std::string> {};

TEST_P(MadeErofs, ReadsWhatWasPutIn) {
  if (!installed("mkfs.erofs")) GTEST_SKIP() << "mkfs.erofs is not installed";
  HostTree tree;
  tree.file("large", HostTree::words(3'000'000) + HostTree::noise(200'000) + std::string(900'000, 'z'));
  tree.fill();
  const std::string image = made(tree, GetParam());
  if (image.empty()) GTEST_SKIP() << "this mkfs.erofs does not know " << GetParam();
  const auto length = measured("erofs", image);
  ASSERT_TRUE(length.has_value()) << length.error().what;
  EXPECT_LE(length->length, image.size());
  const Collect got = unpacked("erofs", image);
  EXPECT_EQ(list_problems(got), "");
  Compare what;
  what.mtime = GetParam().find("force-inode-compact") == std::string::npos;
  expect_same(tree, got, what);
  EXPECT_EQ(unknown_bytes(image, got), 0u);
}

INSTANTIATE_TEST_SUITE_P(Erofs, MadeErofs,
                         testing::Values("-Eforce-inode-extended", "-Eforce-inode-compact", "-zlz4", "-zlz4hc",
                                         "-zlz4 -Elegacy-compress", "-zlz4hc -C65536", "-zlz4 -Eztailpacking",
                                         "-zlz4hc -C16384 -Eztailpacking", "-zlzma -C65536", "--chunksize=4096",
                                         "-zlz4 -Efragments", "-zlz4hc -C65536 -Eall-fragments", "-zlz4 -Ededupe",
                                         "-zdeflate", "-zzstd -C65536", "-Enoinline_data"));

TEST(Erofs, ReadsAttributesSharedAndOwn) {
  if (!installed("mkfs.erofs")) GTEST_SKIP() << "mkfs.erofs is not installed";
  const HostTree tree;
  std::filesystem::create_directories(tree.root());
  bool stored = true;
  for (const std::string name : {"1", "2", "3", "4"}) {
    std::ofstream(tree.at(name)) << name;
    stored = stored && setxattr(tree.at(name).c_str(), "user.shared", "same", 4, 0) == 0;
  }
  stored = stored && setxattr(tree.at("1").c_str(), "user.own", "one", 3, 0) == 0;
  if (!stored) GTEST_SKIP() << "no extended attributes here";
  const std::string image = made(tree, "-x1");
  ASSERT_FALSE(image.empty());
  const Collect got = unpacked("erofs", image);
  ASSERT_TRUE(got.find("1"));
  auto xattrs = got.find("1")->node.xattrs;
  std::ranges::sort(xattrs);
  const decltype(xattrs) want = {{"user.own", "one"}, {"user.shared", "same"}};
  EXPECT_EQ(xattrs, want);
}

TEST(Erofs, RefusesLiesAndTruncations) {
  if (!installed("mkfs.erofs")) GTEST_SKIP() << "mkfs.erofs is not installed";
  HostTree tree;
  tree.directory("etc");
  tree.file("etc/text", HostTree::words(20'000));
  tree.file("small", "small\n");
  const std::string image = made(tree, "-zlz4hc");
  ASSERT_FALSE(image.empty());
  ASSERT_TRUE(measured("erofs", image));
  EXPECT_FALSE(measured("erofs", image.substr(0, image.size() - 1)));
  std::string damaged = image;
  damaged[1024 + 64] = 'x';
  EXPECT_FALSE(measured("erofs", damaged)) << "its checksum does not hold";
  damaged = image;
  put(damaged, 1024 + 80, little(1u << 20));
  EXPECT_EQ(measured("erofs", damaged).error().fault, Fault::kUnsupported);
  const Collect bad = unpacked("erofs", damaged);
  EXPECT_FALSE(bad.problems.empty());
  expect_survives(format("erofs"), image, 17);
}

}  // namespace
}  // namespace assay::unpack
