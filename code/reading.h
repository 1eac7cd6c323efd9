// One program read whole, with the words that people use for its addresses.
#pragma once
#include "code/analysis.h"
#include "code/names.h"
#include "core/code.h"

namespace assay::code {

class Reading {
 public:
  explicit Reading(const Program& from);

  const Program& program;
  Analysis analysis;

  CodeUnit unit() const;
  CodeFunction function(uint32_t index);
  std::string name(uint32_t function);      // "" : none
  std::string name_at(uint64_t address);    // of the function that starts there, or of the import that is reached there
  std::string meaning(const Reference& r);  // the string in quotes, or a name; "" : nothing to say
  CodeCall call(const Call& c);
  CodeReference reference(const Reference& r);

  std::span<const Reference> references_from(uint64_t address) const;
  std::span<const Call> calls_from(uint64_t address) const;  // a call, and the callbacks that it is given
  std::vector<uint32_t> functions_named(std::string_view name);
  std::vector<uint32_t> imports_named(std::string_view name);

 private:
  Names names_;
  std::vector<std::pair<uint64_t, uint32_t>> ways_;  // addresses that lead to an import, and which; ascending
};

}  // namespace assay::code
