// No verdict depends on a name: every maker's and product's name that an image's own metadata states, and a list of
// known ones, is replaced in all facts (format notes, ways, texts), in the declaration and in the input's name; all
// verdicts must be the same. What lies inside file systems is replaced in their bytes by fairness_test.py.
#include "certify/policy.h"
#include "checks/draft.h"
#include "checks/words.h"
#include "core/date.h"
#include "core/text.h"

#include <gtest/gtest.h>
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <set>

namespace assay::certify {
namespace {

constexpr const char* kAsOf = "2026-11-01";

// As long, of the same kinds of letters, and nobody's: each letter and digit the next one.
std::string other(std::string text) {
  for (char& c : text) {
    const bool last = c == 'z' || c == 'Z' || c == '9';
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
      c = static_cast<char>(last ? c - 25 : c + 1);
    else if (c >= '0' && c <= '9')
      c = static_cast<char>(last ? '0' : c + 1);
  }
  return text;
}

// Walks every field and replaces names, whatever their case.
struct Rename {
  std::set<std::string> names;  // lower case
  size_t count = 0;

  template <class T>
  void operator()(std::string_view, T& value) {
    put(value);
  }
  void put(std::string& text) {
    for (const std::string& name : names) {
      const std::string low = checks::lower(text);
      for (size_t at = low.find(name); at != std::string::npos; at = low.find(name, at + name.size())) {
        text.replace(at, name.size(), other(text.substr(at, name.size())));
        ++count;
      }
    }
  }
  template <class T>
  void put(std::vector<T>& list) {
    for (T& one : list) put(one);
  }
  template <class T>
  void put(std::optional<T>& value) {
    if (value) put(*value);
  }
  template <class T>
  void put(T& value) {
    if constexpr (requires { T::fields(value, *this); }) T::fields(value, *this);
  }
};

std::set<std::string> names_of(const Examination& e) {
  std::set<std::string> out = {"tp-link",  "tplink",  "d-link",   "dlink",   "netgear", "linksys", "openwrt",
                               "broadcom", "atheros", "qualcomm", "realtek", "zyxel",   "huawei",  "mediatek"};
  for (const FormatNote& n : e.facts.format_notes)
    if (n.name == "vendor" || n.name == "product" || n.name == "model" || n.name == "board")
      for (const std::string_view word : words(n.value))
        if (word.size() >= 4) out.insert(checks::lower(word));
  return out;
}

// Half of what is there stays undeclared, so that the verdicts over it say something.
checks::Declaration half_of(const Examination& e) {
  checks::Declaration out = checks::draft(e.facts, e.findings).declaration;
  for (auto* list : {&out.services, &out.accounts, &out.software, &out.communications}) {
    const size_t half = list->size() / 2;
    list->resize(half);
  }
  out.network_class = "cpe-router";
  out.names = {"TP-LINK", "Netgear Linksys", "DIR", "1", "1", "https://openwrt.example/m"};
  return out;
}

std::vector<Judgement> verdicts_on(Examination e, const checks::Declaration& declaration) {
  const auto day = seconds_of_date(kAsOf);
  e.findings =
      checks::judge({.facts = e.facts, .declaration = &declaration, .as_of = kAsOf, .as_of_seconds = day ? *day : 0});
  const Examination* one = &e;
  const Evidences evidence = gather({&one, 1}, &declaration);
  std::vector<Judgement> out;
  for (const Embedded& ready : embedded_policies())
    for (Judgement& j : evaluate(*read_policy(ready.text), evidence)) out.push_back(std::move(j));
  return out;
}

size_t count(const std::vector<Judgement>& all, Verdict verdict) {
  return static_cast<size_t>(std::ranges::count(all, verdict, &Judgement::verdict));
}

void expect_the_same(const Examination& e) {
  Rename rename{names_of(e)};
  const checks::Declaration declaration = half_of(e);
  Examination renamed = e;
  rename.put(renamed.facts);
  rename.put(renamed.name);
  checks::Declaration others = declaration;
  rename.put(others);
  rename.put(others.names.vendor);
  rename.put(others.names.product);
  EXPECT_GT(rename.count, 20u) << "too little was replaced to show anything";
  const auto one = verdicts_on(e, declaration), two = verdicts_on(renamed, others);
  ASSERT_EQ(one.size(), two.size());
  for (size_t i = 0; i < one.size(); ++i) {
    EXPECT_EQ(one[i].verdict, two[i].verdict) << one[i].ref;
    EXPECT_EQ(one[i].because, two[i].because) << one[i].ref;
    EXPECT_EQ(one[i].records.size(), two[i].records.size()) << one[i].ref;
  }
  EXPECT_GT(count(one, Verdict::kFail), 2u);
  EXPECT_GT(count(one, Verdict::kPass), 2u);
}

TEST(Fairness, NamesInMetadataDecideNothing) {
  const char* source = std::getenv("ASSAY_SOURCE");
  if (source == nullptr) GTEST_SKIP() << "ASSAY_SOURCE is not set";
  const std::string folder = std::string(source) + "/../shared/firmware/";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no " << folder;
  for (const char* name : {"openwrt-wr703n-factory.bin"}) {
    engine::Options options;
    options.input = folder + name;
    options.workers = 2;
    options.as_of = kAsOf;
    const auto inspection = engine::Inspection::run(options);
    ASSERT_TRUE(inspection) << inspection.error().what;
    expect_the_same(inspection->examination());
  }
}

}  // namespace
}  // namespace assay::certify
