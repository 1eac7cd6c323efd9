// See sysctl_settings.h.
#include "checks/sysctl_settings.h"

#include "checks/words.h"

namespace assay::checks {

std::vector<const Setting*> sysctls(const Facts& facts, std::span<const std::string_view> names) {
  std::vector<const Setting*> out;
  for (const Setting& s : facts.settings)
    if (s.kind == "sysctl" && is_one_of(sysctl_name(s.name), names)) out.push_back(&s);
  return out;
}

const Component* kernel_of(const Facts& facts) {
  for (const Component& c : facts.components)
    if (c.how == "kernel") return &c;
  return nullptr;
}

}  // namespace assay::checks
