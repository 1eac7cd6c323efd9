// Base 64 of RFC 4648 section 4, one encoding per value: no white space, padding always, unused bits zero.
#pragma once
#include "core/result.h"

namespace assay::certify {

std::string base64(std::string_view bytes);
Result<std::string> from_base64(std::string_view text, std::string_view field);  // kMalformed

}  // namespace assay::certify
