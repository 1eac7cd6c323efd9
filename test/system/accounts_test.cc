// Accounts, hashes and the trial of default passwords.
#include "system/account_files.h"
#include "system/password_hash.h"
#include "system/password_trial.h"
#include "test/system/tree_builder.h"

#include <gtest/gtest.h>

namespace assay::system {

namespace {

constexpr std::string_view kMd5 = "$1$$iC.dUsGpxNNJGeOm1dFio/";  // openssl passwd -1 -salt "" 1234

const Account* find(const Facts& facts, std::string_view name, std::string_view source) {
  for (const Account& account : facts.accounts)
    if (account.name == name && account.source == source) return &account;
  return nullptr;
}

Facts run(TreeBuilder& builder) {
  Tree tree = builder.tree();
  Facts facts;
  analysis("accounts").run(tree, facts);
  return facts;
}

TEST(Passwd, FieldsKindsAndOffsets) {
  const std::string text =
      "# "
      "comment\nroot:$1$ab$cdef:0:0:root:/root:/bin/sh\nnobody:*:99:99::/:/bin/false\nx:x:1:1:::\nopen::0:0::/"
      ":\nbroken:line\n";
  const Accounts found = read_passwd(text);
  ASSERT_EQ(found.accounts.size(), 4u);
  EXPECT_EQ(found.accounts[0].hash_kind, "md5crypt");
  EXPECT_EQ(found.accounts[0].uid, 0u);
  EXPECT_EQ(found.accounts[0].at.offset, 10u);
  EXPECT_TRUE(found.accounts[0].can_log_in);
  EXPECT_EQ(found.accounts[1].hash_kind, "locked");
  EXPECT_FALSE(found.accounts[1].can_log_in);
  EXPECT_EQ(found.accounts[2].hash_kind, "none");
  EXPECT_EQ(found.accounts[3].hash_kind, "empty");
}

TEST(Passwd, EveryTruncationAndManyLines) {
  const std::string text = "root:$1$ab$cdef:0:0:root:/root:/bin/sh\nnobody:*:99:99::/:/bin/false\n";
  for (size_t cut = 0; cut <= text.size(); ++cut) {
    EXPECT_LE(read_passwd(text.substr(0, cut)).accounts.size(), 2u);
    EXPECT_LE(read_shadow(text.substr(0, cut)).accounts.size(), 2u);
    read_htpasswd(text.substr(0, cut));
    read_smbpasswd(text.substr(0, cut));
  }
  std::string many;
  for (int i = 0; i < 100000; ++i) many += "u:x:0:0::/:\n";
  const Accounts found = read_passwd(many);
  EXPECT_EQ(found.accounts.size(), 10000u);
  EXPECT_TRUE(found.limited);
}

TEST(Hash, KindsByPrefix) {
  EXPECT_EQ(hash_kind(""), "empty");
  EXPECT_EQ(hash_kind("!"), "locked");
  EXPECT_EQ(hash_kind("!$1$a$b"), "locked");
  EXPECT_EQ(hash_kind("abJnggxhB/yWI"), "des");
  EXPECT_EQ(hash_kind("_J9..abcdIPPmXD22F8s"), "bsdi");
  EXPECT_EQ(hash_kind("$5$s$h"), "sha256crypt");
  EXPECT_EQ(hash_kind("$6$s$h"), "sha512crypt");
  EXPECT_EQ(hash_kind("$y$j9T$s$h"), "yescrypt");
  EXPECT_EQ(hash_kind("$2y$10$abc"), "bcrypt");
  EXPECT_EQ(hash_kind("$apr1$s$h"), "apr1");
  EXPECT_EQ(hash_kind("{SHA}x"), "sha1");
  EXPECT_EQ(hash_kind("hunter2"), "other");
}

TEST(Hash, OpensWhatItShould) {
  EXPECT_TRUE(opens(kMd5, "1234"));
  EXPECT_FALSE(opens(kMd5, "12345"));
  EXPECT_TRUE(opens("abJnggxhB/yWI", "password"));
  EXPECT_TRUE(opens("_J9..abcdIPPmXD22F8s", "password"));
  EXPECT_TRUE(opens("$5$abcdefgh$ZLdkj8mkc2XVSrPVjskDAgZPGjtj1VGVaa1aUkrMTU/", "password"));
  EXPECT_TRUE(opens("$2a$05$abcdefghijklmnopqrstuuWG29KuyeAicPCJODk1zjyGvyQUU2awu", "password"));
  EXPECT_TRUE(opens("$3$$8846f7eaee8fb117ad06bdd830b7586c", "password"));
  EXPECT_TRUE(opens("{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=", "password"));
  EXPECT_TRUE(opens("$apr1$saltsalt$yAAkm4libquA.ZWLHbSBq/", "password"));
  EXPECT_FALSE(opens("$apr1$saltsalt$yAAkm4libquA.ZWLHbSBq/", "passwore"));
}

TEST(Hash, CostStandsInTheSalt) {
  EXPECT_GT(*trial_cost("$6$rounds=999999999$salt$hash"), 100'000'000u);
  EXPECT_FALSE(trial_cost("$6$rounds=99999999999999999999$salt$hash").has_value());
  EXPECT_FALSE(trial_cost("$6$rounds=12").has_value());
  EXPECT_FALSE(trial_cost("$6$rounds=$s$h").has_value());
  EXPECT_GT(*trial_cost("$2a$31$abcdefghijklmnopqrstuuWG29KuyeAicPCJODk1zjyGvyQUU2awu"), 1'000'000'000u);
  EXPECT_FALSE(trial_cost("$2a$99$abcdefghijklmnopqrstuuWG29KuyeAicPCJODk1zjyGvyQUU2awu").has_value());
  EXPECT_TRUE(trial_cost("$y$j9T$abcdefghijklmnop$x").has_value());
  EXPECT_FALSE(trial_cost("$y$jST$abcdefghijklmnop$x").has_value());  // 8 GiB
  EXPECT_FALSE(trial_cost("$7$CU..../....abcdefgh$").has_value());
}

TEST(Trial, DefaultsOwnNamesAndBudget) {
  std::vector<Account> accounts(5);
  accounts[0] = {.name = "root", .hash_kind = "md5crypt", .hash = std::string(kMd5)};
  accounts[1] = {.name = "copy", .hash_kind = "md5crypt", .hash = std::string(kMd5)};
  accounts[2] = {.name = "slow", .hash_kind = "sha512crypt", .hash = "$6$rounds=999999999$salt$hash"};
  accounts[3] = {.name = "web", .hash_kind = "plain", .hash = "admin"};
  accounts[4] = {.name = "own", .hash_kind = "plain", .hash = "Xq7-long-secret"};
  try_default_passwords(accounts);
  EXPECT_EQ(accounts[0].opened_by, "1234");
  EXPECT_EQ(accounts[1].opened_by, "1234");
  EXPECT_EQ(accounts[2].tried, 0u);
  EXPECT_EQ(accounts[2].not_tried, "rounds=999999999 exceed the budget");
  EXPECT_EQ(accounts[3].opened_by, "admin");
  EXPECT_EQ(accounts[4].opened_by, "");
}

TEST(Trial, SpendsNoMoreThanItsBudget) {
  std::vector<Account> accounts;
  for (int i = 0; i < 50; ++i)
    accounts.push_back(
        {.name = "u", .hash_kind = "md5crypt", .hash = "$1$salt" + std::to_string(i) + "$0000000000000000000000"});
  try_default_passwords(accounts, 150 * 60);
  uint32_t tried = 0;
  for (const Account& account : accounts) {
    tried += account.tried;
    EXPECT_NE(account.not_tried, "");
    EXPECT_GE(account.tried, 1u);  // no hash starves the others
  }
  EXPECT_EQ(tried, 60u);
}

TEST(Accounts, JoinsShadowWithPasswdAndFindsDefaultCopies) {
  TreeBuilder builder;
  builder.file("etc/passwd", "root:x:0:0:root:/root:/bin/ash\nftp:x:5:5::/:/bin/false\n");
  builder.file("etc/shadow", "root:$1$$iC.dUsGpxNNJGeOm1dFio/:0:0:99999:7:::\nftp:*:0:0:99999:7:::\n");
  builder.file("etc_ro/passwd", "admin::0:0::/:/bin/sh\n");
  builder.file("www/passwd.js", "function a():b:c:d {}\nroot:x:0:0:root:/root:/bin/ash\n");
  const Facts facts = run(builder);
  ASSERT_EQ(facts.accounts.size(), 5u);
  const Account* root = find(facts, "root", "shadow");
  ASSERT_TRUE(root);
  EXPECT_EQ(root->opened_by, "1234");
  EXPECT_EQ(root->uid, 0u);
  EXPECT_EQ(root->shell, "/bin/ash");
  EXPECT_EQ(root->at.artifact, "squashfs/etc/shadow");
  const Account* ftp = find(facts, "ftp", "shadow");
  ASSERT_TRUE(ftp);
  EXPECT_FALSE(ftp->can_log_in);
}

TEST(Accounts, OfServicesSettingsAndArguments) {
  TreeBuilder builder;
  builder.file("etc/httpd.conf", "A:192.168.\n/cgi-bin:admin:secret9\n/a:user:$1$ab$cdefghijklmnopqrstuvwx\n");
  builder.file("etc/.htpasswd", "web:$apr1$saltsalt$yAAkm4libquA.ZWLHbSBq/\nold:abJnggxhB/yWI\n");
  builder.file("etc/nvram.default", "http_username=admin\nhttp_passwd=admin\nlan_ip=1.2.3.4\nwl_wpa_psk=12345678\n");
  builder.file("etc/config/system", "config login 'l'\n\toption username 'super'\n\toption password 'swordfish'\n");
  builder.file("etc/config.xml", "<C><UserInfo Username=\"root\" Password=\"adminpw\"/></C>");
  builder.file("etc/d.json", R"({"login":{"username":"jo","password":"pw12"}})");
  builder.file("etc/init.d/rcS",
               "#!/bin/sh\ntelnetd -l /bin/sh -u tech:field22 &\necho \"root:toor\" | chpasswd\ntelnetd -u $U:$P\n");
  const Facts facts = run(builder);
  const auto hash = [&](std::string_view name, std::string_view source) {
    const Account* account = find(facts, name, source);
    return account ? account->hash_kind + " " + account->hash + " " + account->opened_by : "(none)";
  };
  EXPECT_EQ(hash("admin", "htpasswd"), "plain secret9 ");
  EXPECT_EQ(hash("web", "htpasswd"), "apr1 $apr1$saltsalt$yAAkm4libquA.ZWLHbSBq/ password");
  EXPECT_EQ(hash("old", "htpasswd"), "des abJnggxhB/yWI password");
  EXPECT_EQ(hash("admin", "nvram"), "plain admin admin");
  EXPECT_EQ(hash("super", "uci"), "plain swordfish ");
  EXPECT_EQ(hash("root", "xml"), "plain adminpw ");
  EXPECT_EQ(hash("jo", "json"), "plain pw12 ");
  EXPECT_EQ(hash("tech", "arguments"), "plain field22 ");
  EXPECT_EQ(hash("root", "arguments"), "plain toor toor");
  EXPECT_EQ(facts.accounts.size(), 10u);
}

}  // namespace
}  // namespace assay::system
