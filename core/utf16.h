// UTF-16 as file systems, firmware volumes and registries store names.
#pragma once
#include "core/bytes.h"

#include <string>

namespace assay {

// As UTF-8. Lone surrogates are written like any other character (RFC 3629 has none: is_utf8 then says no); NULs stay.
std::string utf8_of_utf16(Bytes units, Order order);

}  // namespace assay
