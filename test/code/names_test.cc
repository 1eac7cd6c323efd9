// Names as people know them; a name that stands for gigabytes stays as it is.
#include "code/names.h"

#include <gtest/gtest.h>

namespace assay::code {
namespace {

TEST(Names, DemangledWhereTheyAreMangled) {
  Names names;
  EXPECT_EQ(names.shown("_ZN4Gate4openEi"), "Gate::open(int)");
  EXPECT_EQ(names.shown("main"), "main");
  EXPECT_EQ(names.shown("_Z"), "_Z");
  EXPECT_EQ(names.shown(""), "");
}

TEST(Names, WhatDoublesWithEveryLevelStaysMangled) {
  // f(pair<int, int>, pair<that, that>, pair<that, that>, …): 40 levels of two references each.
  std::string name = "_Z1fSt4pairIiiE";
  for (int level = 0; level < 40; ++level) name += "S_IS0_S0_E";
  Names names;
  EXPECT_EQ(names.shown(name), name);
  EXPECT_EQ(names.shown("_Z1fSt4pairIiiES_IS0_S0_E").substr(0, 2), "f(");
}

TEST(Names, LongNamesStayMangled) {
  const std::string name = "_Z600" + std::string(600, 'a') + "v";
  Names names;
  EXPECT_EQ(names.shown(name), name);
}

}  // namespace
}  // namespace assay::code
