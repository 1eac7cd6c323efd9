#include "core/json_parse.h"

#include <nlohmann/json.hpp>

namespace assay {
namespace {

constexpr size_t kDeepest = 64;

// The byte at which it nests deeper than that outside of strings; npos: it does not.
size_t too_deep_at(std::string_view text) {
  size_t depth = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"')
      in_string = !in_string;
    else if (in_string)
      i += c == '\\';
    else if ((c == '[' || c == '{') && ++depth > kDeepest)
      return i;
    else if ((c == ']' || c == '}') && depth > 0)
      --depth;
  }
  return std::string_view::npos;
}

}  // namespace

Result<nlohmann::json> parse_json(std::string_view text, std::string_view what) {
  const auto refuse = [&](const std::string& why, size_t at) {
    return fail(Fault::kMalformed, std::string(what) + ": " + why + " at byte " + std::to_string(at), at);
  };
  const size_t deep = too_deep_at(text);
  if (deep != std::string_view::npos) return refuse("JSON nested more than 64 deep", deep);
  try {
    return nlohmann::json::parse(text);
  } catch (const nlohmann::json::parse_error& error) {
    return refuse("not JSON, or damaged or truncated", error.byte);
  } catch (const nlohmann::json::exception&) {
    return refuse("JSON with a number that cannot be held, somewhere before", text.size());
  }
}

}  // namespace assay
