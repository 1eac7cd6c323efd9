// Opcodes by what LLVM calls them.
#pragma once
#include <algorithm>
#include <initializer_list>
#include <string_view>

namespace assay::code {

inline bool one_of(std::string_view name, std::initializer_list<std::string_view> names) {
  return std::ranges::find(names, name) != names.end();
}

}  // namespace assay::code
