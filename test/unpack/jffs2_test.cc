// JFFS2 against mkfs.jffs2, against nodes built here, and against real images.
#include "test/unpack/host_tree.h"

namespace assay::unpack {
namespace {

const Format& jffs2() { return *find_format("jffs2"); }

struct Case {
  const char *name, *options;
};

class Jffs2Test : public testing::TestWithParam<Case> {};

TEST_P(Jffs2Test, GivesBackTheSourceTree) {
  HostTree tree;
  tree.fill();
  const std::string image = tree.image(std::string("mkfs.jffs2 -r root -o out ") + GetParam().options);
  if (image.empty()) GTEST_SKIP() << "mkfs.jffs2 is not installed";
  const auto measured = jffs2().measure(Bytes(image));
  ASSERT_TRUE(measured) << measured.error().what;
  EXPECT_EQ(measured->length, image.size());
  Collect got;
  const auto done = jffs2().unpack(Bytes(image), got);
  ASSERT_TRUE(done) << done.error().what;
  for (const Error& problem : got.problems) ADD_FAILURE() << problem.what;
  expect_same(tree, got);
  EXPECT_EQ(unknown_bytes(image, got), 0u);
}

INSTANTIATE_TEST_SUITE_P(Options, Jffs2Test,
                         testing::Values(Case{"little", "-l"}, Case{"big", "-b"}, Case{"none", "-l -m none"},
                                         Case{"lzo", "-l -m size -X lzo -x zlib"}, Case{"rtime", "-b -x zlib -x lzo"},
                                         Case{"blocks", "-l -e 16KiB -s 1024 -p"}, Case{"nand", "-b -n -e 128KiB"}),
                         [](const auto& test) { return test.param.name; });

TEST(Jffs2, ReadsAttributesAndDeviceTables) {
  HostTree tree;
  tree.file("file", "content");
  const std::string value("\1\0\0\2", 4);
  if (setxattr(tree.at("file").c_str(), "user.note", value.data(), value.size(), 0) != 0)
    GTEST_SKIP() << "the file system of /tmp has no user attributes";
  const std::string image = tree.image(
      "printf '/dev d 755 0 0 - - - - -\\n/dev/tty c 666 0 5 4 200 0 1 2\\n/file f 4755 3 4 - - - - -\\n' > table; "
      "mkfs.jffs2 -r root -o out -b --with-xattr -D table");
  if (image.empty()) GTEST_SKIP() << "mkfs.jffs2 is not installed";
  Collect got;
  ASSERT_TRUE(jffs2().unpack(Bytes(image), got));
  EXPECT_TRUE(got.problems.empty());
  const Collect::Item* file = got.find("file");
  ASSERT_TRUE(file);
  EXPECT_EQ(file->node.mode, 04755u);
  EXPECT_EQ(file->node.uid, 3u);
  ASSERT_EQ(file->node.xattrs.size(), 1u);
  EXPECT_EQ(file->node.xattrs[0], std::make_pair(std::string("user.note"), value));
  ASSERT_TRUE(got.find("dev/tty1"));
  EXPECT_EQ(got.find("dev/tty1")->node.device, uint64_t{4} << 32 | 201);
}

}  // namespace
}  // namespace assay::unpack
