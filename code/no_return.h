// Functions of the C and C++ libraries that do not come back.
#pragma once
#include <string_view>

namespace assay::code {

bool never_returns(std::string_view name);

}  // namespace assay::code
