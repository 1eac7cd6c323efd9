// Partition tables: GPT against sfdisk, Android's super partition against a builder of our own.
#include "test/unpack/build.h"
#include "test/unpack/disk_tree.h"
#include "test/unpack/host_tree.h"

#include "core/hash.h"

namespace assay::unpack {
namespace {

const std::string kPath = "PATH=$PATH:/sbin:/usr/sbin; ";

std::string gpt_disk() {
  const Scratch scratch;
  scratch.run(kPath +
              "truncate -s 1M out; printf 'label: gpt\\nstart=64,size=128,name=kernel\\nstart=256,size=512,"
              "name=root\\n' | sfdisk -q out");
  std::string disk = slurp(scratch.path() + "/out");
  if (disk.empty()) return disk;
  put(disk, 64 * 512, HostTree::words(128 * 512));
  put(disk, 256 * 512, HostTree::noise(512 * 512));
  return disk;
}

std::string states(const Collect& got) {
  std::string out;
  for (const Integrity& i : got.integrities) out += i.name + " " + i.state + "\n";
  return out;
}

TEST(Gpt, ReadsWhatSfdiskWrote) {
  const std::string disk = gpt_disk();
  if (!installed("sfdisk")) GTEST_SKIP() << "sfdisk is not installed";
  const auto length = measured("gpt", disk);
  ASSERT_TRUE(length) << length.error().what;
  EXPECT_EQ(length->length, disk.size());
  EXPECT_TRUE(length->verified);
  const Collect got = unpacked("gpt", disk);
  EXPECT_TRUE(got.problems.empty());
  EXPECT_EQ(states(got),
            "first header crc valid\nfirst entries crc valid\nbackup header crc valid\nbackup entries crc valid\n");
  ASSERT_TRUE(got.find("kernel") && got.find("root"));
  EXPECT_TRUE(got.find("kernel")->content == HostTree::words(128 * 512));
  EXPECT_TRUE(got.find("root")->content == HostTree::noise(512 * 512));
  EXPECT_EQ(unknown_bytes(disk, got), 0u);
}

TEST(Gpt, RefusesLiesAndSaysWhatIsCutOff) {
  if (!installed("sfdisk")) GTEST_SKIP() << "sfdisk is not installed";
  const std::string disk = gpt_disk();
  std::string damaged = disk;
  damaged[512 + 60] ^= 1;
  EXPECT_FALSE(measured("gpt", damaged));
  damaged = disk;
  damaged[1024 + 33] ^= 1;
  EXPECT_FALSE(measured("gpt", damaged)) << "crc32 of the entries";
  damaged = disk;
  damaged[disk.size() - 512 + 60] ^= 1;
  EXPECT_NE(states(unpacked("gpt", damaged)).find("backup header crc invalid"), std::string::npos);
  for (size_t length = 0; length < 1024 + 128 * 128; length += 61)
    EXPECT_FALSE(measured("gpt", disk.substr(0, length)));
  EXPECT_FALSE(unpacked("gpt", disk.substr(0, 300 * 512)).problems.empty());
  expect_survives(format("gpt"), disk, 40'009);
}

std::string digest(std::string_view bytes) {
  const Digest d = sha256(Bytes(bytes));
  return {reinterpret_cast<const char*>(d.bytes.data()), d.bytes.size()};
}

std::string super_entry(const std::string& name, uint32_t first, uint32_t count) {
  return filled(name, 36) + little(1) + little(first) + little(count) + little(0);
}

std::string super_extent(uint64_t sectors, uint32_t type, uint64_t at) {
  return little(sectors, 8) + little(type) + little(at, 8) + little(0);
}

// Two partitions: "system" in one piece, "vendor" in two with zeros between.
std::string super_image() {
  const std::string parts = super_entry("system", 0, 1) + super_entry("vendor", 1, 3);
  const std::string extents =
      super_extent(16, 0, 256) + super_extent(8, 0, 288) + super_extent(4, 1, 0) + super_extent(8, 0, 320);
  const std::string device =
      little(256, 8) + little(4096) + little(0) + little(512 * 512, 8) + filled("super", 36) + little(0);
  const std::string tables = parts + extents + device;
  std::string head = "0PLA" + little(10, 2) + little(0, 2) + little(128) + std::string(32, '\0') +
                     little(tables.size()) + digest(tables) + little(0) + little(2) + little(52) + little(104) +
                     little(4) + little(24) + little(200) + little(0) + little(48) + little(200) + little(1) +
                     little(64);
  put(head, 12, digest(head));
  std::string geometry = "gDla" + little(52) + std::string(32, '\0') + little(4096) + little(2) + little(4096);
  put(geometry, 8, digest(geometry));
  std::string image(512 * 512, '\0');
  for (const size_t at : {4096, 8192}) put(image, at, geometry);
  for (const size_t at : {12288, 16384, 20480, 24576}) put(image, at, head + tables);
  put(image, 256 * 512, HostTree::words(16 * 512));
  put(image, 288 * 512, HostTree::noise(8 * 512));
  put(image, 320 * 512, HostTree::words(8 * 512));
  return image;
}

TEST(AndroidSuper, ReadsLogicalPartitions) {
  const std::string image = super_image();
  const auto length = measured("android-super", image);
  ASSERT_TRUE(length) << length.error().what;
  EXPECT_EQ(length->length, image.size());
  const Collect got = unpacked("android-super", image);
  EXPECT_TRUE(got.problems.empty());
  EXPECT_EQ(got.integrities.size(), 6u);
  EXPECT_EQ(states(got).find("invalid"), std::string::npos);
  ASSERT_TRUE(got.find("system") && got.find("vendor"));
  EXPECT_EQ(got.find("system")->extents.size(), 1u);
  EXPECT_TRUE(got.find("system")->content == HostTree::words(16 * 512));
  EXPECT_TRUE(got.find("vendor")->content ==
              HostTree::noise(8 * 512) + std::string(4 * 512, '\0') + HostTree::words(8 * 512));
  EXPECT_EQ(unknown_bytes(image, got), 0u);
}

TEST(AndroidSuper, ReadsTheBackupsAndRefusesLies) {
  const std::string image = super_image();
  std::string damaged = image;
  damaged[4096 + 45] ^= 1;
  damaged[12288 + 200] ^= 1;
  ASSERT_TRUE(measured("android-super", damaged)) << "the second copies are good";
  const Collect got = unpacked("android-super", damaged);
  EXPECT_NE(states(got).find("geometry invalid"), std::string::npos);
  EXPECT_NE(states(got).find("metadata of slot 0 invalid"), std::string::npos);
  EXPECT_TRUE(got.find("system"));
  damaged[8192 + 45] ^= 1;
  EXPECT_FALSE(measured("android-super", damaged));
  EXPECT_FALSE(measured("android-super", image.substr(0, image.size() - 1)));
  expect_survives(format("android-super"), image, 997);
}

}  // namespace
}  // namespace assay::unpack
