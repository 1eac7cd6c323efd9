// What the four sysctl checks share: finding a setting by its name, whatever it is written like.
#pragma once
#include "checks/check.h"

namespace assay::checks {

// Settings of kind sysctl with one of these names (sysctl_name form).
std::vector<const Setting*> sysctls(const Facts& facts, std::span<const std::string_view> names);
// The kernel's own component, or null: where no kernel was found nothing can be said about its defaults.
const Component* kernel_of(const Facts& facts);

}  // namespace assay::checks
