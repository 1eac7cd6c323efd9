// RPM databases that rpm and Berkeley DB wrote, and ndb of our own: the same packages from each container, and a value
// from every damage.
#include "system/rpm_database.h"
#include "core/text.h"
#include "test/system/run_file.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace assay::system {
namespace {

// Two packages: one small, one of 300 files, whose header does not fit a page.
constexpr const char* kMakePackages =
    R"(export HOME=$PWD
spec() { printf 'Name: %s\nVersion: 1.2\nRelease: 3\n%bSummary: s\nLicense: MIT\nBuildArch: noarch\n%%description\nd\n%%install\nmkdir -p %%{buildroot}/opt/%s\nfor i in $(seq %s); do echo > %%{buildroot}/opt/%s/file$i; done\n%%files\n/opt/%s\n' "$1" "$2" "$1" "$3" "$1" "$1" >$1.spec; rpmbuild -bb --define "_topdir $PWD/r" $1.spec; }
spec small '' 1
spec large 'Epoch: 7\n' 300
)";

std::string sqlite_database(const Scratch& scratch) {
  const std::string folder = scratch.path + "/db";
  output_of("cd " + scratch.path + " && HOME=$PWD rpm --dbpath " + folder +
            " --define '_db_backend sqlite' --justdb --nodeps --nosignature -i r/RPMS/noarch/*.rpm");
  output_of("sqlite3 " + folder + "/rpmdb.sqlite 'PRAGMA wal_checkpoint(TRUNCATE)'");
  return read_file(folder + "/rpmdb.sqlite");
}

std::vector<std::string> headers_in(const std::string& sqlite) {
  std::vector<std::string> headers;
  visit_rpm_sqlite(Bytes(sqlite), {[&](Bytes header, std::optional<RpmPlace>) { headers.emplace_back(header.text()); },
                                   [](const Error& problem) { ADD_FAILURE() << problem.what; }});
  return headers;
}

std::string little(uint32_t value) {
  std::string out(4, '\0');
  for (size_t i = 0; i < 4; ++i) out[i] = static_cast<char>(value >> 8 * i);
  return out;
}

// Debian's rpm writes no ndb: by the description in rpmpkg.c.
std::string ndb_database(const std::vector<std::string>& headers) {
  std::string slots = "RpmP" + little(0) + little(1) + little(1) + little(9) + std::string(12, '\0'), blocks;
  uint32_t number = 0;
  for (const std::string& header : headers) {
    const uint32_t room = static_cast<uint32_t>(16 + header.size() + 12 + 15) / 16;
    slots += "Slot" + little(++number) + little(static_cast<uint32_t>(4096 + blocks.size()) / 16) + little(room);
    const std::string block =
        "BlbS" + little(number) + little(1) + little(static_cast<uint32_t>(header.size())) + header;
    blocks += block + std::string(room * 16 - block.size() - 12, '\0') + little(0) +
              little(static_cast<uint32_t>(header.size())) + "BlbE";
  }
  while (slots.size() < 4096) slots += "Slot" + std::string(12, '\0');
  return slots + blocks;
}

std::string bdb_database(const Scratch& scratch, const std::vector<std::string>& headers, const std::string& order) {
  std::string dump = "VERSION=3\nformat=bytevalue\ntype=hash\ndb_pagesize=4096\ndb_lorder=" + order +
                     "\nHEADER=END\n 00000000\n 03000000\n";
  size_t number = 0;
  for (const std::string& header : headers)
    dump += " 0" + std::to_string(++number) + "000000\n " +
            hex({reinterpret_cast<const uint8_t*>(header.data()), header.size()}) + "\n";
  const std::string file = scratch.path + "/Packages" + order;
  std::ofstream(scratch.path + "/dump") << dump + "DATA=END\n";
  output_of("db5.3_load -f " + scratch.path + "/dump " + file);
  return read_file(file);
}

class RpmDatabases : public testing::Test {
 protected:
  void SetUp() override {
    if (!has_tool("rpmbuild")) GTEST_SKIP() << "no rpmbuild";
    output_of("cd " + scratch_.path + " && " + kMakePackages);
    sqlite_ = sqlite_database(scratch_);
    headers_ = headers_in(sqlite_);
    ASSERT_EQ(headers_.size(), 2u);
  }

