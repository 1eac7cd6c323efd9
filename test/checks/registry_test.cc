// Every check: its texts, its numbers, its pair of cases, its blindness to names.
#include "core/hash.h"
#include "core/text.h"
#include "test/checks/pairs.h"

#include <gtest/gtest.h>
#include <algorithm>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

namespace assay::checks::test {

std::vector<Pair> all_pairs() {
  std::vector<Pair> out = account_pairs();
  for (const auto& more : {key_pairs(), service_pairs()}) out.insert(out.end(), more.begin(), more.end());
  return out;
}

std::vector<Finding> findings(const Case& one) {
  return judge({.facts = one.facts,
                .declaration = one.declaration ? &*one.declaration : nullptr,
                .as_of = std::string(kAsOf),
                .as_of_seconds = kAsOfSeconds});
}

std::vector<Finding> findings(const Case& one, std::string_view rule) {
  std::vector<Finding> out;
  for (Finding& f : findings(one))
    if (f.rule == rule) out.push_back(std::move(f));
  return out;
}

namespace {

std::set<std::string> stated(const Case& one) {
  std::set<std::string> out;
  for (const Finding& f : findings(one)) out.insert(f.rule);
  return out;
}

TEST(Checks, EachHasAPairThatSpeaksAndStaysSilent) {
  std::map<std::string_view, Pair> pairs;
  for (Pair& p : all_pairs()) {
    const std::string_view id = p.id;
    EXPECT_TRUE(pairs.emplace(id, std::move(p)).second) << id << " has two pairs";
  }
  for (const Check* check : checks()) {
    const auto pair = pairs.find(check->id);
    ASSERT_NE(pair, pairs.end()) << check->id << " has no pair of cases in test/checks/pairs_*_test.cc";
    EXPECT_TRUE(stated(pair->second.speaks).contains(std::string(check->id))) << check->id << " stays silent";
    EXPECT_FALSE(stated(pair->second.silent).contains(std::string(check->id))) << check->id << " speaks on its twin";
  }
  EXPECT_EQ(pairs.size(), checks().size()) << "a pair names no check";
  EXPECT_GE(checks().size(), 34u);
}

TEST(Checks, NothingIsStatedAboutNothing) { EXPECT_TRUE(findings(Case{}).empty()); }

TEST(Checks, IdsAreUniqueAndAlphabetical) {
  std::vector<std::string_view> ids;
  for (const Check* check : checks()) ids.push_back(check->id);
  EXPECT_TRUE(std::ranges::is_sorted(ids));
  EXPECT_EQ(std::set<std::string_view>(ids.begin(), ids.end()).size(), ids.size());
  for (const std::string_view id : ids) {
    EXPECT_EQ(id.find_first_not_of("abcdefghijklmnopqrstuvwxyz_."), std::string_view::npos) << id;
    EXPECT_EQ(std::ranges::count(id, '.'), 1) << id;
  }
}

TEST(Checks, TextsAndNumbersAreThere) {
  for (const Check* check : checks()) {
    for (const std::string_view text : {check->title, check->means, check->misses, check->mistakes})
      EXPECT_GE(text.size(), 10u) << check->id;
    for (const std::string_view text : {check->means, check->misses, check->mistakes})
      EXPECT_TRUE(text.ends_with('.')) << check->id << ": " << text;
    EXPECT_FALSE(check->title.ends_with('.')) << check->id;
    EXPECT_GE(check->version, 1u);
    EXPECT_NE(check->run, nullptr);
    EXPECT_FALSE(check->cwe.empty()) << check->id;
    for (const uint32_t cwe : check->cwe) EXPECT_TRUE(cwe >= 15 && cwe <= 1434) << check->id << ": CWE-" << cwe;
    const bool has_no_test_case = check->id == "encrypted.not_examined" || check->id == "image.documented_key";
    EXPECT_TRUE(!check->requirements.empty() || has_no_test_case) << check->id;
  }
}

TEST(Checks, RulesPrintEveryCheck) {
  const std::vector<Rule> all = rules();
  ASSERT_EQ(all.size(), checks().size());
  for (size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(all[i].id, checks()[i]->id);
    EXPECT_EQ(all[i].misses, checks()[i]->misses);
    EXPECT_EQ(all[i].requirements.size(), checks()[i]->requirements.size());
  }
}

// The catalogue is not part of the source: it lies beside the checkout where the project is made.
TEST(Checks, RequirementsStandInTheScasCatalogue) {
  const char* source = std::getenv("ASSAY_SOURCE");
  const std::string path = "/schemas/scas-catalogue.tsv";
  std::ifstream file;
  for (const char* up : {"/../shared", "/../../shared"}) {
    if (file.is_open()) break;
    file.open((source == nullptr ? std::string(".") : std::string(source)) + up + path);
    if (!file) file.close();
  }
  if (!file.is_open()) GTEST_SKIP() << "no ../shared" << path << " beside the source";
  std::set<std::string> known;
  for (std::string line; std::getline(file, line);) {
    const auto fields = split(line, '\t');
    if (fields.size() > 3) known.insert(std::string(fields[0]) + " " + std::string(fields[3]));
  }
  ASSERT_GT(known.size(), 100u);
  for (const Check* check : checks())
    for (const std::string_view id : check->requirements)
      EXPECT_TRUE(known.contains(std::string(id))) << check->id << ": " << id;
}

// Replaces each component of each way by a word that depends on it alone, container ids excepted (they are no names).
class Renamer {
 public:
  std::string way(const std::string& old) const {
    std::string out;
    for (const std::string_view piece : split(old, '/')) {
      if (!out.empty() || piece.data() != old.data()) out += '/';
      const bool container = piece == "trx" || piece == "part1" || piece == "squashfs" || piece == "uimage";
      out += container ? std::string(piece) : "n" + sha256(Bytes(piece)).hex().substr(0, 8);
    }
    return old.empty() ? old : out;
  }
  template <class T>
  void operator()(std::string_view name, T& field) {
    if constexpr (std::is_same_v<T, std::string>) {
      if (is_way(name)) field = way(field);
    } else if constexpr (requires { T::fields(field, *this); }) {
      T::fields(field, *this);
    } else if constexpr (requires {
                           typename T::value_type;
                           field.begin();
                         }) {
      for (auto& one : field) (*this)(name, one);
    }
  }

