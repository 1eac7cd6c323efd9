// Small things every report needs.
#pragma once
#include "core/finding.h"

#include <string>

namespace assay::report {

std::string full_way(const Examination& examination, std::string_view way);  // with the image's name before it

}  // namespace assay::report
