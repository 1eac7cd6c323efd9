// Archives of the 1980s and 1990s, against the tools that wrote them: arc, arj.
#include "test/unpack/build.h"
#include "test/unpack/disk_tree.h"
#include "test/unpack/host_tree.h"

namespace assay::unpack {
namespace {

struct Made {
  std::string id, command;
};

HostTree& tree() {
  static HostTree tree;
  static const bool filled = [] {
    tree.file("words.txt", HostTree::words(30'000));
    tree.file("noise.bin", HostTree::noise(5000));
    tree.file("zeros.bin", std::string(9000, '\0') + "\x90\x90 end");
    tree.file("short.txt", "a\n");
    return true;
  }();
  EXPECT_TRUE(filled);
  return tree;
}

class OldArchive : public testing::TestWithParam<Made> {};

TEST_P(OldArchive, HoldsWhatWasPutIn) {
  const auto& [id, command] = GetParam();
  if (!installed(id)) GTEST_SKIP() << id << " is not installed";
  const std::string archive = tree().image("cd root; " + command);
  const auto length = measured(id, archive);
  ASSERT_TRUE(length) << length.error().what;
  EXPECT_EQ(length->length, archive.size());
  const Collect got = unpacked(id, archive);
  for (const Error& p : got.problems) ADD_FAILURE() << p.what;
  expect_same(tree(), got, {.mode = false, .owner = false, .mtime = false});
  EXPECT_EQ(unknown_bytes(archive, got), 0u);
  for (const Integrity& i : got.integrities) EXPECT_EQ(i.state, "valid") << i.name;
  EXPECT_EQ(got.integrities.size(), 4u);
  for (size_t at = 0; at < archive.size(); at += at < 200 ? 1 : 211) {
    (void)measured(id, std::string_view(archive).substr(0, at));
    std::string damaged = archive;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x41);
    if (const auto m = measured(id, damaged)) {
      ASSERT_LE(m->length, damaged.size());
      unpacked(id, damaged);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Tools, OldArchive,
                         testing::Values(Made{"arc", "arc a ../x *; mv ../x.arc ../out"},
                                         Made{"arc", "arc aq ../x *; mv ../x.arc ../out"},
                                         Made{"arj", "arj a -m0 ../x *; mv ../x.arj ../out"},
                                         Made{"arj", "arj a -m1 ../x *; mv ../x.arj ../out"},
                                         Made{"arj", "arj a -m3 ../x *; mv ../x.arj ../out"},
                                         Made{"arj", "arj a -m4 ../x *; mv ../x.arj ../out"}));

TEST(OldArchives, SamplesAndPasswords) {
  const std::string arc = shared_file("format-samples/patool/test.arc"),
                    arj = shared_file("format-samples/sevenz/test.arj");
  if (arc.empty() || arj.empty()) GTEST_SKIP() << "the samples are absent";
  EXPECT_EQ(unpacked("arc", arc).find("testfile1")->content,
            unpacked("arj", arj).find("get_files_test/testfile1")->content);
  if (!installed("arj")) GTEST_SKIP() << "arj is not installed";
  const std::string garbled = tree().image("cd root; arj a -gsecret ../x short.txt; mv ../x.arj ../out");
  const Collect got = unpacked("arj", garbled);
  ASSERT_EQ(got.problems.size(), 1u);
  EXPECT_EQ(got.problems[0].what, "short.txt: garbled with a password");
  // A stored archive made here, as arc's first method has it.
  std::string old = std::string("\x1a\x01") + filled("old.txt", 13) + little(3) + little(0x5921, 2) + little(0, 2);
  old += little(crc16_arc(Bytes("abc"), 0), 2) + "abc" + std::string("\x1a\0", 2);
  reads("arc", old, "old.txt", "abc");
  // Its Huffman codes: one node, 'a' and the end.
  std::string squeezed = std::string("\x1a\x04") + filled("old.txt", 13) + little(7) + little(0x5921, 2) + little(0, 2);
  squeezed += little(crc16_arc(Bytes("aaaa"), 0), 2) + little(4);
  squeezed += little(1, 2) + little(0x10000 - 98, 2) + little(0x10000 - 257, 2) + "\x10" + std::string("\x1a\0", 2);
  reads("arc", squeezed, "old.txt", "aaaa");
  // A run that comes to more than the size, and a size that no such archive has.
  std::string runs = std::string("\x1a\x03") + filled("old.txt", 13) + little(3) + little(0x5921, 2) + little(0, 4);
  EXPECT_EQ(measured("arc", runs + little(9) + "a\x90\xff").error().what, "more than its size");
  EXPECT_EQ(measured("arc", runs + little(1 << 30) + "a\x90\xff").error().what, "size 1073741824");
}

}  // namespace
}  // namespace assay::unpack