  static void expect_both(const std::string& database, bool placed) {
    const RpmDatabase read = read_rpm_database(Bytes(database));
    for (const Error& problem : read.problems) ADD_FAILURE() << problem.what << " at " << problem.offset;
    ASSERT_EQ(read.packages.size(), 2u);
    auto packages = read.packages;
    std::ranges::sort(packages, {}, &RpmPackage::name);
    EXPECT_EQ(packages[0].name + " " + packages[0].version + " " + packages[0].architecture, "large 1.2-3 noarch");
    EXPECT_EQ(packages[0].epoch, 7u);
    EXPECT_EQ(packages[1].name + " " + packages[1].version + " " + packages[1].architecture, "small 1.2-3 noarch");
    EXPECT_EQ(packages[1].epoch, std::nullopt);
    for (const RpmPackage& package : packages) {
      ASSERT_EQ(package.at.has_value(), placed);
      if (placed) {
        EXPECT_EQ(database.substr(package.at->at, package.at->length), package.name);
      }
    }
  }

  // No truncation and no flipped byte brings more packages than there are, or hangs.
  static void survive(const std::string& database) {
    for (size_t at = 0; at < database.size(); at += 499) {
      EXPECT_LE(read_rpm_database(Bytes(std::string_view(database).substr(0, at))).packages.size(), 2u);
      std::string damaged = database;
      damaged[at] = static_cast<char>(~damaged[at]);
      EXPECT_LE(read_rpm_database(Bytes(damaged)).packages.size(), 2u) << at;
    }
  }

  Scratch scratch_;
  std::string sqlite_;
  std::vector<std::string> headers_;
};

TEST_F(RpmDatabases, ReadsSqlite) {
  expect_both(sqlite_, false);
  survive(sqlite_);
}

TEST_F(RpmDatabases, ReadsNdb) {
  const std::string ndb = ndb_database(headers_);
  expect_both(ndb, true);
  survive(ndb);
}

TEST_F(RpmDatabases, OneDamagedPackageCostsItselfAlone) {
  std::string ndb = ndb_database(headers_);
  ndb[4096] = 'x';  // the magic of the first block
  const RpmDatabase read = read_rpm_database(Bytes(ndb));
  EXPECT_EQ(read.packages.size(), 1u);
  ASSERT_EQ(read.problems.size(), 1u);
  EXPECT_EQ(read.problems[0].offset, 4096u);
}

TEST_F(RpmDatabases, ReadsBerkeleyDb) {
  if (!has_tool("db5.3_load")) GTEST_SKIP() << "no db5.3_load";
  for (const char* order : {"1234", "4321"}) {
    const std::string bdb = bdb_database(scratch_, headers_, order);
    ASSERT_FALSE(bdb.empty());
    const RpmDatabase read = read_rpm_database(Bytes(bdb));
    EXPECT_EQ(read.packages.size(), 2u) << order;
    EXPECT_TRUE(read.problems.empty());
    survive(bdb);
  }
}

TEST(RpmDatabase, BoundsTheWorkOfAHostileSchema) {
  if (!has_tool("sqlite3")) GTEST_SKIP() << "no sqlite3";
  const Scratch scratch;
  output_of("sqlite3 " + scratch.path +
            "/db 'CREATE VIEW Packages AS WITH RECURSIVE n(hnum) AS (SELECT 1 UNION ALL SELECT hnum+1 FROM n) "
            "SELECT hnum, randomblob(9) AS blob FROM n'");
  const RpmDatabase read = read_rpm_database(Bytes(read_file(scratch.path + "/db")));
  EXPECT_TRUE(read.packages.empty());
  ASSERT_FALSE(read.problems.empty());
}

TEST(RpmDatabase, SaysWhatItIsNot) {
  const RpmDatabase read = read_rpm_database(Bytes("something else that is long enough"));
  ASSERT_EQ(read.problems.size(), 1u);
  EXPECT_EQ(read.problems[0].fault, Fault::kUnsupported);
}

}  // namespace
}  // namespace assay::system
