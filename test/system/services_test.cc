// Services: one small tree a mechanism; the implanted listener of a real image, also under other names.
#include "test/system/image_tree.h"
#include "test/system/tree_builder.h"

#include <gtest/gtest.h>

namespace assay::system {
namespace {

Facts facts_of(Tree tree) {
  Facts out;
  for (const TreeAnalysis* analysis : tree_analyses()) {
    if (analysis->id == "mounts" || analysis->id == "startup" || analysis->id == "services") analysis->run(tree, out);
  }
  return out;
}

const Service* find(const Facts& facts, std::string_view program) {
  for (const Service& one : facts.services) {
    if (one.program == program) return &one;
  }
  return nullptr;
}

TreeBuilder booting(std::string_view script, std::string_view inittab = "") {
  TreeBuilder builder;
  builder.program("bin/busybox")
      .link("bin/sh", "busybox")
      .link("bin/login", "busybox")
      .link("sbin/init", "../bin/busybox");
  builder.file("etc/inittab", "::sysinit:/etc/rcS\n" + std::string(inittab));
  builder.program("etc/rcS", "#!/bin/sh\n" + std::string(script));
  for (const char* applet : {"telnetd", "tcpsvd", "ftpd", "httpd", "nc", "getty", "inetd", "udhcpd"})
    builder.link("usr/sbin/" + std::string(applet), "../../bin/busybox");
  return builder;
}

TEST(Services, TellShellsFromLogins) {
  TreeBuilder open = booting("telnetd -p 2323 -b 10.0.0.1 -l /bin/sh &\n");
  Facts facts = facts_of(open.tree());
  const Service* telnet = find(facts, "telnetd");
  ASSERT_TRUE(telnet);
  EXPECT_EQ(telnet->name, "telnet");
  EXPECT_EQ(telnet->port, 2323);
  EXPECT_EQ(telnet->port_source, "argument");
  EXPECT_EQ(telnet->bind, "10.0.0.1");
  EXPECT_TRUE(telnet->gives_shell);
  EXPECT_TRUE(telnet->started);
  EXPECT_EQ(telnet->asks_for_secret, Known::kNo);
  EXPECT_EQ(telnet->started_by, "squashfs/etc/rcS");
  TreeBuilder closed = booting("telnetd -l /bin/login\n");
  facts = facts_of(closed.tree());
  EXPECT_FALSE(find(facts, "telnetd")->gives_shell);
  EXPECT_EQ(find(facts, "telnetd")->asks_for_secret, Known::kYes);
  EXPECT_EQ(find(facts, "telnetd")->port_source, "default of the program");
  TreeBuilder script = booting("telnetd -l /bin/in.sh\n");
  script.program("bin/in.sh", "#!/bin/sh\nif grep -q x /etc/passwd; then exit 0; fi\nexec /bin/ash --login\n");
  facts = facts_of(script.tree());
  EXPECT_TRUE(find(facts, "telnetd")->gives_shell);
}

TEST(Services, KnowTwoMeaningsOfOneOption) {
  TreeBuilder builder = booting("if [ \"$1\" = start ]; then x; else telnetd -l /bin/login -u a:$sign -i br0 & fi\n");
  const Facts facts = facts_of(builder.tree());
  const Service* telnet = find(facts, "telnetd");
  ASSERT_TRUE(telnet);
  EXPECT_TRUE(telnet->started);
  EXPECT_EQ(telnet->interface, "br0");
  TreeBuilder once = booting("telnetd -i\n");
  EXPECT_FALSE(find(facts_of(once.tree()), "telnetd"));
}

TEST(Services, ReadSuperServersAndNetcat) {
  TreeBuilder builder = booting("tcpsvd -E 0.0.0.0 2121 ftpd -w /tmp &\nnc -l -p 4444 -e /bin/sh &\nudhcpd -f\n");
  const Facts facts = facts_of(builder.tree());
  const Service* ftp = find(facts, "ftpd");
  ASSERT_TRUE(ftp);
  EXPECT_EQ(ftp->name, "ftp");
  EXPECT_EQ(ftp->port, 2121);
  const Service* netcat = find(facts, "nc");
  ASSERT_TRUE(netcat);
  EXPECT_TRUE(netcat->gives_shell);
  EXPECT_EQ(netcat->port, 4444);
  EXPECT_EQ(find(facts, "udhcpd")->port, 67);
  TreeBuilder client = booting("nc 10.0.0.1 80\n");
  EXPECT_FALSE(find(facts_of(client.tree()), "nc"));
}

TEST(Services, ReadInetdWithAndWithoutInetd) {
  for (const bool runs : {true, false}) {
    TreeBuilder builder = booting(runs ? "inetd\n" : "true\n");
    builder.file("etc/inetd.conf", "telnet stream tcp nowait root /usr/sbin/telnetd telnetd -i\n");
    const Facts facts = facts_of(builder.tree());
    const Service* telnet = find(facts, "telnetd");
    ASSERT_TRUE(telnet);
    EXPECT_EQ(telnet->port, 23);
    EXPECT_EQ(telnet->port_source, "inetd");
    EXPECT_EQ(telnet->started, runs);
  }
}

TEST(Services, ReadTerminalLines) {
  TreeBuilder builder = booting("true\n",
                                "ttyS0::respawn:-/bin/sh\nttyS1::respawn:/sbin/getty -L ttyS1 115200\n"
                                "::respawn:/usr/sbin/getty -n -l /bin/sh 115200 ttyS2\n");
  builder.link("sbin/getty", "../bin/busybox");
  const Facts facts = facts_of(builder.tree());
  std::map<std::string, const Service*> lines;
  for (const Service& one : facts.services) {
    if (one.protocol == "serial") lines[one.bind] = &one;
  }
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_TRUE(lines["ttyS0"]->gives_shell);
  EXPECT_EQ(lines["ttyS0"]->asks_for_secret, Known::kNo);
  EXPECT_FALSE(lines["ttyS1"]->gives_shell);
  EXPECT_EQ(lines["ttyS1"]->asks_for_secret, Known::kYes);
  EXPECT_TRUE(lines["ttyS2"]->gives_shell);
}

TEST(Services, ReadPortsOfConfigurations) {
  TreeBuilder builder = booting("lighttpd -f /etc/l.conf\nsshd\nuhttpd -f $X\n");
  builder.program("usr/sbin/lighttpd").program("usr/sbin/sshd").program("usr/sbin/uhttpd");
  builder.file("etc/l.conf", "server.port = 8081 # here\nserver.username = \"www\"\n");
  builder.file("etc/ssh/sshd_config", "#Port 22\nPort 2222\n");
  builder.file("etc/config/uhttpd", "config uhttpd main\n list listen_http 0.0.0.0:80\n list listen_https [::]:443\n");
  const Facts facts = facts_of(builder.tree());
  EXPECT_EQ(find(facts, "lighttpd")->port, 8081);
  EXPECT_EQ(find(facts, "lighttpd")->user, "www");
  EXPECT_EQ(find(facts, "lighttpd")->port_source, "configuration");
  EXPECT_EQ(find(facts, "sshd")->port, 2222);
  ASSERT_GE(facts.services.size(), 4u);
  EXPECT_EQ(facts.services[3].name, "https");
  EXPECT_EQ(facts.services[3].bind, "[::]");
}

TEST(Services, ReadCodeOfProgramsNoTableKnows) {
  const auto service = [](std::vector<std::string> traits, std::vector<std::string> imports) {
    TreeBuilder builder = booting("/bin/zz &\n");
    builder.program("bin/zz").is_elf(
        {.machine = "mips", .is_program = true, .imports = std::move(imports), .traits = std::move(traits)});
    const Facts facts = facts_of(builder.tree());
    const Service* found = find(facts, "zz");
    return found ? *found : Service{};
  };
  const Service shell =
      service({"executes", "listens", "redirects-descriptors", "starts-shell"}, {"accept", "execve", "listen"});
  EXPECT_EQ(shell.port_source, "code");
  EXPECT_TRUE(shell.started);
  EXPECT_TRUE(shell.gives_shell);
  EXPECT_EQ(shell.asks_for_secret, Known::kNo);
  ASSERT_EQ(shell.more.size(), 1u);
  EXPECT_EQ(shell.more[0].artifact, "squashfs/bin/zz");
  EXPECT_EQ(shell.at.artifact, "squashfs/etc/rcS");
  EXPECT_FALSE(
      service({"executes", "listens", "starts-shell", "runs-command-lines"}, {"listen", "system"}).gives_shell);
  EXPECT_EQ(service({"listens-udp"}, {"bind"}).protocol, "udp");
  EXPECT_EQ(service({"executes"}, {"execve"}).name, "");
}

TEST(Services, NameRemoteAccessThatNothingStarts) {
  TreeBuilder builder = booting("true\n");
  const Facts facts = facts_of(builder.tree());
  const Service* telnet = find(facts, "telnetd");
  ASSERT_TRUE(telnet);
  EXPECT_FALSE(telnet->started);
  EXPECT_EQ(telnet->started_by, "");
  EXPECT_FALSE(find(facts, "httpd"));
}

void rename(ImageTree& image, std::string_view from, std::string_view to) {
  for (Artifact& artifact : image.artifacts) {
    if (!artifact.way.ends_with(from)) continue;
    for (Elf& elf : image.file_facts.elf) {
      if (elf.at.artifact == artifact.way) elf.at.artifact.replace(artifact.way.size() - from.size(), from.size(), to);
    }
    artifact.way.replace(artifact.way.size() - from.size(), from.size(), to);
    artifact.node.path.replace(artifact.node.path.size() - from.size(), from.size(), to);
  }
  for (std::string& content : image.contents) {
    const size_t at = content.starts_with("#!") ? content.find(from) : std::string::npos;
    if (at != std::string::npos) content.replace(at, from.size(), to);
  }
}

TEST(ServicesImages, StateTheImplantedListenerUnderAnyName) {
  for (const bool renamed : {false, true}) {
    ImageTree image = squashfs_tree("tplink-wr841nv14-backdoored.bin", 1049088);
    if (!image.why_not.empty()) GTEST_SKIP() << image.why_not;
    if (renamed) rename(image, "bin/backdoor", "bin/wlanctl");
    const Facts facts = facts_of(image.tree());
    const Service* found = find(facts, renamed ? "wlanctl" : "backdoor");
    ASSERT_TRUE(found);
    EXPECT_TRUE(found->started);
    EXPECT_TRUE(found->gives_shell);
    EXPECT_FALSE(found->conditional);
    EXPECT_EQ(found->asks_for_secret, Known::kNo);
    EXPECT_TRUE(found->at.artifact.ends_with("/etc/init.d/rcS"));
  }
}

TEST(ServicesImages, StateNoShellOfStockPrograms) {
  struct Sample {
    const char* name;
    uint64_t offset;
  };
  for (const Sample sample : {Sample{"tplink-wr841nv14-eu-stock.bin", 1049088},
                              {"tplink-wr841nv11-stock.bin", 1180160},
                              {"netgear-wnr2000v5-1.0.0.78.img", 852096},
                              {"linksys-wrt54gv4.bin", 700660}}) {
    ImageTree image = squashfs_tree(sample.name, sample.offset);
    if (!image.why_not.empty()) GTEST_SKIP() << image.why_not;
    const Facts facts = facts_of(image.tree());
    for (const Service& one : facts.services)
      EXPECT_FALSE(one.gives_shell && one.protocol != "serial") << sample.name << one.program;
  }
}

}  // namespace
}  // namespace assay::system
