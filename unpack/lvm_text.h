// The text in which LVM2 keeps what a volume group consists of: sections of names, numbers, texts and lists.
#pragma once
#include "core/result.h"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace assay::unpack {

struct LvmSection {
  std::string name;
  std::map<std::string, std::vector<std::string>, std::less<>> values;  // a single value is a list of one
  std::vector<LvmSection> sections;                                     // in the order of the text

  const LvmSection* section(std::string_view wanted) const;
  std::string_view text(std::string_view wanted) const;  // empty: not there
  std::optional<uint64_t> number(std::string_view wanted) const;
};

Result<LvmSection> read_lvm_text(std::string_view text);

}  // namespace assay::unpack
