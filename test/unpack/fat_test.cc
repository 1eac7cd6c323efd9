// FAT against dosfstools and mtools.
#include "test/unpack/disk_tree.h"

#include <gtest/gtest.h>

namespace assay::unpack {
namespace {

const Format& fat() { return *find_format("fat"); }
const std::string kEnvironment = "PATH=$PATH:/sbin:/usr/sbin; export TZ=UTC LC_ALL=C.UTF-8 MTOOLS_SKIP_CHECK=1; ";

std::string list_problems(const Collect& sink) {
  std::string text;
  for (const Error& problem : sink.problems) text += problem.what + "\n";
  return text;
}

struct Volume {
  const char* options;
  const char* size;
  const char* type;
};
void PrintTo(const Volume& volume, std::ostream* out) { *out << volume.options << " " << volume.size; }

// Files of many sizes, some rewritten so that they are in pieces.
std::string build(const Scratch& scratch, const Volume& volume) {
  const std::string script =
      kEnvironment +
      "mkdir -p t/sub/deeper 't/A long directory name'; printf hello > t/HELLO.TXT; printf lower > t/lower.txt;"
      "seq 1 20000 > 't/sub/numbers with a rather long name.list'; : > t/empty; printf x > t/sub/deeper/Mixed.Case;"
      "printf uml > 't/ein gr\xc3\xbc\xc3\x9f mit langem Namen'; printf snow > 't/x\xe2\x98\x83\xe2\x98\x83 in a long "
      "name.txt';"
      "for i in $(seq 1 70); do echo $i > \"t/A long directory name/file number $i\"; done;"
      "touch -d @1234567890 t/HELLO.TXT t/sub/deeper; truncate -s " +
      volume.size + " out; mkfs.vfat " + volume.options +
      " -n LABEL out; mcopy -i out t/sub/deeper/Mixed.Case ::gap; mcopy -i out t/HELLO.TXT ::rest; mdel -i out ::gap;"
      "mcopy -s -m -i out t/* ::";
  EXPECT_TRUE(scratch.run(script)) << slurp(scratch.path() + "/log");
  return slurp(scratch.path() + "/out");
}

class MadeFat : public testing::TestWithParam<Volume> {};

TEST_P(MadeFat, ReadsWhatWasPutIn) {
  if (!installed("mkfs.vfat") || !installed("mcopy")) GTEST_SKIP() << "dosfstools or mtools are not installed";
  const Scratch scratch;
  const std::string image = build(scratch, GetParam());
  const auto measured = fat().measure(Bytes(image));
  ASSERT_TRUE(measured.has_value()) << measured.error().what;
  EXPECT_TRUE(measured->verified);
  Collect sink;
  const auto done = fat().unpack(Bytes(image).head(measured->length), sink);
  ASSERT_TRUE(done.has_value()) << done.error().what;
  EXPECT_EQ(list_problems(sink), "");
  EXPECT_EQ(sink.notes["type"], GetParam().type);
  EXPECT_EQ(sink.notes["label"], "LABEL      ");
  std::erase_if(sink.items, [](const auto& item) { return item.node.path == "rest"; });
  Compared what{.owners = false, .modes = false, .times = false, .xattrs = false, .root = false};
  const auto different = differences(sink, scratch.path() + "/t", what);
  EXPECT_TRUE(different.empty()) << different.size() << " differ, first: " << different[0];
  EXPECT_EQ(what.entries, 80u);
  EXPECT_EQ(sink.find("HELLO.TXT")->node.mtime, 1234567890);
}

INSTANTIATE_TEST_SUITE_P(Fat, MadeFat,
                         testing::Values(Volume{"-F 12", "1440K", "FAT12"}, Volume{"-F 12 -s 8", "8M", "FAT12"},
                                         Volume{"-F 16", "20M", "FAT16"}, Volume{"-F 16 -S 2048 -s 1", "20M", "FAT16"},
                                         Volume{"-F 32 -s 1", "40M", "FAT32"},
                                         Volume{"-F 32 -s 1 -f 1", "36M", "FAT32"}));

TEST(Fat, SurrogatesAreOneCharacter) {
  if (!installed("mkfs.vfat") || !installed("mcopy")) GTEST_SKIP() << "dosfstools or mtools are not installed";
  const Scratch scratch;
  std::string image = build(scratch, {"-F 12", "1440K", "FAT12"});
  const size_t at = image.find("\x03\x26\x03\x26");  // mtools cannot write them: two snowmen become one clef
  ASSERT_NE(at, std::string::npos);
  image.replace(at, 4, "\x34\xd8\x1e\xdd");
  Collect sink;
  ASSERT_TRUE(fat().unpack(Bytes(image), sink).has_value());
  EXPECT_NE(sink.find("x\xf0\x9d\x84\x9e in a long name.txt"), nullptr);
}

TEST(Fat, LoopsEndAndAreNamed) {
  if (!installed("mkfs.vfat") || !installed("mcopy")) GTEST_SKIP() << "dosfstools or mtools are not installed";
  const Scratch scratch;
  std::string image = build(scratch, {"-F 16 -s 1", "20M", "FAT16"});
  Collect good;
  ASSERT_TRUE(fat().unpack(Bytes(image), good).has_value());
  const auto* numbers = good.find("sub/numbers with a rather long name.list");
  ASSERT_NE(numbers, nullptr);
  // Let the file's third cluster lead back to its first.
  const uint64_t reserved = static_cast<uint8_t>(image[14]) * 512u,
                 fat_size = (static_cast<uint8_t>(image[22]) | static_cast<uint8_t>(image[23]) << 8) * 512u;
  const uint64_t root = (static_cast<uint8_t>(image[17]) | static_cast<uint8_t>(image[18]) << 8) * 32u;
  const auto at = static_cast<uint64_t>(reinterpret_cast<const char*>(numbers->extents[0].data()) - image.data());
  const uint64_t cluster = (at - reserved - 2 * fat_size - root) / 512 + 2;
  image[reserved + 2 * (cluster + 2)] = static_cast<char>(cluster);
  image[reserved + 2 * (cluster + 2) + 1] = static_cast<char>(cluster >> 8);
  Collect sink;
  ASSERT_TRUE(fat().unpack(Bytes(image), sink).has_value());
  EXPECT_EQ(list_problems(sink),
            "sub/numbers with a rather long name.list: cluster " + std::to_string(cluster) + " is used twice\n");
  EXPECT_EQ(sink.find("sub/numbers with a rather long name.list")->content, "");
  EXPECT_EQ(sink.notes["FAT copy 1"], "differs from the first");
}

TEST(Fat, TruncatedOrChangedNeverCrashes) {
  if (!installed("mkfs.vfat") || !installed("mcopy")) GTEST_SKIP() << "dosfstools or mtools are not installed";
  const Scratch scratch;
  const std::string image = build(scratch, {"-F 12", "720K", "FAT12"});
  for (size_t length = 0; length < image.size(); length += length < 600 ? 1 : 4001)
    EXPECT_FALSE(fat().measure(Bytes(image).head(length)).has_value());
  size_t refused = 0;
  for (size_t at = 0; at < image.size(); ++at) {
    if (image[at] == 0 || at % (at > 8192 ? 211 : at > 1024 ? 5 : 1) != 0) continue;
    std::string changed = image;
    changed[at] = static_cast<char>(changed[at] ^ (1 << at % 8));
    Collect sink;
    if (!fat().measure(Bytes(changed)) || !fat().unpack(Bytes(changed), sink) || !sink.problems.empty()) ++refused;
  }
  EXPECT_GT(refused, 20u);
}

TEST(Fat, BootSectorsOfOtherThingsAreRefused) {
  std::string sector(4096, '\0');
  sector.replace(54, 8, "FAT16   ");
  sector[510] = 0x55;
  sector[511] = static_cast<char>(0xaa);
  EXPECT_FALSE(fat().measure(Bytes(sector)).has_value());
  sector[0] = static_cast<char>(0xeb);
  sector[2] = static_cast<char>(0x90);
  EXPECT_FALSE(fat().measure(Bytes(sector)).has_value());
}

}  // namespace
}  // namespace assay::unpack
