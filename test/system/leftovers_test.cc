// Leftovers of development and of emulation.
#include "test/system/image_tree.h"
#include "test/system/tree_builder.h"

#include <gtest/gtest.h>

namespace assay::system {
namespace {

Facts facts_of(Tree tree) {
  Facts out;
  for (const TreeAnalysis* analysis : tree_analyses()) {
    if (analysis->id == "startup" || analysis->id == "leftovers") analysis->run(tree, out);
  }
  return out;
}

std::vector<std::string> kinds(const Facts& facts) {
  std::vector<std::string> found;
  for (const Leftover& one : facts.leftovers) found.push_back(one.kind + " " + std::to_string(one.count));
  return found;
}

TEST(Leftovers, NameWhatDevelopmentLeaves) {
  TreeBuilder builder;
  builder.file("src/a.c", "int a;")
      .file("src/b.c", "int b;")
      .file("etc/.rc.swp", "x")
      .file("etc/net.conf", "1")
      .file("etc/net.conf.bak", "1");
  builder.program("usr/bin/gdbserver").is_elf({.is_program = true}).program("usr/bin/gcc").is_elf({.is_program = true});
  builder.file("lib/x.o", "").is_elf({.type = "relocatable"}).file("core", "").is_elf({.type = "core"});
  builder.file("www/.svn/entries", "10").file("www/.svn/all", "1").file("etc/snmpd.conf.sample", "x");
  builder.file("lib/modules/2.4/a.o", "").is_elf({.type = "relocatable"});
  EXPECT_EQ(kinds(facts_of(builder.tree())),
            (std::vector<std::string>{"compiler 1", "core-dump 1", "debugger 1", "editor 2", "object 1", "sample 1",
                                      "source 2", "version-control 2"}));
}

TEST(Leftovers, LeaveAloneWhatScriptsUse) {
  TreeBuilder builder;
  builder.file("etc/passwd", "")
      .file("etc/passwd.bak", "x")
      .program("sbin/x", "#!/bin/sh\ncp /etc/passwd.bak /var/passwd\n");
  builder.file("etc/ca.pem.orig", "x").link("usr/bin/strace", "../../bin/busybox").file("www/app.js", "x");
  EXPECT_TRUE(kinds(facts_of(builder.tree())).empty());
}

TreeBuilder emulated(std::string_view folder, std::string_view rcs) {
  TreeBuilder builder;
  builder.program("bin/busybox").link("sbin/init", "../bin/busybox").file("etc/inittab", "::sysinit:/etc/rcS\n");
  builder.program("etc/rcS", "#!/bin/sh\n" + std::string(rcs));
  builder.file(std::string(folder) + "/libx.so", "")
      .is_elf(
          {.type = "shared", .exports = {"acosNvramConfig_get", "apmib_get", "nvram_get", "nvram_init", "nvram_set"}});
  builder.file(std::string(folder) + "/values", "a=b");
  return builder;
}

TEST(Leftovers, NameAnEmulatorsFolderUnderAnyName) {
  for (const char* folder : {"firmadyne", "qemu/run", "opt/y"}) {
    TreeBuilder builder = emulated(folder, "true\n");
    const Facts facts = facts_of(builder.tree());
    ASSERT_EQ(kinds(facts), std::vector<std::string>{"emulation 2"});
    EXPECT_TRUE(facts.leftovers[0].at.artifact.ends_with("/libx.so"));
  }
  TreeBuilder used = emulated("opt/y", "LD_PRELOAD=/opt/y/libx.so /bin/busybox httpd\n");
  used.link("bin/httpd", "busybox");
  EXPECT_TRUE(kinds(facts_of(used.tree())).empty());
  TreeBuilder own = emulated("usr/lib", "true\n");  // a product's own library
  EXPECT_TRUE(kinds(facts_of(own.tree())).empty());
}

TEST(Leftovers, CountAWorkstationsDeviceNodes) {
  TreeBuilder builder;
  builder.device("dev/console", 5, 1)
      .device("dev/a", 10, 232)
      .device("dev/b", 10, 228)
      .device("dev/c", 10, 224)
      .device("dev/d", 89, 0);
  for (Artifact& artifact : builder.artifacts())
    artifact.node.mtime = artifact.way.ends_with("console") ? 1'000'000 : 9'000'000;
  const Facts facts = facts_of(builder.tree());
  ASSERT_EQ(kinds(facts), std::vector<std::string>{"emulation 4"});
  TreeBuilder product;
  for (uint32_t i = 0; i < 16; ++i)
    product.device("dev/tty" + std::to_string(i), 4, i).device("dev/m" + std::to_string(i), 90, i);
  EXPECT_TRUE(kinds(facts_of(product.tree())).empty());
}

TEST(LeftoversImages, NameTheEmulatorOfTheChangedImageOnly) {
  ImageTree image = squashfs_tree("tplink-wr841nv14-backdoored.bin", 1049088);
  if (!image.why_not.empty()) GTEST_SKIP() << image.why_not;
  const Facts facts = facts_of(image.tree());
  EXPECT_EQ(kinds(facts), std::vector<std::string>{"emulation 208"});  // 2 files, 206 nodes that the stock image lacks
  ImageTree stock = squashfs_tree("tplink-wr841nv14-eu-stock.bin", 1049088);
  EXPECT_TRUE(kinds(facts_of(stock.tree())).empty());
}

}  // namespace
}  // namespace assay::system
