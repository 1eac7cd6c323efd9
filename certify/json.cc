#include "certify/json.h"

#include "core/text.h"

#include <nlohmann/json.hpp>

namespace assay::certify {

std::string json_string(std::string_view text) {
  const nlohmann::json string = std::string(text);
  try {
    return string.dump();
  } catch (const nlohmann::json::exception&) {  // not UTF-8
    return nlohmann::json(escape(text)).dump();
  }
}

}  // namespace assay::certify
