// YAFFS: images of our own builder in every geometry, some of them read by unyaffs too; two samples of others.
#include "test/unpack/disk_tree.h"
#include "test/unpack/host_tree.h"
#include "test/unpack/yaffs_build.h"

namespace assay::unpack {
namespace {

using Kind2 = YaffsBuilder::Kind;

void expect_tree(const Collect& got, uint32_t room) {
  for (const Error& problem : got.problems) ADD_FAILURE() << problem.what;
  for (const char* path : {"", "etc", "etc/passwd", "big", "link", "hard", "console", "empty"})
    ASSERT_TRUE(got.find(path)) << path;
  EXPECT_EQ(got.items.size(), 8u);
  EXPECT_EQ(got.find("big")->content, std::string(room, 'a') + std::string(room, 'b') + "c");
  EXPECT_EQ(got.find("empty")->content, "");
  EXPECT_EQ(got.find("link")->node.target, "etc/passwd");
  EXPECT_EQ(got.find("etc")->node.mode, 0700u);
  EXPECT_EQ(got.find("etc/passwd")->node.uid, 12u);
  EXPECT_EQ(got.find("etc/passwd")->node.gid, 34u);
  EXPECT_EQ(got.find("etc/passwd")->node.mtime, 1'500'000'000);
  EXPECT_EQ(got.find("console")->node.kind, Kind::kCharDevice);
  EXPECT_EQ(got.find("console")->node.device, uint64_t{5} << 32 | 1);
  const bool hard_first = got.find("hard")->node.kind != Kind::kHardLink;
  EXPECT_EQ(got.find(hard_first ? "etc/passwd" : "hard")->node.target, hard_first ? "hard" : "etc/passwd");
  EXPECT_EQ(got.find(hard_first ? "hard" : "etc/passwd")->content, "root:x:0:0::/:/bin/sh\n");
}

class YaffsTest : public testing::TestWithParam<YaffsBuilder> {};

TEST_P(YaffsTest, ReadsEveryGeometry) {
  for (const bool big_endian : {false, true}) {
    YaffsBuilder builder = GetParam();
    builder.big_endian = big_endian;
    const std::string image = yaffs_image(builder);
    const auto length = measured("yaffs", image);
    ASSERT_TRUE(length) << length.error().what;
    EXPECT_EQ(length->length, image.size());
    EXPECT_TRUE(length->verified);
    Collect got = unpacked("yaffs", image);
    expect_tree(got, builder.room());
    EXPECT_EQ(got.notes["page"], std::to_string(builder.page) + " + " + std::to_string(builder.spare) + " spare bytes");
    EXPECT_EQ(got.notes["byte order"], big_endian ? "big endian" : "little endian");
    EXPECT_EQ(unknown_bytes(image, got), 0u);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Geometries, YaffsTest,
    testing::Values(YaffsBuilder{}, YaffsBuilder{.tags_at = 0, .coded = false}, YaffsBuilder{.tags_at = 28},
                    YaffsBuilder{.page = 512, .spare = 16, .tags_at = 0, .coded = false},
                    YaffsBuilder{.page = 1024, .spare = 32, .tags_at = 2},
                    YaffsBuilder{.page = 2048, .spare = 128, .tags_at = 1},
                    YaffsBuilder{.page = 4096, .spare = 128, .tags_at = 4},
                    YaffsBuilder{.page = 4096, .spare = 224, .tags_at = 2},
                    YaffsBuilder{.page = 8192, .spare = 448, .tags_at = 2},
                    YaffsBuilder{.page = 16384, .spare = 1280, .tags_at = 2},
                    YaffsBuilder{.page = 2048, .spare = 0, .kind = Kind2::kInband},
                    YaffsBuilder{.page = 4096, .spare = 0, .kind = Kind2::kInband},
                    YaffsBuilder{.page = 512, .spare = 16, .kind = Kind2::kOneSpare},
                    YaffsBuilder{.page = 512, .spare = 16, .tags_at = 8, .kind = Kind2::kOnePacked}));

TEST(Yaffs, UnyaffsReadsTheSame) {
  if (!installed("unyaffs")) GTEST_SKIP() << "unyaffs is not installed";
  for (const YaffsBuilder& builder : {YaffsBuilder{}, YaffsBuilder{.page = 4096, .spare = 128, .tags_at = 0}}) {
    YaffsBuilder b = builder;
    b.header({.object = 1, .type = 3, .parent = 1, .name = "", .mode = 040755});
    b.header({.object = 257, .type = 3, .parent = 1, .name = "etc", .mode = 040755});
    // unyaffs wants a header before its data, as mkyaffs2image writes them.
    const std::string content = HostTree::words(3 * b.page + 100);
    b.header({.object = 258, .type = 1, .parent = 257, .name = "words", .mode = 0100640, .size = content.size()});
    for (uint32_t at = 0, chunk = 1; at < content.size(); at += b.page, ++chunk)
      b.data(258, chunk, content.substr(at, b.page));
    b.header({.object = 259, .type = 2, .parent = 1, .name = "link", .mode = 0120777, .alias = "etc/words"});
    b.header({.object = 260, .type = 4, .parent = 1, .name = "hard", .equivalent = 258});
    const Scratch scratch;
    std::ofstream(scratch.path() + "/image", std::ios::binary) << b.out;
    ASSERT_TRUE(scratch.run("unyaffs image out")) << slurp(scratch.path() + "/log");
    Compared what;
    what.owners = geteuid() == 0;
    what.xattrs = what.root = what.times = false;
    EXPECT_EQ(differences(unpacked("yaffs", b.out), scratch.path() + "/out", what), std::vector<std::string>{});
    EXPECT_EQ(what.entries, 4u);
  }
}

TEST(Yaffs, ReadsSamplesOfOthers) {
  for (const char* name : {"yaffs2_le.img", "yaffs2_be.img"}) {
    const std::string image = shared_file(std::string("format-samples/yaffs/") + name);
    if (image.empty()) GTEST_SKIP() << "the samples are not installed";
    const auto length = measured("yaffs", image);
    ASSERT_TRUE(length) << length.error().what;
    EXPECT_EQ(length->length, image.size());
    const Collect got = unpacked("yaffs", image);
    EXPECT_TRUE(got.problems.empty());
    ASSERT_TRUE(got.find("testfile1")) << name;
    EXPECT_EQ(got.find("testfile1")->content.size(), 62u);
    EXPECT_NE(got.find("testfile1")->content.find("MyTestRule 1.2.3"), std::string::npos);
    ASSERT_EQ(got.integrities.size(), 1u) << "the code over tags agrees with the other writer's";
    EXPECT_EQ(got.integrities[0].state, "valid");
  }
}

TEST(Yaffs, TheNewestWordCounts) {
  YaffsBuilder b;
  b.header({.object = 1, .type = 3, .parent = 1, .name = "", .mode = 040755});
  b.file({.object = 300, .type = 1, .parent = 1, .name = "rewritten"}, "old words");
  b.file({.object = 301, .type = 1, .parent = 1, .name = "renamed"}, "same");
  b.file({.object = 302, .type = 1, .parent = 1, .name = "removed"}, "gone");
  b.file({.object = 303, .type = 1, .parent = 1, .name = "shrunk"}, std::string(5000, 'x'));
  b.file({.object = 304, .type = 1, .parent = 1, .name = "target"}, "shadowed");
  b.file({.object = 305, .type = 1, .parent = 1, .name = "grows"}, std::string(2048, 'g'));
  const std::string first_block = b.out;
  b.out.clear();
  b.sequence = 0x1001;
  b.data(300, 1, "new words, longer");
  b.header({.object = 301, .type = 1, .parent = 1, .name = "moved", .size = 4});
  b.header({.object = 302, .type = 1, .parent = 3, .name = "unlinked"});
  b.header({.object = 303, .type = 1, .parent = 1, .name = "shrunk", .size = 10, .shrinks = 1});
  b.header({.object = 303, .type = 1, .parent = 1, .name = "shrunk", .size = 5000});
  b.header({.object = 306, .type = 1, .parent = 1, .name = "target", .shadows = 304});
  b.data(305, 2, "more");
  // Blocks lie in any order: the sequence number says which is newer.
  for (const std::string& image : {first_block + b.out, b.out + first_block}) {
    ASSERT_TRUE(measured("yaffs-flash", image));
    const Collect got = unpacked("yaffs-flash", image);
    for (const Error& problem : got.problems) ADD_FAILURE() << problem.what;
    ASSERT_TRUE(got.find("rewritten") && got.find("moved") && got.find("shrunk") && got.find("target"));
    EXPECT_EQ(got.find("rewritten")->content, "new words, longer");
    EXPECT_FALSE(got.find("renamed") || got.find("removed") || got.find("unlinked"));
    EXPECT_EQ(got.find("shrunk")->content, std::string(2048, 'x').substr(0, 2048) + std::string(5000 - 2048, '\0'));
    EXPECT_EQ(got.find("target")->content, "");
    ASSERT_TRUE(got.find("grows"));
    EXPECT_EQ(got.find("grows")->content, std::string(2048, 'g') + "more");
  }
}

TEST(Yaffs, YaffsOneGoesBySerialNumbersAndDeletedPages) {
  for (const Kind2 kind : {Kind2::kOneSpare, Kind2::kOnePacked}) {
    YaffsBuilder b{.page = 512, .spare = 16, .tags_at = 8, .kind = kind};
    b.header({.object = 1, .type = 3, .parent = 1, .name = "", .mode = 040755});
    b.data(257, 1, "newer", 3);
    b.data(257, 1, "older", 2);
    b.header({.object = 257, .type = 1, .parent = 1, .name = "kept", .size = 5});
    b.data(257, 2, "deleted", 0, true);
    b.header({.object = 258, .type = 1, .parent = 1, .name = "dropped", .size = 5, .deleted = true});
    ASSERT_TRUE(measured("yaffs", b.out));
    const Collect got = unpacked("yaffs", b.out);
    ASSERT_TRUE(got.find("kept"));
    EXPECT_EQ(got.find("kept")->content, "newer");
    EXPECT_FALSE(got.find("dropped"));
  }
}

TEST(Yaffs, CorrectsTagsAndReadsAttributes) {
  YaffsBuilder b;
  b.header({.object = 1, .type = 3, .parent = 1, .name = "", .mode = 040755});
  b.header({.object = 257,
            .type = 1,
            .parent = 1,
            .name = "file",
            .size = 2,
            .xattrs = b.xattr("user.b", "two") + b.xattr("security.a", std::string("\0\1", 2))});
  b.data(257, 1, "ab");
  b.data(257, 3, "late");
  b.out[2 * 2112 + 2048 + 2 + 4] ^= 0x10;  // the object of the data's tags
  const Collect got = unpacked("yaffs", b.out);
  ASSERT_TRUE(got.find("file"));
  EXPECT_EQ(got.find("file")->content, "ab" + std::string(4094, '\0') + "late");
  EXPECT_EQ(got.find("file")->codec, "yaffs");
  ASSERT_EQ(got.integrities.size(), 1u);
  EXPECT_EQ(got.integrities[0].detail, "1 corrected");
  const std::vector<std::pair<std::string, std::string>> xattrs = {{"security.a", std::string("\0\1", 2)},
                                                                   {"user.b", "two"}};
  EXPECT_EQ(got.find("file")->node.xattrs, xattrs);
}

// What stands in tables of any program: small numbers, and zeros behind them.
TEST(Yaffs, TagsWithoutTheirCodeAreNoEvidence) {
  YaffsBuilder two{.page = 16384, .spare = 512, .coded = false, .sequence = 0x1111};
  two.header({.object = 0x1111, .type = 1, .parent = 1, .name = "\xff\xff", .size = 700'000'000});
  two.out.replace(16384 + 2 + 8, 20, 20, '\0');  // chunk, bytes, and the code that such tags have
  EXPECT_FALSE(measured("yaffs", two.out));
  YaffsBuilder one{.page = 512, .spare = 16, .tags_at = 2, .kind = Kind2::kOnePacked};
  one.header({.object = 257, .type = 1, .parent = 1, .name = "file", .size = 4096});
  for (uint32_t chunk = 1; chunk <= 8; ++chunk) one.data(257, chunk, std::string(512, 'x'));
  EXPECT_TRUE(measured("yaffs", one.out));
  for (size_t at = 514; at < one.out.size(); at += 528) one.out[at + 6] ^= 0x0c;  // in the code
  EXPECT_FALSE(measured("yaffs", one.out));
}

TEST(Yaffs, RefusesLiesAndSurvivesDamage) {
  const std::string image = yaffs_image({.page = 512, .spare = 16, .tags_at = 0, .coded = false});
  EXPECT_FALSE(measured("yaffs", image.substr(0, 527)));
  EXPECT_FALSE(measured("yaffs", HostTree::noise(100'000)));
  EXPECT_FALSE(measured("yaffs-flash", HostTree::noise(100'000)));
  EXPECT_FALSE(measured("yaffs-flash", HostTree::words(100'000)));
  EXPECT_EQ(measured("yaffs", image + HostTree::noise(1000))->length, image.size());
  YaffsBuilder loop;
  loop.header({.object = 257, .type = 3, .parent = 258, .name = "a", .mode = 040755});
  loop.header({.object = 258, .type = 3, .parent = 257, .name = "b", .mode = 040755});
  loop.header({.object = 259, .type = 1, .parent = 257, .name = "huge", .size = uint64_t{1} << 50});
  EXPECT_FALSE(unpacked("yaffs-flash", loop.out).problems.empty());
  expect_survives(format("yaffs"), image, 211);
}

}  // namespace
}  // namespace assay::unpack
