// Known truths of real images (../shared/firmware beside the checkout), unpacked by unsquashfs into a directory of its
// own. Skipped where images or tool are absent.
#include "system/tree.h"
#include "test/system/directory_tree.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace assay::system {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kOurs[] = {"accounts", "credentials", "permissions", "settings",
                                      "firewall", "packages",    "boot",        "update"};

struct Unpacked {
  fs::path directory;
  TreeBuilder builder;
  Facts facts;
  ~Unpacked() { fs::remove_all(directory); }
};

// "" when it went well, else why the test is skipped.
std::string open_image(std::string_view image, uint64_t offset, Unpacked& into) {
  const char* source = std::getenv("ASSAY_SOURCE");
  fs::path file;
  for (fs::path at = source ? source : "."; file.empty() && at.has_relative_path(); at = at.parent_path())
    if (const fs::path candidate = at / "shared" / "firmware" / image; fs::exists(candidate)) file = candidate;
  if (file.empty()) return std::string(image) + " is not here";
  if (std::system("command -v unsquashfs >/dev/null 2>&1") != 0) return "no unsquashfs";
  char name[] = "/tmp/assay-test-XXXXXX";
  if (!mkdtemp(name)) return "no directory";
  into.directory = name;
  const std::string command = "unsquashfs -q -n -no-xattrs -o " + std::to_string(offset) + " -d " +
                              into.directory.string() + "/root '" + file.string() + "' >/dev/null 2>&1";
  if (std::system(command.c_str()) != 0 && !fs::exists(into.directory / "root" / "etc")) return "unsquashfs refused";
  add_directory(into.builder, into.directory / "root");
  Tree tree = into.builder.tree();
  for (const std::string_view id : kOurs) analysis(id).run(tree, into.facts);
  return {};
}

const Account* find(const Facts& facts, std::string_view name) {
  for (const Account& account : facts.accounts)
    if (account.name == name) return &account;
  return nullptr;
}

TEST(RealImage, AdministratorOpenedByADocumentedDefault) {
  Unpacked image;
  if (const std::string why = open_image("tplink-wr841nv14-eu-stock.bin", 1049088, image); !why.empty())
    GTEST_SKIP() << why;
  const Account* admin = find(image.facts, "admin");
  ASSERT_TRUE(admin);
  EXPECT_EQ(admin->at.artifact, "squashfs/etc/passwd.bak");
  EXPECT_EQ(admin->at.offset, 0u);
  EXPECT_EQ(admin->hash_kind, "md5crypt");
  EXPECT_EQ(admin->uid, 0u);
  EXPECT_TRUE(admin->can_log_in);
  EXPECT_EQ(admin->opened_by, "1234");
  ASSERT_EQ(image.facts.credentials.size(), 1u);
  EXPECT_EQ(image.facts.credentials[0].at.shows, "WPAPSK1=12345678");
  bool forwards = false;
  for (const Setting& setting : image.facts.settings)
    forwards |= setting.name == "net.ipv4.ip_forward" && setting.value == "1";
  EXPECT_TRUE(forwards);
}

TEST(RealImage, RootInShadowWithoutPasswd) {
  Unpacked image;
  if (const std::string why = open_image("tplink-wr841nv11-stock.bin", 1180160, image); !why.empty())
    GTEST_SKIP() << why;
  const Account* root = find(image.facts, "root");
  ASSERT_TRUE(root);
  EXPECT_EQ(root->source, "shadow");
  EXPECT_EQ(root->opened_by, "sohoadmin");
}

TEST(RealImage, HashThatNoDefaultOpens) {
  Unpacked image;
  if (const std::string why = open_image("sannce-8M-flash.bin", 2490368, image); !why.empty()) GTEST_SKIP() << why;
  const Account* root = find(image.facts, "root");
  ASSERT_TRUE(root);
  EXPECT_EQ(root->hash_kind, "md5crypt");
  EXPECT_EQ(root->opened_by, "");
  EXPECT_GT(root->tried, 150u);
  EXPECT_EQ(root->not_tried, "");
}

TEST(RealImage, PackagesFirewallAndSources) {
  Unpacked image;
  if (const std::string why = open_image("openwrt-wr703n-factory.bin", 970820, image); !why.empty())
    GTEST_SKIP() << why;
  EXPECT_EQ(image.facts.components.size(), 85u);  // 84 packages and the distribution
  EXPECT_EQ(image.facts.firewall.size(), 16u);
  bool unverified = false;
  for (const Update& update : image.facts.update)
    unverified |= update.kind == "url" && update.transport == "http" && update.verified == Known::kNo;
  EXPECT_TRUE(unverified);
  EXPECT_TRUE(image.facts.credentials.empty());
}

}  // namespace
}  // namespace assay::system
