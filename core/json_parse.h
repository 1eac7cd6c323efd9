// JSON (RFC 8259) that others wrote. The one place where it is parsed: what nests deeper than 64 is refused before,
// because copying, comparing and writing a value of the library goes down by the machine's stack.
#pragma once
#include "core/result.h"

#include <nlohmann/json_fwd.hpp>

#include <string_view>

namespace assay {

// kMalformed: "WHAT: …" and at which byte.
Result<nlohmann::json> parse_json(std::string_view text, std::string_view what);

}  // namespace assay
