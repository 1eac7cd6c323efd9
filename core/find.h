// Finding one text in many bytes.
#pragma once
#include <string_view>

namespace assay {

// As text.find(needle, from), by the C library's memmem: several times faster where the needle's first byte is common.
size_t find_text(std::string_view text, std::string_view needle, size_t from = 0);

}  // namespace assay
