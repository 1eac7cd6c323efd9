// Small things every report needs.
#pragma once
#include "core/finding.h"

#include <string>

namespace assay::report {

std::string full_way(const Examination& examination, std::string_view way);  // with the image's name before it
std::string uri_of(std::string_view way);  // what RFC 3986 does not allow in a path, percent-encoded

}  // namespace assay::report
