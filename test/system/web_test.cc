// Web servers: root, user, listing, CGI programs, guards.
#include "test/system/image_tree.h"
#include "test/system/tree_builder.h"

#include <gtest/gtest.h>

namespace assay::system {
namespace {

Facts facts_of(Tree tree) {
  Facts out;
  for (const TreeAnalysis* analysis : tree_analyses()) {
    if (analysis->id == "startup" || analysis->id == "services" || analysis->id == "web") analysis->run(tree, out);
  }
  return out;
}

TreeBuilder booting(std::string_view line) {
  TreeBuilder builder;
  builder.program("bin/busybox").link("sbin/init", "../bin/busybox").file("etc/inittab", "::sysinit:/etc/rcS\n");
  builder.program("etc/rcS", "#!/bin/sh\n" + std::string(line) + "\n");
  builder.directory("home")
      .directory("home/site")
      .directory("home/site/cgi-bin")
      .file("home/site/index.html", "<html>");
  builder.program("home/site/cgi-bin/set", "#!/bin/sh\n")
      .file("home/site/a.png", "x")
      .program("home/site/go.cgi", "#!/bin/sh\n");
  return builder;
}

const WebRoute* route(const Facts& facts, std::string_view path) {
  for (const WebRoute& one : facts.web_routes) {
    if (one.path == path) return &one;
  }
  return nullptr;
}

TEST(Web, ReadsTheRootOfArgumentsAndGuardsOfHttpdConf) {
  TreeBuilder builder = booting("httpd -h /home/site -u www -c /etc/h.conf");
  builder.link("usr/sbin/httpd", "../../bin/busybox").file("etc/h.conf", "# x\n/cgi-bin:admin:secret\n*.x:y\n");
  const Facts facts = facts_of(builder.tree());
  ASSERT_EQ(facts.web_servers.size(), 1u);
  const WebServer& server = facts.web_servers[0];
  EXPECT_EQ(server.root, "squashfs/home/site");
  EXPECT_EQ(server.user, "www");
  EXPECT_EQ(server.runs_as_root, Known::kNo);
  EXPECT_EQ(server.cgi, (std::vector<std::string>{"squashfs/home/site/cgi-bin", "squashfs/home/site/go.cgi"}));
  ASSERT_EQ(facts.web_routes.size(), 3u);
  EXPECT_EQ(route(facts, "/index.html")->kind, "page");
  EXPECT_EQ(route(facts, "/index.html")->authenticated, Known::kUnknown);
  ASSERT_TRUE(route(facts, "/cgi-bin/set"));
  EXPECT_EQ(route(facts, "/cgi-bin/set")->kind, "cgi");
  EXPECT_EQ(route(facts, "/cgi-bin/set")->authenticated, Known::kYes);
}

TEST(Web, ReadsLighttpd) {
  TreeBuilder builder = booting("lighttpd -f /etc/l.conf");
  builder.program("usr/sbin/lighttpd")
      .file("etc/l.conf",
            "server.document-root = \"/home/site\"\nserver.dir-listing = \"enable\"\nserver.username = \"root\"\n"
            "auth.require = ( \"/cgi-bin\" => ( \"method\" => \"basic\" ) )\n");
  const Facts facts = facts_of(builder.tree());
  ASSERT_EQ(facts.web_servers.size(), 1u);
  EXPECT_EQ(facts.web_servers[0].directory_listing, Known::kYes);
  EXPECT_EQ(facts.web_servers[0].at.artifact, "squashfs/etc/l.conf");
  EXPECT_EQ(facts.web_servers[0].runs_as_root, Known::kYes);
  EXPECT_EQ(route(facts, "/cgi-bin/set")->authenticated, Known::kYes);
}

TEST(Web, ReadsCommandsOfServerSideIncludes) {
  TreeBuilder builder = booting("httpd -h /home/site");
  builder.file("home/site/state.shtml", "<html>\n<!--#exec cmd=\"uptime\" -->\n")
      .file("home/site/date.shtml", "<!--#echo var=\"DATE_LOCAL\" -->")
      .file("home/other.shtml", "<!--#exec cmd=\"ls\" -->");
  const Facts facts = facts_of(builder.tree());
  ASSERT_EQ(facts.settings.size(), 1u);
  EXPECT_EQ(facts.settings[0].kind, "web");
  EXPECT_EQ(facts.settings[0].name, "ssi.exec");
  EXPECT_EQ(facts.settings[0].value, "<!--#exec cmd=\"uptime\"");
  EXPECT_EQ(facts.settings[0].at.artifact, "squashfs/home/site/state.shtml");
  EXPECT_EQ(facts.settings[0].at.offset, 7u);
}

TEST(Web, ReadsEachPageOnceByWhicheverNameItIsServed) {
  TreeBuilder builder = booting("httpd -h /home/site");
  builder.file("home/site/a.shtm", "<!--#include file=\"x\" --><!--#EXEC cmd=\"date\" -->")
      .file("home/site/plain.html", "<!--#Exec cmd=\"ls\" -->")
      .file("home/shared", "<!--#exec cgi=\"/x\" -->")
      .link("home/site/one.html", "../shared")
      .link("home/site/two.shtml", "../shared")
      .link("home/site/three.html", "../shared");
  std::map<std::string, std::string> names;
  const Facts facts = facts_of(builder.tree());
  for (const Setting& one : facts.settings) names[one.at.artifact] = one.name;
  EXPECT_EQ(facts.settings.size(), 3u);
  EXPECT_EQ(names, (std::map<std::string, std::string>{{"squashfs/home/site/a.shtm", "ssi.exec"},
                                                       {"squashfs/home/site/plain.html", "ssi.exec.where_told"},
                                                       {"squashfs/home/shared", "ssi.exec"}}));
}

TEST(Web, AssumesNoRootThatNothingStates) {
  for (const bool named : {true, false}) {
    TreeBuilder builder = booting("webs");
    builder.directory("www").file("www/a.htm", "x");
    builder.program("bin/webs", std::string("\x7f"
                                            "ELF\0",
                                            5) +
                                    (named ? std::string("/www\0", 5) : std::string("xwww\0", 5)));
    const Facts facts = facts_of(builder.tree());
    ASSERT_EQ(facts.web_servers.size(), 1u);
    EXPECT_EQ(facts.web_servers[0].root, named ? "squashfs/www" : "");
  }
}

TEST(WebImages, ReadOpenWrtsServer) {
  ImageTree image = squashfs_tree("openwrt-wrt54g-trx.bin", 893984);
  if (!image.why_not.empty()) GTEST_SKIP() << image.why_not;
  const Facts facts = facts_of(image.tree());
  ASSERT_EQ(facts.web_servers.size(), 1u);
  EXPECT_TRUE(facts.web_servers[0].root.ends_with("/www"));
  EXPECT_EQ(facts.web_servers[0].cgi.size(), 1u);
  ASSERT_TRUE(route(facts, "/cgi-bin/luci"));
  EXPECT_EQ(route(facts, "/cgi-bin/luci")->kind, "cgi");
}

TEST(SystemImages, ArePromptAndRepeatable) {
  ImageTree image = squashfs_tree("netgear-wnr2000v5-1.0.0.78.img", 852096);
  if (!image.why_not.empty()) GTEST_SKIP() << image.why_not;
  std::string first;
  for (int turn = 0; turn < 2; ++turn) {
    const Facts facts = facts_of(image.tree());
    std::string all;
    for (const Startup& one : facts.startup) all += one.program + " " + one.arguments + " " + one.at.artifact + "\n";
    for (const Service& one : facts.services) all += one.name + " " + one.program + "\n";
    for (const WebRoute& one : facts.web_routes) all += one.path + "\n";
    EXPECT_GT(all.size(), 1000u);
    if (turn == 1) {
      EXPECT_EQ(all, first);
    }
    first = all;
  }
}

}  // namespace
}  // namespace assay::system
