// Credentials, permissions, settings, firewall rules, packages, boot and update facts of small trees.
#include "test/system/tree_builder.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace assay::system {

namespace {

Facts run(std::string_view id, TreeBuilder& builder) {
  Tree tree = builder.tree();
  Facts facts;
  analysis(id).run(tree, facts);
  return facts;
}

std::vector<std::string> text_of(const std::vector<Credential>& found) {
  std::vector<std::string> out;
  for (const Credential& c : found)
    out.push_back(c.kind + " " + c.name + " " + c.account + " " + c.value + " " + c.access);
  return out;
}

TEST(Credentials, OfConfigurationFiles) {
  TreeBuilder builder;
  builder.file("etc/snmp/snmpd.conf",
               "rocommunity public default\nrwcommunity6 s3cret\ncom2sec local default private\n#rocommunity no\n"
               "rocommunity $RO\n");
  builder.file("etc/config/wireless",
               "config wifi-iface\n\toption ssid 'x'\n\toption key 'wifi-secret'\n\toption encryption 'psk2'\n");
  builder.file("etc/wpa_supplicant.conf", "network={\n\tssid=\"a\"\n\tpsk=\"longenough\"\n}\n");
  builder.file("etc/RT2860AP.dat", "#x\nDefault\nWPAPSK1=12345678\nKey1Str1=abcde\nKey1Type=0\nWscPinCode=12345670\n");
  builder.file("etc/ppp/chap-secrets", "# client\nuser * \"pass word\" *\nnobody * $X *\n");
  builder.file("etc/tr.xml", "<ManagementServer><Username>acs</Username><Password>acspw</Password></ManagementServer>");
  builder.file("etc/init.d/rcS",
               "#!/bin/sh\nnvram set snmp_rwcommunity=writer\nuci set wireless.@wifi-iface[0].key=scriptkey\n");
  const Facts facts = run("credentials", builder);
  EXPECT_EQ(
      text_of(facts.credentials),
      (std::vector<std::string>{
          "snmp-community rocommunity  public ro", "snmp-community rwcommunity6  s3cret rw",
          "snmp-community com2sec local private ", "ppp * user pass word ",
          "snmp-community snmp_rwcommunity  writer rw", "wifi-psk wireless.@wifi-iface[0]/key  scriptkey ",
          "wifi-psk wifi-iface/key  wifi-secret ", "wifi-psk network/psk  longenough ", "wifi-psk WPAPSK1  12345678 ",
          "wep-key Key1Str1  abcde ", "wps-pin WscPinCode  12345670 ", "tr069 ManagementServer/Password acs acspw "}));
  EXPECT_EQ(facts.credentials[0].at.artifact, "squashfs/etc/snmp/snmpd.conf");
  EXPECT_EQ(facts.credentials[6].at.shows, "option key 'wifi-secret'");
}

TEST(Credentials, StaySilentOnPagesScriptsAndNamesAboutPasswords) {
  TreeBuilder builder;
  builder.file("www/lang.json", R"({"password":"Password must not be empty","user":"User"})");
  builder.file("www/a.html", "<input name=\"password\" value=\"abcdefgh\">");
  builder.file("etc/config/dropbear", "config dropbear\n\toption PasswordAuth 'on'\n");
  builder.file("etc/config/luci", "config extern flash_keep\n\toption passwd \"/etc/passwd\"\n");
  builder.file("usr/bin/x.sh", "#!/bin/sh\nPASSWORD=hunter22\n");
  EXPECT_EQ(text_of(run("credentials", builder).credentials), std::vector<std::string>{});
}

TEST(Credentials, OfNulSeparatedDefaults) {
  TreeBuilder builder;
  using namespace std::literals;
  builder.file("etc/nvram_default.bin", "lan=1\0wan=2\0wl_wpa_psk=secret-psk\0x_y=4\0wifi=1\0"sv);
  const Facts facts = run("credentials", builder);
  ASSERT_EQ(text_of(facts.credentials), std::vector<std::string>{"wifi-psk wl_wpa_psk  secret-psk "});
  EXPECT_EQ(facts.credentials[0].at.offset, 12u);
}

TEST(Permissions, ModesCapabilitiesAndDevices) {
  using namespace std::literals;
  TreeBuilder builder;
  builder.file("bin/su", "x", 04755).file("bin/wall", "x", 02755).file("etc/rw", "x", 0666).file("bin/off", "x", 04644);
  builder.directory("tmp", 01777).directory("share", 0777).link("l", "x").device("dev/mtd0", 90, 0);
  builder.file("bin/ping", "x", 0755);
  builder.artifacts().back().node.xattrs = {
      {"security.capability", std::string("\x01\0\0\x02\0\x20\0\0\0\0\0\0\0\0\0\0\0\0\0\0"sv)}};
  builder.file("bin/cut", "x", 0755);
  builder.artifacts().back().node.xattrs = {{"security.capability", std::string("\x01\0\0\x02\0\x20"sv)}};
  const Facts facts = run("permissions", builder);
  std::vector<std::string> found;
  for (const Permission& p : facts.permissions) found.push_back(p.kind + " " + p.at.artifact + " " + p.detail);
  EXPECT_EQ(found, (std::vector<std::string>{
                       "setuid squashfs/bin/su ", "setgid squashfs/bin/wall ", "world-writable-file squashfs/etc/rw ",
                       "world-writable-directory squashfs/share ", "device-node squashfs/dev/mtd0 char 90:0",
                       "capabilities squashfs/bin/ping cap_net_raw+ep"}));
  ASSERT_EQ(facts.problems.size(), 1u);
  EXPECT_EQ(facts.problems[0].artifact, "squashfs/bin/cut");
}

TEST(Settings, OfKernelAndPrograms) {
  TreeBuilder builder;
  builder.file("etc/sysctl.conf", "# c\nnet.ipv4.ip_forward = 1\nnet/ipv4/tcp_syncookies=0\n");
  builder.file("etc/init.d/rcS",
               "#!/bin/sh\necho 0 > /proc/sys/kernel/randomize_va_space\nsysctl -w kernel.dmesg_restrict=0\n"
               "#echo 1 > /proc/sys/no/no\necho $X > /proc/sys/a/b\numask 000\ndropbear -B -p 22\n");
  builder.file("etc/ssh/sshd_config", "PermitRootLogin yes\n#PermitEmptyPasswords no\nPort=2222\n");
  builder.file("etc/samba/smb.conf", "[global]\n map to guest = Bad User\n");
  builder.file("system/build.prop", "# ro.secure=1\nro.product.name=x\nro.debuggable=1\n ro.adb.secure = 0\n");
  const Facts facts = run("settings", builder);
  std::vector<std::string> found;
  for (const Setting& s : facts.settings) found.push_back(s.kind + " " + s.name + "=" + s.value);
  EXPECT_EQ(found,
            (std::vector<std::string>{"sysctl net.ipv4.ip_forward=1", "sysctl net.ipv4.tcp_syncookies=0",
                                      "sysctl kernel.randomize_va_space=0", "sysctl kernel.dmesg_restrict=0",
                                      "profile umask=000", "ssh PermitEmptyPasswords=yes", "ssh PermitRootLogin=yes",
                                      "ssh Port=2222", "samba [global]/map to guest=Bad User",
                                      "property ro.debuggable=1", "property ro.adb.secure=0"}));
}

TEST(Firewall, CommandsSavedRulesNftAndUci) {
  TreeBuilder builder;
  builder.file("etc/fw.sh",
               "#!/bin/sh\niptables -P INPUT ACCEPT\niptables -t nat -A PREROUTING -i eth0 -p tcp --dport 23 -j "
               "DROP\niptables -F\n");
  builder.file("etc/iptables.rules",
               "*filter\n:INPUT DROP [0:0]\n:x - [0:0]\n-A INPUT -s 10.0.0.0/8 -p udp --dport 161 -j ACCEPT\nCOMMIT\n");
  builder.file("etc/nftables.conf",
               "table inet fw {\n chain input {\n  type filter hook input priority 0; policy drop;\n  tcp dport 22 "
               "accept\n }\n}\n");
  builder.file("etc/config/firewall",
               "config zone\n\toption name wan\n\toption input ACCEPT\nconfig rule\n\toption src wan\n\toption "
               "dest_port 22\n\toption target ACCEPT\n");
  const Facts facts = run("firewall", builder);
  std::vector<std::string> found;
  for (const FirewallRule& r : facts.firewall)
    found.push_back(r.tool + "|" + r.table + "|" + r.chain + "|" + r.action + "|" + r.protocol + "|" + r.port + "|" +
                    r.source + "|" + r.interface);
  EXPECT_EQ(found, (std::vector<std::string>{
                       "iptables|filter|INPUT|ACCEPT||||", "iptables|nat|PREROUTING|DROP|tcp|23||eth0",
                       "iptables|filter|INPUT|DROP||||", "iptables|filter|INPUT|ACCEPT|udp|161|10.0.0.0/8|",
                       "nft|fw|input|drop||||", "nft|fw|input|accept|tcp|22||", "uci|zone|input|ACCEPT|||wan|",
                       "uci|rule|input|ACCEPT||22|wan|"}));
}

TEST(Packages, DatabasesAndDistribution) {
  TreeBuilder builder;
  builder.file("etc/os-release", "NAME=\"Foo\"\nID=foo\nVERSION_ID=\"1.2\"\n");
  builder.file("var/lib/dpkg/status",
               "Package: bash\nStatus: install ok installed\nArchitecture: armhf\nVersion: 5.1-2\n\n"
               "Package: gone\nStatus: deinstall ok config-files\nVersion: 1\n");
  builder.file("usr/lib/opkg/status",
               "Package: libc\nVersion: 0.9+x\nStatus: install user installed\nArchitecture: mips\n\n");
  builder.file("usr/lib/opkg/info/libc.control", "Package: libc\nVersion: 0.9+x\nArchitecture: mips\n");
  builder.file("lib/apk/db/installed", "C:Q1\nP:musl\nV:1.2.3-r0\nA:x86_64\n\nP:b\nV:2\n");
  builder.file("var/lib/rpm/Packages", "x");
  const Facts facts = run("packages", builder);
  std::vector<std::string> found;
  for (const Component& c : facts.components) found.push_back(c.how + " " + c.purl);
  EXPECT_EQ(found,
            (std::vector<std::string>{"version-string pkg:generic/foo@1.2", "dpkg pkg:deb/foo/bash@5.1-2?arch=armhf",
                                      "opkg pkg:opkg/libc@0.9%2Bx?arch=mips",
                                      "apk pkg:apk/foo/musl@1.2.3-r0?arch=x86_64", "apk pkg:apk/foo/b@2"}));
  ASSERT_EQ(facts.problems.size(), 1u);
}

std::vector<std::string> text_of(const std::vector<Boot>& found) {
  std::vector<std::string> out;
  for (const Boot& b : found) out.push_back(b.kind + " " + b.name + "=" + b.value);
  return out;
}

TEST(Boot, NotesOptionsAndDefaultEnvironment) {
  using namespace std::literals;
  TreeBuilder builder;
  builder.facts.format_notes = {
      {"uboot-env", "env bootdelay", "3", {}},
      {"uboot-env", "crc32", "valid", {}},
      {"dtb", "bootargs", "console=ttyS0,115200 root=/dev/sda roothash=ab", {}},
      {"fit", "kernel hash-1 sha256", "valid", {}},
      {"fit", "configuration conf-1 signature-1", "not checked: key dev, sha256,rsa2048", {}}};
  builder.facts.kernel_options = {{"CONFIG_MODULE_SIG", "n", {}}};
  const std::string loader = std::string(100, '\x90') + '\0' + "bootargs=console=ttyS1 init=/linuxrc"s + '\0' +
                             "bootcmd=run a"s + '\0' + "bootdelay=1"s + '\0' + '\0' + std::string(50, '\x91') +
                             "\0bootcmd=\x01";
  builder.volume("u-boot", "").file("etc/fw_env.config", "# dev\n/dev/mtd1 0x0 0x1000\n");
  Tree tree(builder.artifacts(), builder.facts, [&](const Artifact& a) {
    if (a.node.kind == Kind::kFile) return Bytes("# dev\n/dev/mtd1 0x0 0x1000\n"sv);
    return a.node.path == "u-boot" ? Bytes(loader) : Bytes();
  });
  builder.artifacts().back().parent = 0;  // the loader is a leaf
  Facts facts;
  analysis("boot").run(tree, facts);
  const auto found = text_of(facts.boot);
  // With a part of its own (a device tree) it is read where its format is U-Boot's; what another format opened is not.
  builder.artifacts().back().parent = 1;
  for (const auto& [format, size] : {std::pair<std::string, size_t>{"uboot", 13}, {"squashfs", 8}}) {
    builder.artifacts()[1].format = format;
    Facts again;
    analysis("boot").run(tree, again);
    EXPECT_EQ(again.boot.size(), size) << format;
  }
  for (const std::string_view want :
       {"bootdelay bootdelay=3", "bootargs bootargs=console=ttyS0,115200 root=/dev/sda roothash=ab",
        "console console=ttyS0,115200", "dm-verity roothash=ab", "image-hash kernel hash-1 sha256=valid",
        "image-signature configuration conf-1 signature-1=not checked: key dev, sha256,rsa2048",
        "module-signing CONFIG_MODULE_SIG=n", "bootargs bootargs=console=ttyS1 init=/linuxrc", "console console=ttyS1",
        "init init=/linuxrc", "bootcmd bootcmd=run a", "bootdelay bootdelay=1",
        "environment fw_env.config=/dev/mtd1 0x0 0x1000"})
    EXPECT_TRUE(std::ranges::find(found, want) != found.end()) << want;
  EXPECT_EQ(found.size(), 13u);
}

TEST(Update, ScriptsSourcesAndPrograms) {
  TreeBuilder builder;
  builder.file("sbin/get",
               "#!/bin/sh\nwget http://x.example/firmware/a.bin -O /tmp/a\nmd5sum /tmp/a\nmtd write /tmp/a linux\n");
  builder.file("sbin/safe", "#!/bin/sh\nusign -V -m /tmp/a -P /etc/keys\nmtd -r write /tmp/a linux\n");
  builder.file("sbin/plain", "#!/bin/sh\ndd if=$1 of=/dev/mtd4\n");
  builder.file("etc/opkg.conf", "src/gz base http://d.example/packages\n");
  builder.file("usr/sbin/cwmpd",
               "\x7f"
               "ELF");
  builder.is_elf({.is_program = true});
  builder.file("usr/sbin/httpd", std::string("\x7f"
                                             "ELF\0usage: mtd write x\0/sbin/mtd write %s linux\0xmtd write a\0",
                                             60));
  builder.is_elf({.is_program = true, .imports = {"system"}});
  builder.file("etc/opkg/keys/b5043e70f9a75cde", "untrusted comment: x\n");
  const Facts facts = run("update", builder);
  std::vector<std::string> found;
  for (const Update& u : facts.update)
    found.push_back(u.kind + "|" + u.value + "|" + u.transport + "|" + std::to_string(static_cast<int>(u.verified)));
  EXPECT_EQ(found, (std::vector<std::string>{
                       "url|http://x.example/firmware/a.bin|http|0", "script|/sbin/get|local|1",
                       "checksum-check|md5sum /tmp/a||0", "flash-write|mtd write /tmp/a linux|local|1",
                       "script|/sbin/safe|local|2", "signature-check|usign -V -m /tmp/a -P /etc/keys||0",
                       "flash-write|mtd -r write /tmp/a linux|local|2", "script|/sbin/plain|local|0",
                       "flash-write|dd if=$1 of=/dev/mtd4|local|0", "url|http://d.example/packages|http|1",
                       "program|cwmpd|tr069|0", "flash-write|/sbin/mtd write %s linux|local|0",
                       "verification-key|b5043e70f9a75cde||0"}));
}

TEST(Analyses, EndOnHostileFiles) {
  std::string nest, quotes(200000, '"'), lines;
  for (int i = 0; i < 60000; ++i) nest += "<a>", lines += "-A\n";
  for (const std::string_view path :
       {"etc/config/firewall", "etc/nftables.conf", "etc/iptables.rules", "etc/snmpd.conf", "etc/passwd", "etc/a.xml",
        "etc/a.json", "etc/init.d/rcS", "etc/smb.conf", "usr/lib/opkg/status", "etc/os-release"})
    for (const std::string& text : {nest, quotes, "*filter\n" + lines, std::string("\0[\n{\"", 5)}) {
      TreeBuilder builder;
      builder.file(path, text);
      for (const TreeAnalysis* analysis : tree_analyses()) {
        Tree tree = builder.tree();
        Facts facts;
        analysis->run(tree, facts);
      }
    }
}

}  // namespace
}  // namespace assay::system
