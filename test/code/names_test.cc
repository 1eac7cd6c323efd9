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

TEST(Names, WhatAPackMultipliesWithEveryLevelStaysMangled) {
  // void f<int, …>(X<int, X<int, …>, X<int, …>, …>, …): expansions within expansions of thirty arguments.
  const auto nested = [](int levels, int arguments) {
    std::string name = "_Z1fIJ" + std::string(static_cast<size_t>(arguments), 'i') + "EEvDp";
    for (int level = 0; level < levels; ++level) name += "1XIT_Dp";
    return name + "T_" + std::string(static_cast<size_t>(levels), 'E');
  };
  Names names;
  EXPECT_EQ(names.shown(nested(6, 30)), nested(6, 30));
  EXPECT_EQ(names.shown(nested(1, 2)), "void f<int, int>(X<int, int, int>, X<int, int, int>)");
}

TEST(Names, LongNamesStayMangled) {
  const std::string name = "_Z600" + std::string(600, 'a') + "v";
  Names names;
  EXPECT_EQ(names.shown(name), name);
}

}  // namespace
}  // namespace assay::code
