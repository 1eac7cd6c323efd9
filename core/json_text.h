// JSON (RFC 8259) that Assay writes, as text. In one place because the library's writer is long to compile.
#pragma once
#include <nlohmann/json_fwd.hpp>

#include <string>

namespace assay {

// `indent` spaces a level; -1: all on one line. Bytes that are no UTF-8 are written as U+FFFD.
std::string json_text(const nlohmann::ordered_json& value, int indent = -1);
std::string json_text(const nlohmann::json& value, int indent = -1);

}  // namespace assay
