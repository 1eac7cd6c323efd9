// When the makers of software stopped, or will stop, to mend a line of it.
#pragma once
#include <span>
#include <string>
#include <string_view>

namespace assay::checks {

struct SupportEnd {
  std::string_view names;  // of the component, separated by blanks, lower case
  std::string_view line;   // "1.0.2": this version and what begins "1.0.2." or "1.0.2" and a letter; "<4.9": all older
  std::string_view ended;  // YYYY-MM-DD; for "<": the latest of them
};

extern const std::string_view kSupportEndsSource;  // whose dates, and as of when
std::span<const SupportEnd> support_ends();

// The row for a component, or null: not known, which is not the same as supported.
const SupportEnd* support_end(std::string_view name, std::string_view version);

}  // namespace assay::checks
