// JFFS2 against mkfs.jffs2, against nodes built here, and against real images.
#include "test/unpack/host_tree.h"

namespace assay::unpack {
extern const Format kJffs2;

namespace {

struct Case {
  const char *name, *options;
};

class Jffs2Test : public testing::TestWithParam<Case> {};

TEST_P(Jffs2Test, GivesBackTheSourceTree) {
  HostTree tree;
  tree.fill();
  const std::string image = tree.image(std::string("mkfs.jffs2 -r root -o out ") + GetParam().options);
  if (image.empty()) GTEST_SKIP() << "mkfs.jffs2 is not installed";
  const auto measured = kJffs2.measure(Bytes(image));
  ASSERT_TRUE(measured) << measured.error().what;
  EXPECT_EQ(measured->length, image.size());
  Collect got;
  const auto done = kJffs2.unpack(Bytes(image), got);
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

}  // namespace
}  // namespace assay::unpack
