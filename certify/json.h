// The little JSON that certificates need to be written in one way only. Readers parse with a library, write again with
// these, and compare bytes: so no two files say the same.
#pragma once
#include <string>
#include <string_view>

namespace assay::certify {

// A JSON string (RFC 8259): escapes what must be escaped and nothing else; bytes that are not UTF-8 become \xNN text
// as everywhere in Assay.
std::string json_string(std::string_view text);

}  // namespace assay::certify
