// The products that the analysis "versions" knows, and how each states its version.
#pragma once
#include <span>
#include <string_view>

namespace assay::system {

struct VersionRule {
  std::string_view product;  // also the name in pkg:generic/…
  std::string_view anchor;   // the version follows at once
  bool inside = false;       // the anchor may stand inside a string; false: it starts one (so quotations do not count)
  std::string_view follow = {};  // must come behind the version; '#': any blanks, then a digit. Empty: an end of word
};
std::span<const VersionRule> version_rules();

}  // namespace assay::system
