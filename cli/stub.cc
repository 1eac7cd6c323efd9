#include "checks/check.h"
namespace assay::checks {
__attribute__((weak)) std::vector<Finding> judge(const Input&) { return {}; }
__attribute__((weak)) std::vector<Rule> rules() { return {}; }
__attribute__((weak)) std::span<const Check* const> checks() { return {}; }
__attribute__((weak)) Result<Declaration> read_declaration(std::string_view) { return Declaration{}; }
}  // namespace assay::checks
