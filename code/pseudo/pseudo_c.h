// A function as pseudo-C: expressions folded, strings and names in place of addresses, if, while and switch where the
// graph of its blocks allows, goto elsewhere. For reading; what is proved is proved on the intermediate language.
#pragma once
#include "code/reading.h"

namespace assay::code {

// Each line with the address of the first instruction it comes from. Empty: `why` says what stands in the way.
std::vector<CodeLine> pseudo_c(Reading& reading, uint32_t function, std::string& why);

}  // namespace assay::code
