// Paths, links, mounts and globs of the tree.
#include "test/system/tree_builder.h"

#include <gtest/gtest.h>

namespace assay::system {
namespace {

std::string at(const Artifact* found) { return found ? found->way : "(none)"; }

TEST(Tree, FollowsLinksAsTheDeviceWould) {
  TreeBuilder builder;
  builder.program("bin/busybox").link("bin/sh", "busybox").link("sbin", "/usr/sbin").program("usr/sbin/httpd");
  builder.link("usr/bin/telnetd", "../../bin/busybox").hard_link("usr/bin/ls", "bin/busybox");
  const Tree tree = builder.tree();
  EXPECT_EQ(at(tree.find(0, "/bin/sh")), "squashfs/bin/busybox");
  EXPECT_EQ(at(tree.find(0, "sbin/httpd")), "squashfs/usr/sbin/httpd");
  EXPECT_EQ(at(tree.find(0, "/usr/bin/telnetd")), "squashfs/bin/busybox");
  EXPECT_EQ(at(tree.find(0, "/usr/bin/ls")), "squashfs/bin/busybox");
  EXPECT_EQ(at(tree.find(0, "/bin/../bin/./sh")), "squashfs/bin/busybox");
  EXPECT_EQ(at(tree.find_program(0, "httpd")), "squashfs/usr/sbin/httpd");
  EXPECT_EQ(at(tree.find(0, "/bin/nothing")), "(none)");
  EXPECT_EQ(at(tree.find(1, "/bin/sh")), "(none)");
}

TEST(Tree, EndsOnLinksThatTurnInCircles) {
  TreeBuilder builder;
  builder.link("a", "b").link("b", "a").link("c", "c/c/c");
  const Tree tree = builder.tree();
  EXPECT_EQ(at(tree.find(0, "/a")), "(none)");
  EXPECT_EQ(at(tree.find(0, "/c")), "(none)");
}

TEST(Tree, WalksThroughDirectoriesThatAreNotStored) {
  TreeBuilder builder("tar");
  builder.file("x/y/z", "1").file("x/raw\xff", "2");
  const Tree tree = builder.tree();
  EXPECT_EQ(at(tree.find(0, "/x/y/z")), "tar/x/y/z");
  EXPECT_EQ(at(tree.find(0, "/x/y")), "(none)");
  const Artifact* odd = tree.find(0, "/x/raw\\xff");
  ASSERT_TRUE(odd);
  EXPECT_EQ(tree.path_in_volume(*odd), "/x/raw\\xff");
  EXPECT_EQ(tree.content(*odd).text(), "2");
}

TEST(Tree, MountsOtherVolumes) {
  TreeBuilder builder("flash");
  builder.volume("part1", "squashfs").directory("system").link("etc/conf", "/system/conf");
  builder.volume("part2", "jffs2").file("conf/a", "x").link("init", "/bin/init");
  builder.artifacts();
  Tree tree = builder.tree();
  ASSERT_EQ(tree.volumes().size(), 2u);
  EXPECT_EQ(tree.volumes()[1].prefix, "flash/part2/jffs2/");
  EXPECT_EQ(at(tree.find(0, "/etc/conf/a")), "(none)");
  tree.mount(0, "/system/", 1);
  EXPECT_EQ(at(tree.find(0, "/etc/conf/a")), "flash/part2/jffs2/conf/a");
  EXPECT_EQ(at(tree.find(0, "/system")), "flash/part1/squashfs/system");
  EXPECT_EQ(at(tree.find(1, "/system/conf/a")), "flash/part2/jffs2/conf/a");  // of the root that mounts it
}

TEST(Tree, MatchesGlobs) {
  TreeBuilder builder;
  builder.file("etc/init.d/z", "").file("etc/init.d/a", "").file("etc/x/y/b.conf", "").link("etc/init.d/l", "a");
  const Tree tree = builder.tree();
  const auto scripts = tree.match(0, "/etc/init.d/*");
  ASSERT_EQ(scripts.size(), 2u);
  EXPECT_EQ(scripts[0]->way, "squashfs/etc/init.d/z");  // stored order
  EXPECT_EQ(tree.match(0, "**/*.conf").size(), 1u);
  EXPECT_EQ(tree.match(0, "/etc/**").size(), 3u);
  EXPECT_EQ(tree.match(0, "/etc/*").size(), 0u);
}

}  // namespace
}  // namespace assay::system
