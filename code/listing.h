// A function as people read it: its instructions with what their operands stand for, its blocks, its callers.
#pragma once
#include "code/reading.h"

namespace assay::code {

// At most `most` lines; what is left off is counted. `form` as in CodeQuestion.
CodeListing listing(Reading& reading, uint32_t function, uint64_t most, std::string_view form = "");

}  // namespace assay::code
