// Small things every report needs.
#pragma once
#include "core/finding.h"

#include <string>

namespace assay::report {

std::string full_way(const Examination& examination, std::string_view way);  // with the image's name before it
std::string date_of(int64_t seconds);                                        // YYYY-MM-DD, UTC

}  // namespace assay::report
