// The reader of declarations: what it takes, and the message for everything it refuses.
#include "checks/check.h"
#include "checks/services.h"
#include "core/pack.h"

#include <gtest/gtest.h>
#include <fstream>
#include <sstream>

namespace assay::checks {
namespace {

TEST(Declaration, ReadsEverySection) {
  const auto d = read_declaration(
      "declaration: 1\nvendor: V\nproduct: P\nrelease: 1.10\n"
      "services:\n  - {name: http, protocol: tcp, port: 80}\n  - name: dnsmasq\n"
      "ports:\n  - {port: 7547, protocol: tcp, name: connection requests}\n"
      "accounts:\n  - name: root\n"
      "software:\n  - {name: busybox, version: 1.30}\n"
      "communications: []\n");
  ASSERT_TRUE(d) << d.error().what;
  ASSERT_EQ(d->services.size(), 2u);
  EXPECT_EQ(d->services[0].name, "http");
  EXPECT_EQ(d->services[0].protocol, "tcp");
  EXPECT_EQ(d->services[0].port, 80);
  EXPECT_EQ(d->services[1].port, 0);
  ASSERT_EQ(d->ports.size(), 1u);
  EXPECT_EQ(d->ports[0].port, 7547);
  EXPECT_EQ(d->accounts[0].name, "root");
  EXPECT_EQ(d->software[0].version, "1.30");  // a text, not the number 1.3
  EXPECT_TRUE(d->has_services && d->has_accounts && d->has_software && d->has_communications);
  EXPECT_TRUE(d->communications.empty());
}

TEST(Declaration, AbsentSectionsSayNothing) {
  const auto d = read_declaration("declaration: 1\n");
  ASSERT_TRUE(d);
  EXPECT_FALSE(d->has_services || d->has_accounts || d->has_software || d->has_communications);
}

struct Bad {
  std::string yaml, message;
};

TEST(Declaration, RefusesWithLineAndKey) {
  const std::string head = "declaration: 1\n";
  const std::vector<Bad> all = {
      {"", "declaration: is empty"},
      {"- a\n", "declaration: line 1: declaration: must be a mapping"},
      {"vendor: x\n", "needs the key \"declaration\""},
      {"declaration: 2\n", "line 1: declaration: version \"2\" is not read, only 1"},
      {head + "servces: []\n", "line 2: declaration: unknown key \"servces\""},
      {head + "vendor: [a]\n", "line 2: vendor: must be a text"},
      {head + "services: http\n", "line 2: services: must be a list"},
      {head + "services:\n", "services: must be a list"},
      {head + "services:\n  - http\n",
       "line 3: services[0]: must be a mapping with name, port, protocol, interfaces, purpose"},
      {head + "services:\n  - name: a\n  - {name: b, prot: tcp}\n", "line 4: services[1]: unknown key \"prot\""},
      {head + "services:\n  - {protocol: tcp}\n", "line 3: services[0]: needs the key \"name\""},
      {head + "services:\n  - {name: a, name: b}\n", "line 3: services[0]: key \"name\" stands twice"},
      {head + "services:\n  - name: \"\"\n", "line 3: services[0].name: must not be empty"},
      {head + "services:\n  - name:\n", "services[0].name: must be a text"},
      {head + "services:\n  - name: " + std::string(256, 'a') + "\n", "services[0].name: is longer than 255 bytes"},
      {head + "services:\n  - {name: a, port: 0}\n", "services[0].port: must be a number from 1 to 65535, not \"0\""},
      {head + "services:\n  - {name: a, port: 65536}\n", "not \"65536\""},
      {head + "services:\n  - {name: a, port: 80x}\n", "not \"80x\""},
      {head + "services:\n  - {name: a, port: -1}\n", "not \"-1\""},
      {head + "services:\n  - {name: a, protocol: TCP}\n", "services[0].protocol: must be tcp, udp"},
      {head + "ports:\n  - {name: a}\n", "line 3: ports[0]: needs the key \"port\""},
      {head + "accounts:\n  - {name: a, port: 1}\n",
       "accounts[0]: unknown key \"port\" (known: name, credential, purpose)"},
      {head + "accounts: []\naccounts: []\n", "line 3: declaration: key \"accounts\" stands twice"},
      {head + "vendor: &x a\nproduct: *x\n", "line 2: declaration: anchors and aliases are not read"},
      {head + "---\ndeclaration: 1\n", "more than one YAML document"},
      {head + "class: toaster\n", "line 2: class: must be MME, PGW"},
      {head + "support: {until: 2029-02-30}\n", "line 2: support.until: must be a date YYYY-MM-DD, not \"2029-02-30\""},
      {head + "support: {from: 2029-01-01}\n", "line 2: support: needs the key \"until\""},
      {head + "support: {from: 2030-01-01, until: 2029-01-01}\n", "support: ends before it begins"},
      {head + "update_keys:\n  - {fingerprint: 5F}\n", "update_keys[0].fingerprint: must be a SHA-256 digest"},
      {head + "functions:\n  - {name: a}\n", "functions[0]: needs the key \"purpose\""},
      {head + "accounts:\n  - {name: a, credential: admin}\n", "accounts[0].credential: must be none, per-device"},
      {head + "services:\n  - {name: a, interfaces: lan}\n", "services[0].interfaces: must be a list"},
      {head + "services: [\n", "not YAML"},
      {head + "vendor: }\n", "not YAML"},
      {std::string((1 << 20) + 1, ' '), "more than 1 MiB"},
  };
  for (const Bad& bad : all) {
    const auto d = read_declaration(bad.yaml);
    ASSERT_FALSE(d) << bad.yaml.substr(0, 80);
    EXPECT_NE(d.error().what.find(bad.message), std::string::npos) << d.error().what << "\nwanted: " << bad.message;
  }
}

TEST(Declaration, DeepNestingIsRefused) {
  const auto d = read_declaration("declaration: " + std::string(100000, '['));
  ASSERT_FALSE(d);
  EXPECT_NE(d.error().what.find("not YAML"), std::string::npos) << d.error().what;
}

TEST(Declaration, EveryTruncationAndFlippedByteGivesAValue) {
  const std::string good =
      "declaration: 1\nservices:\n  - {name: http, protocol: tcp, port: 80}\nsoftware:\n  - {name: b, version: "
      "\"1\"}\n";
  for (size_t n = 0; n <= good.size(); ++n) (void)read_declaration(good.substr(0, n));
  for (size_t i = 0; i < good.size(); ++i)
    for (const int bit : {0x01, 0x20, 0x80}) {
      std::string bad = good;
      bad[i] = static_cast<char>(bad[i] ^ bit);
      (void)read_declaration(bad);
    }
}

TEST(Declaration, TheDocumentedExampleIsGood) {
  const char* source = std::getenv("ASSAY_SOURCE");
  if (source == nullptr) GTEST_SKIP() << "ASSAY_SOURCE is not set";
  std::ifstream file(std::string(source) + "/docs/declaration.md");
  std::stringstream text;
  text << file.rdbuf();
  const std::string all = text.str();
  const size_t start = all.find("```yaml\n"), end = all.find("```", start + 3);
  ASSERT_NE(start, std::string::npos);
  const auto d = read_declaration(all.substr(start + 8, end - start - 8));
  ASSERT_TRUE(d) << d.error().what;
  EXPECT_EQ(d->services.size(), 4u);
  EXPECT_EQ(d->communications.size(), 2u);
  EXPECT_EQ(d->network_class, "cpe-router");
  EXPECT_EQ(d->support_until, "2029-06-30");
  EXPECT_EQ(d->services[0].interfaces, std::vector<std::string>{"br-lan"});
  EXPECT_EQ(d->accounts[1].credential, "per-device");
  EXPECT_EQ(d->functions[0].guard, "password");
  EXPECT_EQ(d->update_keys[0].algorithm, "ed25519");
  EXPECT_EQ(d->names.release, "2.4.1");
}

// What a worker is sent of a declaration holds no name of the maker or the product: a check cannot depend on them.
TEST(Declaration, NamesOfTheMakerStayOutsideTheCanonicalForm) {
  const auto a = read_declaration("declaration: 1\nvendor: Alpha\nproduct: A\nmodel: M\nrelease: 1\naccounts: []\n");
  const auto b = read_declaration("declaration: 1\nvendor: Beta\nproduct: B\nunique_id: 9\nrelease: 2\naccounts: []\n");
  ASSERT_TRUE(a && b);
  EXPECT_EQ(pack(*a), pack(*b));
}

TEST(Declaration, AnInterfaceThatIsNotDeclaredIsAnotherPort) {
  Declaration d{.services = {{.name = "http", .port = 80, .interfaces = {"br-lan"}}}, .has_services = true};
  EXPECT_TRUE(declares_port(d, {.name = "http", .port = 80, .interface = "br-lan"}));
  EXPECT_TRUE(declares_port(d, {.name = "http", .port = 80}));
  EXPECT_FALSE(declares_port(d, {.name = "http", .port = 80, .interface = "eth1"}));
}

}  // namespace
}  // namespace assay::checks
