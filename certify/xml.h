// The XML that test tools write (XML 1.0, fifth edition): elements, attributes, references to the five entities and to
// characters. A document type is skipped and defines nothing; text between elements is not kept.
#pragma once
#include "core/result.h"

#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace assay::certify::xml {

using Attributes = std::map<std::string, std::string>;
struct Visitor {
  std::function<void(const std::string& name, const Attributes& attributes)> open;
  std::function<void(const std::string& name)> close;
};

// kMalformed with the offset: not well formed. At most 64 elements deep.
Result<void> read(std::string_view text, const Visitor& visitor);

}  // namespace assay::certify::xml
