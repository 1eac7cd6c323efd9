// Where functions start, in stripped files too: what the file's tables state, what calls and jumps reach, what pointers
// point at, and what lies in the gaps. Each start says how it was found and how sure that is.
#pragma once
#include "code/program.h"

namespace assay::code {

struct Function {
  uint64_t address = 0, size = 0;
  Processor processor = Processor::kUnknown;
  Found found = Found::kCall;
  Sure sure = Sure::kHigh;
  std::string name;  // as the file's symbols have it; "" : none
};

struct Functions {
  std::vector<Function> all;                   // ascending, one per address
  uint64_t instructions = 0, undecodable = 0;  // read; bytes met on the way that are none
  uint64_t code_bytes = 0;                     // executable
  uint64_t incomplete = 0;                     // functions whose values are not followed to the end
  uint64_t unsettled = 0;                      // functions that were to be read once more and were not: enough
  uint64_t unshaped = 0;                       // functions with too tangled a graph for dominators and loops
  uint64_t indirect_jumps = 0, indirect_calls = 0, indirect_calls_resolved = 0;
};

Functions find_functions(const Program& program);

}  // namespace assay::code
