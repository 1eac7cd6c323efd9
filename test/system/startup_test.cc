// What starts by itself: one small tree a mechanism, and the chains of real images.
#include "system/startup.h"
#include "test/system/image_tree.h"
#include "test/system/tree_builder.h"

#include <gtest/gtest.h>

namespace assay::system {
namespace {

Facts facts_of(Tree tree) {
  Facts out;
  for (const TreeAnalysis* analysis : tree_analyses()) {
    if (analysis->id == "mounts" || analysis->id == "startup") analysis->run(tree, out);
  }
  return out;
}

const Startup* find(const Facts& facts, std::string_view program) {
  for (const Startup& one : facts.startup) {
    if (one.program == program) return &one;
  }
  return nullptr;
}

TreeBuilder with_rcs(std::string_view script) {
  TreeBuilder builder;
  builder.program("bin/busybox").link("sbin/init", "../bin/busybox").link("bin/sh", "busybox");
  builder.link("usr/sbin/telnetd", "../../bin/busybox").program("usr/sbin/x").program("usr/sbin/y");
  builder.file("etc/inittab", "::sysinit:/etc/init.d/rcS\n#::respawn:/usr/sbin/y\nttyS0::askfirst:-/bin/sh\n");
  builder.program("etc/init.d/rcS", std::string("#!/bin/sh\n") + std::string(script));
  return builder;
}

TEST(Startup, FollowsTheChainFromTheKernelDown) {
  TreeBuilder builder = with_rcs("telnetd -l /bin/sh &\n/etc/more.sh\n");
  builder.program("etc/more.sh", "#!/bin/sh\nPORT=8080\nx -p $PORT\n");
  const Facts facts = facts_of(builder.tree());
  ASSERT_EQ(facts.startup.size(), 6u);
  EXPECT_EQ(facts.startup[0].mechanism, "kernel");
  EXPECT_EQ(facts.startup[1].program, "/etc/init.d/rcS");
  EXPECT_EQ(facts.startup[1].event, "sysinit");
  const Startup* telnet = find(facts, "telnetd");
  ASSERT_TRUE(telnet);
  EXPECT_EQ(telnet->arguments, "-l /bin/sh");
  EXPECT_EQ(telnet->resolves_to, "squashfs/bin/busybox");
  EXPECT_EQ(telnet->started_by, "squashfs/etc/init.d/rcS");
  EXPECT_EQ(telnet->at.offset, 10u);
  EXPECT_FALSE(telnet->conditional);
  const Startup* x = find(facts, "x");
  ASSERT_TRUE(x);
  EXPECT_EQ(x->arguments, "-p 8080");
  EXPECT_EQ(x->started_by, "squashfs/etc/more.sh");
  EXPECT_FALSE(find(facts, "/usr/sbin/y"));  // a comment
  EXPECT_EQ(facts.startup[5].event, "askfirst");
  EXPECT_EQ(facts.startup[5].resolves_to, "squashfs/bin/busybox");
}

TEST(Startup, SaysThatAnInitWithoutTablesDecidesInItsCode) {
  TreeBuilder builder;
  builder.program("sbin/rc").link("sbin/init", "rc").program("usr/sbin/httpd");
  const Facts hidden = facts_of(builder.tree());
  ASSERT_EQ(hidden.startup.size(), 1u);
  ASSERT_EQ(hidden.problems.size(), 1u);
  EXPECT_EQ(hidden.problems[0].artifact, "squashfs/sbin/rc");
  EXPECT_EQ(hidden.problems[0].fault, Fault::kUnsupported);
  EXPECT_EQ(facts_of(with_rcs("x\n").tree()).problems.size(), 0u);
}

TEST(Startup, ReadsAndroidsInit) {
  TreeBuilder builder;
  builder.program("init")
      .program("bin/adbd")
      .program("bin/sh")
      .program("bin/vold")
      .program("bin/hw/late")
      .program("bin/one");
  builder.file("etc/init/hw/init.rc",
               "# comment\nimport /x.rc\non late-init\n    trigger boot\non boot && property:a=b\n    start undecided\n"
               "on boot\n    class_start core\n    exec - root -- /vendor/bin/one -a \"b c\"\n    exec /bin/none\n"
               "on property:sys.usb.config=adb\n    start adbd\n    class_start late\non charger\n    start charger\n");
  builder.file("etc/init/more.rc",
               "service adbd /bin/adbd --root_seclabel=u:r:su:s0\n    class core\n    disabled\n    user shell\n"
               "service vold /bin/vold \\\n   --blkid\n    class core animation\nservice shell /bin/sh\n"
               "service undecided /bin/sh -u\n  disabled\nservice charger /bin/sh -c2\n  disabled\n"
               "service late /vendor/bin/hw/late\n  class late\n");
  const Facts facts = facts_of(builder.tree());
  EXPECT_EQ(facts.problems.size(), 0u);  // /init is a program, and its tables are read
  const auto line = [&](std::string_view arguments, std::string_view program) -> std::string {
    for (const Startup& one : facts.startup)
      if (one.program == program && one.arguments == arguments)
        return one.user + " " + one.when + (one.conditional ? "?" : "") + " " + one.resolves_to;
    return "absent";
  };
  EXPECT_EQ(line("--blkid", "/bin/vold"), "root boot squashfs/bin/vold");
  EXPECT_EQ(line("--root_seclabel=u:r:su:s0", "/bin/adbd"), "shell property:sys.usb.config=adb? squashfs/bin/adbd");
  EXPECT_EQ(line("-a b c", "/bin/one"), "root boot squashfs/bin/one");
  EXPECT_EQ(line("-u", "/bin/sh"), "root boot && property:a=b? squashfs/bin/sh");
  EXPECT_EQ(line("-c2", "/bin/sh"), "root charger? squashfs/bin/sh");
  EXPECT_EQ(line("", "/bin/hw/late"), "root property:sys.usb.config=adb? squashfs/bin/hw/late");
  EXPECT_EQ(line("", "/bin/sh"), "absent");  // its class is never started
  EXPECT_EQ(line("", "/bin/none"), "absent");
}

// Each of many classes started by each of many actions: what a budget leaves out is stated.
TEST(Startup, AndroidsInitHasABudget) {
  std::string tables = "on init\n  trigger a0\n";
  for (int i = 0; i < 4000; ++i)
    tables += "on a" + std::to_string(i) + "\n trigger a" + std::to_string(i + 1) + "\n class_start core\n";
  for (int i = 0; i < 4000; ++i) tables += "service s" + std::to_string(i) + " /bin/x\n class core\n";
  TreeBuilder builder;
  builder.program("bin/x").file("init.rc", tables);
  const Facts facts = facts_of(builder.tree());
  EXPECT_GE(facts.startup.size(), 4000u);
  ASSERT_EQ(facts.problems.size(), 1u);
  EXPECT_EQ(facts.problems[0].fault, Fault::kLimit);
}

TEST(Startup, MarksWhatHangsOnSomethingUndecided) {
  TreeBuilder builder = with_rcs(
      "if [ \"$(nvram get a)\" = 1 ]; then A=1; x -1; fi\nx -2 $A\n[ -x /usr/sbin/y ] && y -3\n"
      "if [ -f /tmp/flag ]; then y -4; fi\ncase stop in start) y -5;; esac\n[ -f /tmp/no ] && exit 0\ny -6\n");
  const Facts facts = facts_of(builder.tree());
  const auto conditional = [&](std::string_view arguments) {
    for (const Startup& one : facts.startup) {
      if (one.arguments == arguments) return one.conditional ? "yes" : "no";
    }
    return "absent";
  };
  EXPECT_STREQ(conditional("-1"), "yes");
  EXPECT_STREQ(conditional("-2 $A"), "no");  // and the value set below the branch is not believed after it
  EXPECT_STREQ(conditional("-3"), "no");
  EXPECT_STREQ(conditional("-4"), "yes");
  EXPECT_STREQ(conditional("-5"), "absent");
  EXPECT_STREQ(conditional("-6"), "yes");  // after an exit that may happen
}

TEST(Startup, EndsOnScriptsThatCallThemselves) {
  TreeBuilder builder = with_rcs("/etc/a.sh 1\nf() { f; g; }\ng() { f; }\nf\n. /etc/a.sh\n");
  builder.program("etc/a.sh", "#!/bin/sh\n/etc/a.sh x$1\n. /etc/a.sh\n/etc/b.sh\n").program("etc/b.sh", "/etc/a.sh\n");
  const Facts facts = facts_of(builder.tree());
  EXPECT_TRUE(find(facts, "/etc/a.sh"));
  EXPECT_LT(facts.startup.size(), 200u);
}

TEST(Startup, ReadsProcdAndRcLinks) {
  TreeBuilder builder;
  builder.program("etc/init.d/web",
                  "#!/bin/sh /etc/rc.common\nSTART=50\nUSE_PROCD=1\nPROG=/usr/sbin/webd\nstart_service() {\n"
                  " procd_open_instance\n procd_set_param command \"$PROG\" -f\n procd_append_param command -p 81\n"
                  " procd_close_instance\n}\n");
  builder.program("etc/init.d/off", "#!/bin/sh /etc/rc.common\nstart() {\n /usr/sbin/offd\n}\n");
  builder.program("etc/init.d/old",
                  "#!/bin/sh /etc/rc.common\nstart() {\n config_load old\n config_foreach one old\n}\n"
                  "one() {\n config_get P $1 port 22\n oldd -p $P\n}\n");
  builder.file("etc/config/old", "config old\n\toption port '2222'\n").program("etc/rc.common", "#!/bin/sh\n");
  builder.program("usr/sbin/webd").program("usr/sbin/offd").program("usr/sbin/oldd");
  builder.link("etc/rc.d/S50web", "../init.d/web")
      .link("etc/rc.d/S60old", "../init.d/old")
      .link("etc/rc.d/K10off", "../init.d/off");
  const Facts facts = facts_of(builder.tree());
  const Startup* web = find(facts, "/usr/sbin/webd");
  ASSERT_TRUE(web);
  EXPECT_EQ(web->mechanism, "procd");
  EXPECT_EQ(web->arguments, "-f -p 81");
  const Startup* old = find(facts, "oldd");
  ASSERT_TRUE(old);
  EXPECT_EQ(old->arguments, "-p 2222");
  EXPECT_EQ(old->mechanism, "init.d");
  EXPECT_FALSE(find(facts, "/usr/sbin/offd"));
}

TEST(Startup, ReadsSystemd) {
  TreeBuilder builder;
  builder.file("lib/systemd/system/a.service", "[Service]\nUser=www\nExecStart=-/usr/bin/a --x\n");
  builder.file("lib/systemd/system/b.service", "[Service]\nExecStart=/usr/bin/b\n");
  builder.file("lib/systemd/system/t.timer", "[Timer]\nOnCalendar=daily\n");
  builder.file("lib/systemd/system/t.service", "[Service]\nExecStart=/usr/bin/t\n");
  builder.program("usr/bin/a").program("usr/bin/b").program("usr/bin/t");
  builder.link("etc/systemd/system/multi-user.target.wants/a.service", "/lib/systemd/system/a.service");
  builder.link("etc/systemd/system/timers.target.wants/t.timer", "/lib/systemd/system/t.timer");
  const Facts facts = facts_of(builder.tree());
  const Startup* a = find(facts, "/usr/bin/a");
  ASSERT_TRUE(a);
  EXPECT_EQ(a->user, "www");
  EXPECT_EQ(a->arguments, "--x");
  EXPECT_FALSE(find(facts, "/usr/bin/b"));
  const Startup* t = find(facts, "/usr/bin/t");
  ASSERT_TRUE(t);
  EXPECT_EQ(t->event, "timer");
  EXPECT_EQ(t->when, "daily");
}

TEST(Startup, ReadsTablesOfEvents) {
  TreeBuilder builder;
  builder.file("etc/inetd.conf",
               "#ftp stream tcp nowait root ftpd\ntelnet stream tcp nowait root /usr/sbin/telnetd telnetd -i\n");
  builder.file("etc/xinetd.d/ftp",
               "service ftp\n{\n disable = no\n user = ftp\n server = /usr/sbin/ftpd\n server_args = -w\n}\n");
  builder.file("etc/crontabs/root", "*/5 * * * * /usr/bin/up >/dev/null\n@reboot /usr/bin/once\n");
  builder.file("etc/mdev.conf", "sd[a-z] 0:0 660 @/etc/sd.sh in\n").program("etc/sd.sh", "#!/bin/sh\n");
  builder.file("etc/udev/rules.d/1.rules", "SUBSYSTEM==\"usb\", RUN+=\"/usr/bin/up usb\"\n").program("usr/bin/up");
  const Facts facts = facts_of(builder.tree());
  ASSERT_EQ(facts.startup.size(), 6u);
  EXPECT_EQ(facts.startup[0].when, "tcp/telnet");
  EXPECT_EQ(facts.startup[0].arguments, "-i");
  EXPECT_EQ(facts.startup[1].mechanism, "xinetd");
  EXPECT_EQ(facts.startup[1].user, "ftp");
  EXPECT_EQ(facts.startup[2].when, "*/5 * * * *");
  EXPECT_EQ(facts.startup[2].user, "root");
  EXPECT_EQ(facts.startup[3].event, "boot");
  EXPECT_EQ(facts.startup[4].mechanism, "mdev");
  EXPECT_EQ(facts.startup[5].when, "usb");
}

TEST(Mounts, PutPartitionsWhereTheScriptsSay) {
  TreeBuilder builder("flash");
  builder.facts.boot.push_back({.kind = "bootargs",
                                .name = "bootargs",
                                .value = "root=/dev/mtdblock1 mtdparts=chip:64k(boot),64k(root),128k(system)"});
  builder.volume("part1", "squashfs", 0x10000).program("bin/busybox").link("linuxrc", "bin/busybox");
  builder.file("etc/inittab", "::sysinit:/etc/rcS\n")
      .program("etc/rcS", "#!/bin/sh\nmount -t jffs2 /dev/mtdblock2 /system\n/system/go.sh\n");
  builder.volume("part2", "jffs2", 0x20000).program("go.sh", "#!/bin/sh\n/system/bin/camd &\n").program("bin/camd");
  const Facts facts = facts_of(builder.tree());
  ASSERT_EQ(facts.mounts.size(), 1u);
  EXPECT_EQ(facts.mounts[0].target, "/system");
  const Startup* camera = find(facts, "/system/bin/camd");
  ASSERT_TRUE(camera);
  EXPECT_EQ(camera->resolves_to, "flash/part2/jffs2/bin/camd");
  EXPECT_EQ(camera->started_by, "flash/part2/jffs2/go.sh");
}

TEST(StartupImages, StateTheStartOfARouter) {
  ImageTree image = squashfs_tree("tplink-wr841nv14-eu-stock.bin", 1049088);
  if (!image.why_not.empty()) GTEST_SKIP() << image.why_not;
  const Facts facts = facts_of(image.tree());
  const Startup* program = find(facts, "cos");
  ASSERT_TRUE(program);
  EXPECT_TRUE(program->started_by.ends_with("/etc/init.d/rcS"));
  EXPECT_TRUE(program->resolves_to.ends_with("/usr/bin/cos"));
}

TEST(StartupImages, StateTheStartOfOpenWrt) {
  ImageTree image = squashfs_tree("openwrt-wrt54g-trx.bin", 893984);
  if (!image.why_not.empty()) GTEST_SKIP() << image.why_not;
  const Facts facts = facts_of(image.tree());
  for (const char* program : {"telnetd", "/usr/sbin/uhttpd", "/usr/sbin/dropbear", "/usr/sbin/dnsmasq"}) {
    ASSERT_TRUE(find(facts, program)) << program;
    EXPECT_EQ(find(facts, program)->mechanism, "init.d");
  }
}

}  // namespace
}  // namespace assay::system
