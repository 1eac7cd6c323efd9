// A login that a start script hands to the telnet server, its password in a file that the script reads.
#include "test/system/tree_builder.h"

#include <gtest/gtest.h>

namespace assay::system {
namespace {

Facts facts_of(const char* script) {
  TreeBuilder builder;
  builder.program("bin/busybox").link("bin/sh", "busybox").link("sbin/init", "../bin/busybox");
  builder.link("usr/sbin/telnetd", "../../bin/busybox");
  builder.file("etc/inittab", "::sysinit:/etc/rcS\n")
      .file("etc/secret", "s3cr3t_word\n")
      .file("etc/two", "two words\n");
  builder.program("etc/rcS", std::string("#!/bin/sh\n") + script);
  Tree tree = builder.tree();
  Facts out;
  for (const TreeAnalysis* analysis : tree_analyses())
    if (analysis->id == "startup" || analysis->id == "accounts") analysis->run(tree, out);
  return out;
}

TEST(StartedLogins, AreReadWithTheValueThatTheScriptReads) {
  for (const char* script : {"x=`cat /etc/secret`\ntelnetd -l /bin/login -u operator:$x &\n",
                             "telnetd -l /bin/login -u operator:$(cat /etc/secret)\n"}) {
    const Facts facts = facts_of(script);
    ASSERT_EQ(facts.accounts.size(), 1u) << script;
    EXPECT_EQ(facts.accounts[0].name, "operator");
    EXPECT_EQ(facts.accounts[0].hash_kind, "plain");
    EXPECT_EQ(facts.accounts[0].hash, "s3cr3t_word");
    EXPECT_EQ(facts.accounts[0].at.artifact, "squashfs/etc/rcS");
  }
}

TEST(StartedLogins, AConstantIsReadOnce) {
  EXPECT_EQ(facts_of("telnetd -l /bin/login -u operator:pass &\n").accounts.size(), 1u);
}

TEST(LongTexts, AreNotReadAndTheReportSaysSo) {
  for (const size_t size : {1000u, 300000u}) {
    TreeBuilder builder;
    builder.file("etc/settings", std::string(size, 'a'));
    builder.facts.file_types.push_back({.type = "text", .at = {.artifact = "squashfs/etc/settings"}});
    Tree plain = builder.tree();
    Facts out;
    for (const TreeAnalysis* analysis : tree_analyses())
      if (analysis->id == "accounts") analysis->run(plain, out);
    ASSERT_EQ(out.problems.size(), size > 262144 ? 1u : 0u);
    if (!out.problems.empty()) {
      EXPECT_EQ(out.problems[0].artifact, "squashfs/etc/settings");
    }
  }
}

TEST(StartedLogins, WhatTheImageDoesNotSayIsNotGuessed) {
  EXPECT_TRUE(facts_of("telnetd -l /bin/login -u operator:`cat /etc/absent`\n").accounts.empty());
  EXPECT_TRUE(facts_of("telnetd -l /bin/login -u operator:`cat /etc/two`\n").accounts.empty());
  EXPECT_TRUE(facts_of("telnetd -l /bin/login -u operator:`nvram get password`\n").accounts.empty());
}

}  // namespace
}  // namespace assay::system
