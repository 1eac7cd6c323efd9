// F2FS against mkfs.f2fs and sload.f2fs.
#include "test/unpack/build.h"
#include "test/unpack/disk_tree.h"
#include "test/unpack/host_tree.h"

#include "core/hash.h"

namespace assay::unpack {
namespace {

constexpr size_t kFirstCheckpoint = 512 * 4096;

std::string list_problems(const Collect& sink) {
  std::string text;
  for (const Error& problem : sink.problems) text += problem.what + "\n";
  return text;
}

bool has_tools() { return installed("mkfs.f2fs") && installed("sload.f2fs"); }

std::string made(const HostTree& tree, const std::string& features, const std::string& size = "64M") {
  return tree.image("PATH=$PATH:/sbin:/usr/sbin; truncate -s " + size + " out; mkfs.f2fs -f -l label " + features +
                    " out; sload.f2fs -P -f root out || test $? = 1");
}

class MadeF2fs : public testing::TestWithParam<std::string> {};

TEST_P(MadeF2fs, ReadsWhatWasPutIn) {
  if (!has_tools()) GTEST_SKIP() << "f2fs-tools are not installed";
  HostTree tree;
  tree.fill();
  std::filesystem::remove_all(tree.at("dev"));  // sload.f2fs leaves devices out
  const bool flexible = GetParam().find("flexible") != std::string::npos;
  // Beyond an inode's own addresses and two nodes of them; with room for attributes of any size, sload.f2fs 1.15 loses
  // blocks of such files, as its own check says.
  if (!flexible) tree.file("large", HostTree::words(13'000'000));
  const std::string image = made(tree, GetParam(), flexible ? "64M" : "100M");
  if (image.empty()) GTEST_SKIP() << "these f2fs-tools do not know " << GetParam();
  const auto length = measured("f2fs", image);
  ASSERT_TRUE(length.has_value()) << length.error().what;
  EXPECT_LE(length->length, image.size());
  const Collect got = unpacked("f2fs", image);
  EXPECT_EQ(list_problems(got), "");
  EXPECT_EQ(got.notes.at("label"), "label");
  expect_same(tree, got, {});
}

INSTANTIATE_TEST_SUITE_P(F2fs, MadeF2fs,
                         testing::Values("", "-O extra_attr,inode_checksum,inode_crtime",
                                         "-O extra_attr,flexible_inline_xattr"));

// Debian's sload.f2fs is built without compression: a file of four blocks is made a compressed cluster here.
TEST(F2fs, ReadsACompressedCluster) {
  if (!has_tools()) GTEST_SKIP() << "f2fs-tools are not installed";
  HostTree tree;
  tree.file("packed", HostTree::noise(16384));
  std::string image = made(tree, "-O extra_attr,compression");
  ASSERT_FALSE(image.empty());
  size_t inode = 0;
  for (size_t at = 0; at < image.size(); at += 4096)
    if (Bytes(image).starts_with(little(6) + "packed", at + 88)) inode = at;
  ASSERT_NE(inode, 0u);
  const size_t extra = *Bytes(image).le<uint16_t>(inode + 360, ""), first = inode + 360 + extra;
  const uint32_t block = *Bytes(image).le<uint32_t>(first, "");
  // LZ4: one "w", itself repeated 16378 times, five more.
  const std::string lz4 = "\x1fw\1" + std::string(1, '\0') + std::string(64, '\xff') + "\x27\x50wwwww";
  put(image, inode + 80, little(4));
  put(image, inode + 360 + 32, std::string("\1\2", 2));
  put(image, first, little(~1u) + little(block) + little(0) + little(0));
  put(image, size_t{block} * 4096, little(lz4.size()) + std::string(20, '\0') + lz4);
  Collect got = unpacked("f2fs", image);
  EXPECT_EQ(list_problems(got), "");
  ASSERT_TRUE(got.find("packed"));
  EXPECT_TRUE(got.find("packed")->content == std::string(16384, 'w'));
  EXPECT_EQ(got.find("packed")->codec, "lz4");
  put(image, size_t{block} * 4096, little(8000));
  got = unpacked("f2fs", image);
  EXPECT_EQ(got.problems.size(), 1u) << "a cluster longer than its block";
}

TEST(F2fs, RefusesLiesAndTruncationsAndTakesTheOlderCheckpoint) {
  if (!has_tools()) GTEST_SKIP() << "f2fs-tools are not installed";
  HostTree tree;
  tree.directory("etc");
  tree.file("etc/text", HostTree::words(20'000));
  tree.file("small", "small\n");
  std::string image = made(tree, "");
  ASSERT_FALSE(image.empty());
  EXPECT_EQ(measured("f2fs", std::string_view(image).substr(0, image.size() - 4096 * 4096)).error().fault,
            Fault::kTruncated);
  const auto damaged = [&](size_t at, const std::string& bytes, const auto& look) {
    const std::string kept = image.substr(at, bytes.size());
    put(image, at, bytes);
    look();
    put(image, at, kept);
  };
  damaged(1024 + 16, little(14), [&] { EXPECT_TRUE(measured("f2fs", image)) << "the second superblock is whole"; });
  damaged(1024 + 92, little(1), [&] { EXPECT_TRUE(measured("f2fs", image)); });
  const std::string zeros(4096, '\0');
  damaged(0, std::string(8192, '\0'), [&] { EXPECT_FALSE(measured("f2fs", image)); });
  for (const size_t pack : {kFirstCheckpoint / 4, kFirstCheckpoint / 4 + kFirstCheckpoint})
    damaged(pack, zeros, [&] { (void)measured("f2fs", image); });
  // Every byte of superblock and checkpoints that a reader looks at, and a few of each block of the main area in use.
  const size_t main = *Bytes(image).le<uint32_t>(1024 + 92, "") * size_t{4096};
  for (size_t at = 1024; at < main + 32 * 4096; at += at < 1400 ? 3 : at < main ? 4096 * 7 + 1 : 509)
    damaged(at, "\xff", [&] {
      const auto length = measured("f2fs", image);
      if (length) {
        EXPECT_LE(length->length, image.size());
        unpacked("f2fs", image);
      }
    });
}

}  // namespace
}  // namespace assay::unpack
