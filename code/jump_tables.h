// Where an indirect jump goes: the table its target is read from, as the values of registers show it.
#pragma once
#include "code/analysis.h"
#include "code/values.h"

#include <map>

namespace assay::code {

struct Switch {
  uint64_t table = 0, end = 0;  // end: behind the last entry that was read
  uint64_t counted_from = 0;    // what the index is added to
  uint8_t entry_size = 0;
  std::vector<uint64_t> places;            // where control goes, ascending, each once
  bool bounded = false, compared = false;  // compared: comparisons bound its index
  bool guessed = false;                    // no table: where else control goes that no other way leads to
  std::vector<Range> data;                 // bytes of the table, where it lies in code
};

// What the target of an indirect jump turns out to be.
struct Destination {
  enum Kind : uint8_t { kUnknown, kSwitch, kOpenSwitch, kAddress, kImport } kind = kUnknown;
  uint64_t base = 0;     // of what is not known: a place within that something is added to; 0: none
  uint64_t address = 0;  // or index of the import
  Switch table;
};

// Where tables begin, and what their indexes are added to.
using Tables = std::map<uint64_t, uint64_t>;

// `within`: where targets may lie, from the function's start to the next start that is known.
Destination destination(const Program& program, const Machine& machine, State state, const Op& jump, Range within,
                        const Tables& tables);

}  // namespace assay::code