 private:
  static bool is_way(std::string_view name) {
    return name == "artifact" || name == "resolves_to" || name == "started_by" || name == "root" || name == "cgi";
  }
};

TEST(Checks, NamesOfFilesDecideNoRule) {
  for (const Pair& pair : all_pairs())
    for (const Case& one : {pair.speaks, pair.silent}) {
      Case renamed = one;
      Renamer renamer;
      Facts::fields(renamed.facts, renamer);
      EXPECT_EQ(stated(one), stated(renamed)) << pair.id;
    }
}

TEST(Checks, NoCheckReadsTheNameOfAMaker) {
  constexpr std::string_view kMakers[] = {"huawei",   "zte",     "nokia",    "ericsson", "cisco",   "tp-link",
                                          "tplink",   "d-link",  "netgear",  "linksys",  "samsung", "juniper",
                                          "mikrotik", "tenda",   "zyxel",    "asus",     "belkin",  "fiberhome",
                                          "arris",    "sercomm", "hikvision"};
  const char* source = std::getenv("ASSAY_SOURCE");
  if (source == nullptr) GTEST_SKIP() << "ASSAY_SOURCE is not set";
  for (const Check* check : checks()) {
    std::string file(check->id);
    std::ranges::replace(file, '.', '_');
    std::ifstream in(std::string(source) + "/checks/" + file + ".cc");
    ASSERT_TRUE(in) << file << ".cc: a check lies in the file of its id";
    std::stringstream text;
    text << in.rdbuf();
    std::string lowered = text.str();
    std::ranges::transform(lowered, lowered.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    for (const std::string_view maker : kMakers)
      EXPECT_EQ(lowered.find(maker), std::string::npos) << file << " names " << maker;
  }
}

}  // namespace
}  // namespace assay::checks::test
