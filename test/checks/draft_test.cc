// A draft of a declaration: written, read back, held against the facts it came from.
#include "checks/draft.h"

#include "checks/sections.h"
#include "core/pack.h"
#include "pairs.h"

#include <gtest/gtest.h>
#include <algorithm>
#include <random>

namespace assay::checks {
namespace {

bool is_about_declarations(const Finding& f) {
  return f.rule.ends_with("undeclared") || f.rule == "account.predefined";
}

std::vector<Finding> undeclared(const Facts& facts, const Declaration& declaration) {
  std::vector<Finding> out = judge({.facts = facts,
                                    .declaration = &declaration,
                                    .as_of = std::string(test::kAsOf),
                                    .as_of_seconds = test::kAsOfSeconds});
  std::erase_if(out, [](const Finding& f) { return !is_about_declarations(f); });
  return out;
}

Draft draft_of(const Facts& facts) {
  return draft(facts, judge({.facts = facts, .as_of = std::string(test::kAsOf), .as_of_seconds = test::kAsOfSeconds}));
}

struct Random {
  std::mt19937 engine;
  uint32_t below(uint32_t n) { return engine() % n; }
  // Of characters that mean something to YAML, to a terminal, or that are no UTF-8.
  std::string text(bool utf8) {
    static const std::vector<std::string> kPieces = {"a",
                                                     "telnet",
                                                     "9",
                                                     ".",
                                                     "*.",
                                                     " ",
                                                     ":",
                                                     "#",
                                                     "\"",
                                                     "\\",
                                                     "'",
                                                     "{",
                                                     "}",
                                                     "[",
                                                     ",",
                                                     "-",
                                                     "\n",
                                                     "\t",
                                                     "\r",
                                                     "~",
                                                     "null",
                                                     "|",
                                                     ">",
                                                     "&a",
                                                     "%",
                                                     "@",
                                                     "\xe2\x80\xa8",
                                                     "é",
                                                     "中",
                                                     "\x01",
                                                     "\xef\xbb\xbf",
                                                     "\x7f",
                                                     "0x1f",
                                                     "true",
                                                     "!",
                                                     "?",
                                                     "😀",
                                                     "\xc2\xa0"};
    std::string out;
    for (uint32_t n = 1 + below(6); n > 0; --n) out += kPieces[below(static_cast<uint32_t>(kPieces.size()))];
    if (!utf8 && below(6) == 0) out += below(2) ? "\xff" : "\xc2\x85";
    if (!utf8 && below(9) == 0) out += std::string(300, 'x');
    return out;
  }
  Facts facts(bool utf8) {
    Facts f;
    for (uint32_t n = below(4); n > 0; --n)
      f.services.push_back({.name = below(4) ? text(utf8) : "",
                            .program = "usr/sbin/" + text(utf8),
                            .protocol = below(2) ? "tcp" : text(utf8),
                            .port = static_cast<uint16_t>(below(3) * 40),
                            .interface = below(2) ? text(utf8) : "",
                            .started = below(4) > 0,
                            .at = test::at("rcS")});
    for (uint32_t n = below(4); n > 0; --n)
      f.accounts.push_back(
          {.name = text(utf8), .hash_kind = below(2) ? "des" : "locked", .can_log_in = true, .at = test::at("passwd")});
    for (uint32_t n = below(4); n > 0; --n)
      f.components.push_back(
          {.name = text(utf8), .version = below(3) ? text(utf8) : "", .how = "opkg", .at = test::at("status")});
    for (uint32_t n = below(4); n > 0; --n)
      f.outbound.push_back({.kind = "host",
                            .value = "v",
                            .host = text(utf8),
                            .port = static_cast<uint16_t>(below(2) * 80),
                            .at = test::at("config")});
    return f;
  }
};

std::string bytes_of(const Declaration& d) { return pack(d); }

TEST(Draft, FedBackMakesNothingUndeclared) {
  Random random{std::mt19937(1)};
  for (int i = 0; i < 300; ++i) {
    const Facts facts = random.facts(true);
    const Draft drafted = draft_of(facts);
    EXPECT_TRUE(drafted.left_out.empty()) << drafted.left_out.front();
    const auto yaml = declaration_yaml(drafted);
    ASSERT_TRUE(yaml);
    const auto read = read_declaration(*yaml);
    ASSERT_TRUE(read) << read.error().what << "\n" << *yaml;
    EXPECT_EQ(bytes_of(*read), bytes_of(drafted.declaration)) << *yaml;
    const auto left = undeclared(facts, *read);
    EXPECT_TRUE(left.empty()) << left.front().claim << "\n" << *yaml;
  }
}

// What cannot be written is said, and only that stays undeclared.
TEST(Draft, SaysWhatItLeavesOut) {
  Random random{std::mt19937(2)};
  size_t left_out = 0;
  for (int i = 0; i < 300; ++i) {
    const Facts facts = random.facts(false);
    const Draft drafted = draft_of(facts);
    const auto yaml = declaration_yaml(drafted);
    ASSERT_TRUE(yaml);
    const auto read = read_declaration(*yaml);
    ASSERT_TRUE(read) << read.error().what << "\n" << *yaml;
    EXPECT_LE(undeclared(facts, *read).size(), drafted.left_out.size());
    left_out += drafted.left_out.size();
  }
  EXPECT_GT(left_out, 20u);
}

TEST(Draft, DeclaresLessWhereLessIsThere) {
  Facts facts;
  facts.services.push_back(
      {.name = "telnet", .program = "telnetd", .protocol = "tcp", .port = 23, .started = true, .at = test::at("rcS")});
  const Draft drafted = draft_of(facts);
  facts.services.push_back(
      {.name = "ssh", .program = "dropbear", .protocol = "tcp", .port = 22, .started = true, .at = test::at("rcS")});
  EXPECT_EQ(undeclared(facts, drafted.declaration).size(), 1u);
  ASSERT_EQ(drafted.declaration.services.size(), 1u);
  EXPECT_EQ(drafted.declaration.services[0].port, 23);
  EXPECT_TRUE(drafted.declaration.has_ports && drafted.declaration.ports.empty());
}

TEST(Draft, AsksWhatADebugServiceIsFor) {
  Facts facts;
  facts.services.push_back({.name = "serial-console",
                            .program = "sh",
                            .protocol = "serial",
                            .started = true,
                            .asks_for_secret = Known::kNo,
                            .gives_shell = true,
                            .at = test::at("inittab")});
  const Draft drafted = draft_of(facts);
  ASSERT_FALSE(drafted.declaration.functions.empty());
  EXPECT_EQ(drafted.declaration.functions[0].purpose, kUnexplained);
}

TEST(Draft, NamesTheKeysThatVerifyUpdates) {
  Facts facts;
  facts.update.push_back(
      {.kind = "verification-key", .value = "release.pem", .at = test::at("etc/opkg/keys/release.pem")});
  facts.keys.push_back({.kind = "public-key",
                        .algorithm = "rsa",
                        .fingerprint = std::string(64, 'a'),
                        .at = test::at("etc/opkg/keys/release.pem")});
  facts.keys.push_back(
      {.kind = "public-key", .algorithm = "rsa", .fingerprint = std::string(64, 'b'), .at = test::at("etc/other.pem")});
  const Draft drafted = draft_of(facts);
  ASSERT_EQ(drafted.declaration.update_keys.size(), 1u);
  EXPECT_EQ(drafted.declaration.update_keys[0].fingerprint, std::string(64, 'a'));
}

TEST(Draft, KeepsNamesClassAndSupport) {
  const auto given = read_declaration(
      "declaration: 1\nvendor: \"V: #1\"\nclass: cpe-router\nrelease: 1.0\nmud_url: https://a.example/x\n"
      "support: {from: 2026-01-01, until: 2027-01-01}\naccounts:\n  - {name: root, credential: per-device}\n");
  ASSERT_TRUE(given);
  const auto yaml = declaration_yaml({.declaration = *given});
  ASSERT_TRUE(yaml);
  const auto read = read_declaration(*yaml);
  ASSERT_TRUE(read) << read.error().what;
  EXPECT_EQ(read->names.vendor, "V: #1");
  EXPECT_EQ(read->network_class, "cpe-router");
  EXPECT_EQ(read->support_until, "2027-01-01");
  EXPECT_EQ(read->names.mud_url, "https://a.example/x");
  EXPECT_EQ(bytes_of(*read), bytes_of(*given));
}

TEST(Draft, WhatIsLongerThanADeclarationIsAnError) {
  Draft big;
  big.declaration.has_software = true;
  for (int i = 0; i < 10000; ++i)
    big.declaration.software.push_back({.name = std::to_string(i) + std::string(200, 'x')});
  const auto yaml = declaration_yaml(big);
  ASSERT_FALSE(yaml);
  EXPECT_EQ(yaml.error().fault, Fault::kLimit);
}

}  // namespace
}  // namespace assay::checks
