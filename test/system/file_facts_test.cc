// Types, versions, outbound names and kernels of single files; and the search that they share.
#include "core/pack.h"
#include "system/file.h"
#include "system/strings.h"
#include "test/system/run_file.h"

#include <gtest/gtest.h>

namespace assay::system {
namespace {

using namespace std::string_literals;

TEST(Literals, FindsEveryOccurrenceAndOnlyThose) {
  constexpr std::string_view kWords[] = {"abcd", "bcdc", "cdcd", "zzzz", "abcdcdcdzab"};
  const Literals literals(kWords);
  const std::string once = "zzabcdcdcdzabcdzzzzz";
  const std::string text = once + "x" + once + once + "abcd";
  std::vector<std::pair<uint64_t, uint32_t>> found, expected;
  literals.search(text, [&](uint32_t i, uint64_t at) { found.emplace_back(at, i); });
  for (uint64_t at = 0; at < text.size(); ++at)
    for (uint32_t i = 0; i < std::size(kWords); ++i)
      if (std::string_view(text).substr(at).starts_with(kWords[i])) expected.emplace_back(at, i);
  EXPECT_EQ(found, expected);
  for (uint64_t size = 0; size <= text.size(); ++size) {  // nothing is read behind the end, nothing before it missed
    const std::string cut = text.substr(0, size);
    size_t count = 0, wanted = 0;
    literals.search(cut, [&](uint32_t, uint64_t) { ++count; });
    for (const auto& [at, i] : expected) wanted += at + kWords[i].size() <= size;
    EXPECT_EQ(count, wanted) << size;
  }
}

// One pass for all analyses says what each says alone; also where there are more marks than are kept.
TEST(Marks, AreTheSameTogetherAndAlone) {
  std::string many =
      "\x7f"
      "ELF\0\0\0\0"s;
  while (many.size() < (9 << 20)) many += "/dev/mtd";  // 8 bytes each: more than 2^20 of them
  many += "\0BusyBox v1.19.4 (2014)\0Linux version 2.6.31 (a@b) (gcc version 4) #1\n\0"s;
  const std::string one = "x\0BusyBox v1.19.4 (2014)\0Boa/0.94.13\0 Linux version 2.6.31 (a@b) (gcc) #1\n\0"s;
  for (const auto& [content, components] : {std::pair(one, 3u), std::pair(many, 2u)}) {
    Facts together, alone;
    read_facts(Bytes(content), together);
    for (const FileAnalysis* analysis : file_analyses()) read_facts(*analysis, Bytes(content), alone);
    EXPECT_EQ(pack(together), pack(alone));
    EXPECT_EQ(together.components.size(), components);
  }
}

TEST(FileTypes, AreToldByContent) {
  const auto type = [](const std::string& content) { return run_file("file_types", content).file_types.at(0); };
  EXPECT_EQ(type("").type, "empty");
  EXPECT_EQ(type("\x7f"
                 "ELF")
                .type,
            "elf");
  EXPECT_EQ(type("#!/bin/sh -e\nls\n").type, "script");
  EXPECT_EQ(type("#!/bin/sh -e\nls\n").interpreter, "/bin/sh");
  EXPECT_EQ(type("#!/usr/bin/env -S perl -w\n").interpreter, "perl");
  EXPECT_EQ(type("<!DOCTYPE html>\n<p>").type, "html");
  EXPECT_EQ(type("\xef\xbb\xbf  <HTML>").type, "html");
  EXPECT_EQ(type("<?xml version=\"1.0\"?><a/>").type, "xml");
  EXPECT_EQ(type("{ \"a\": 1 }").type, "json");
  EXPECT_EQ(type("/* site */\nbody, td { color: red; }").type, "css");
  EXPECT_EQ(type("// menu\nvar a = 1;\n").type, "javascript");
  EXPECT_EQ(type("<?php echo 1;").type, "php");
  EXPECT_EQ(type("module(\"luci.http\", package.seeall)\n").type, "lua");
  EXPECT_EQ(type("GIF89a....").type, "gif");
  EXPECT_EQ(type("\x89PNG\r\n\x1a\n").type, "png");
  EXPECT_EQ(type("-----BEGIN CERTIFICATE-----\n").type, "pem");
  EXPECT_EQ(type("root:x:0:0::/:/bin/sh\n").type, "text");
  EXPECT_EQ(type("a\0b\1c\2"s).type, "data");
  EXPECT_EQ(type("BM is a word in this text\n").type, "text");
}

std::vector<std::string> versions_of(const std::string& text) {
  std::vector<std::string> found;
  for (const Component& c : run_file("versions",
                                     "\x7f"
                                     "ELF"s +
                                         std::string(60, '\0') + text + '\0')
                                .components)
    found.push_back(c.purl);
  return found;
}

TEST(Versions, AreReadWhereAProgramStatesItsOwn) {
  EXPECT_EQ(versions_of("BusyBox v1.19.4 (2014-11-17 11:47:58 CET)"), std::vector{"pkg:generic/busybox@1.19.4"s});
  EXPECT_EQ(versions_of("SSH-2.0-dropbear_2011.54\r\n"), std::vector{"pkg:generic/dropbear@2011.54"s});
  EXPECT_EQ(versions_of("OpenSSL 1.0.2k-fips  26 Jan 2017"), std::vector{"pkg:generic/openssl@1.0.2k-fips"s});
  EXPECT_EQ(versions_of(" inflate 1.2.7 Copyright 1995-2012 Mark Adler "), std::vector{"pkg:generic/zlib@1.2.7"s});
  EXPECT_EQ(versions_of("Hello, this is zebra (version 0.92a)."), std::vector{"pkg:generic/zebra@0.92a"s});
  EXPECT_EQ(versions_of("GNU C Library (GNU) stable release version 2.16, by"), std::vector{"pkg:generic/glibc@2.16"s});
  EXPECT_EQ(versions_of("U-Boot 1.1.4 (Mar 25 2016)"), std::vector{"pkg:generic/u-boot@1.1.4"s});
  EXPECT_EQ(versions_of("musl libc (mips-sf)\0\0001.1.16"s), std::vector{"pkg:generic/musl@1.1.16"s});
}

TEST(Versions, MentionsAreNone) {
  EXPECT_TRUE(versions_of("OpenSSH_2.5.*").empty());  // a pattern of a compatibility table
  EXPECT_TRUE(versions_of("dnsmasq-%s").empty());
  EXPECT_TRUE(versions_of("works with dnsmasq-2.66").empty());  // inside a string
  EXPECT_TRUE(versions_of("OpenSSL 1.0.2 or later").empty());
  EXPECT_TRUE(versions_of("U-Boot 2010 images").empty());
  EXPECT_TRUE(run_file("versions", "Changes in BusyBox v1.19.4 (2014)\nand more text\n").components.empty());
}

TEST(Versions, SayWhereTheyStand) {
  const Facts out = run_file("versions",
                             "\x7f"
                             "ELF"s +
                                 std::string(60, '\0') + "lighttpd/1.4.35 (ssl)"s);
  ASSERT_EQ(out.components.size(), 1u);
  EXPECT_EQ(out.components[0].at.offset, 64u);
  EXPECT_EQ(out.components[0].at.shows, "lighttpd/1.4.35 (ssl)");
}

std::vector<std::string> outbound_of(const std::string& content) {
  std::vector<std::string> found;
  for (const Outbound& o : run_file("outbound", content).outbound) found.push_back(o.kind + " " + o.value);
  return found;
}
using Words = std::vector<std::string>;

std::string binary(const std::string& text) { return std::string(40, '\0') + text + std::string(40, '\0'); }

TEST(Outbound, FindsNamesAndAddresses) {
  EXPECT_EQ(outbound_of("ntp=\"pool.ntp.org\"\n"), Words{"host pool.ntp.org"});
  EXPECT_EQ(outbound_of("server 203.0.114.7\n"), Words{"ipv4 203.0.114.7"});
  EXPECT_EQ(outbound_of(binary("time.nist.gov")), Words{"host time.nist.gov"});
  EXPECT_EQ(outbound_of(binary("GET http://update.maker.me:8080/fw?x=1 HTTP")),
            Words{"url http://update.maker.me:8080/fw?x=1"});
  EXPECT_EQ(outbound_of("mail admin@maker.com\n"), Words{"email admin@maker.com"});
  const Facts out = run_file("outbound", "u=\"ftp://10.1.2.3:2121/a\"");
  ASSERT_EQ(out.outbound.size(), 1u);
  EXPECT_EQ(out.outbound[0].scheme, "ftp");
  EXPECT_EQ(out.outbound[0].host, "10.1.2.3");
  EXPECT_EQ(out.outbound[0].port, 2121);
  EXPECT_EQ(out.outbound[0].at.offset, 3u);
}

TEST(Outbound, LeavesOutWhatIsNoPeer) {
  for (const char* text : {"255.255.255.0\n",
                           "127.0.0.1\n",
                           "224.0.0.1\n",
                           "0.0.0.0\n",
                           "192.168.1.0/24\n",
                           "version 1.0.0.26\n",
                           "V1.0.0.26\n",
                           "1.0.0.26\n",
                           "http://www.example.com/\n",
                           "http://www.w3.org/TR/html4/\n",
                           "# see http://maker.com/\n",
                           "// http://maker.com/\n",
                           "document.form.com\n",
                           "libc.so\n",
                           "xmlns=\"http://maker.com/ns\"\n",
                           "http://www.gnu.org/licenses/gpl.html\n",
                           "a.b\n",
                           "300.1.1.1\n",
                           "end of it.It goes on\n",
                           "1.2.3.4.5\n"})
    EXPECT_EQ(outbound_of(text), Words{}) << text;
  EXPECT_EQ(outbound_of(binary("libssl.so.1.0.0")), Words{});
  EXPECT_EQ(outbound_of(binary("please visit maker.com for more")), Words{});
}

TEST(Outbound, IsBounded) {
  std::string many;
  for (int i = 0; i < 2000; ++i) many += "host" + std::to_string(i) + ".maker.com\n";
  const Facts out = run_file("outbound", many);
  EXPECT_EQ(out.outbound.size(), 500u);
  EXPECT_EQ(out.problems.size(), 1u);
  run_file("outbound", std::string(1 << 20, '.'));
  run_file("outbound", std::string(1 << 20, 'a') + ".com");
}

TEST(Kernel, BannerGivesVersionAndCompiler) {
  const Facts out = run_file("kernel", std::string(100, '\0') +
                                           "Linux version 2.6.31 (root@build) (gcc version 4.3.3 (GCC) ) #1 Fri\n" +
                                           "Linux version %s (%s)\nLinux version 9.9 is out\n");
  ASSERT_EQ(out.components.size(), 1u);
  EXPECT_EQ(out.components[0].purl, "pkg:generic/linux@2.6.31");
  EXPECT_EQ(out.components[0].at.offset, 100u);
  ASSERT_EQ(out.format_notes.size(), 2u);
  EXPECT_EQ(out.format_notes[1].value, "gcc version 4.3.3 (GCC)");
}

constexpr std::string_view kConfig =
    "#\n# Automatically generated file; DO NOT EDIT.\n# Linux/mips 3.3.8 Kernel Configuration\n#\nCONFIG_MIPS=y\n"
    "# CONFIG_SECURITY is not set\nCONFIG_CMDLINE=\"console=ttyS0\"\nCONFIG_NETFILTER=m\n";

TEST(Kernel, OptionsOfAConfigurationText) {
  const auto options = run_file("kernel", std::string(kConfig)).kernel_options;
  ASSERT_EQ(options.size(), 4u);
  EXPECT_EQ(options[1].name + "=" + options[1].value, "CONFIG_SECURITY=n");
  EXPECT_EQ(options[2].value, "console=ttyS0");
  EXPECT_TRUE(run_file("kernel", "#\n# Busybox version: 1.1\n#\nCONFIG_ASH=y\nCONFIG_LS=y\n").kernel_options.empty());
}

TEST(Kernel, OptionsOfAnEmbeddedConfiguration) {
  const Scratch s;
  std::ofstream(s.path + "/config") << kConfig;
  const std::string packed = output_of("gzip -9nc " + s.path + "/config");
  if (packed.empty()) GTEST_SKIP() << "gzip is not installed";
  const std::string kernel = std::string(64, '\1') + "IKCFG_ST" + packed + "IKCFG_ED" + std::string(64, '\2');
  const Facts out = run_file("kernel", kernel);
  EXPECT_EQ(out.kernel_options.size(), 4u);
  EXPECT_EQ(out.kernel_options.at(0).at.offset, 64u);
  EXPECT_TRUE(out.problems.empty());
  for (size_t n = 64; n < kernel.size() - 80; ++n)
    EXPECT_LE(run_file("kernel", kernel.substr(0, n)).kernel_options.size(), 4u);
  std::string bad = kernel;
  bad[90] = static_cast<char>(bad[90] ^ 0x55);
  EXPECT_EQ(run_file("kernel", bad).problems.size(), 1u);
}

}  // namespace
}  // namespace assay::system
