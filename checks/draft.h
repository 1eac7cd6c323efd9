// A draft of a declaration: what an image holds, written as a declaration for its vendor to edit. Fed back as it is, it
// makes nothing undeclared; what it says is therefore not yet a statement of anybody.
#pragma once
#include "checks/check.h"

#include <map>

namespace assay::checks {

struct Draft {
  Declaration declaration;
  std::map<std::string_view, std::vector<std::string>> seen;  // by section: beside each entry, where it was seen
  std::vector<std::string> head;                              // lines of comment before everything
  std::vector<std::string> hints;                             // what the image says of its names
  std::vector<std::string> left_out;                          // what was seen and cannot be written, and why
};

// What stands in a draft until the vendor explains a function.
inline constexpr std::string_view kUnexplained = "(to be explained by the vendor)";

Draft draft(const Facts& facts, const std::vector<Finding>& findings);

// YAML that read_declaration reads back to the same declaration. kLimit: longer than a declaration may be.
Result<std::string> declaration_yaml(const Draft& draft);

}  // namespace assay::checks
