// The sections of a declaration, for what reads it and what writes it: one table, so that both know the same keys.
#pragma once
#include "checks/check.h"

#include <vector>

namespace assay::checks {

constexpr size_t kMostEntries = 10000;  // of one section
constexpr size_t kLongestDeclared = 255;

struct Section {
  std::string_view name;
  std::vector<std::string_view> keys, required;  // of its entries
  std::vector<Declared> Declaration::* entries;
  bool Declaration::* present;
};
const std::vector<Section>& sections();  // in the alphabet
std::span<const std::string_view> protocols();

}  // namespace assay::checks
