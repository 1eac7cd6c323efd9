// Where an indirect jump goes: the table its target is read from, as the values of registers show it.
#pragma once
#include "code/analysis.h"
#include "code/values.h"

namespace assay::code {

struct Switch {
  uint64_t table = 0;
  uint8_t entry_size = 0;
  std::vector<uint64_t> places;  // where control goes, ascending, each once
  bool bounded = false;
  bool guessed = false;     // no table: where else control goes that no other way leads to
  std::vector<Range> data;  // bytes of the table, where it lies in code
};

// What the target of an indirect jump turns out to be.
struct Destination {
  enum Kind : uint8_t { kUnknown, kSwitch, kOpenSwitch, kAddress, kImport } kind = kUnknown;
  uint64_t base = 0;     // of what is not known: a place within that something is added to; 0: none
  uint64_t address = 0;  // or index of the import
  Switch table;
};

// `within`: where targets may lie, from the function's start to the next start that is known.
Destination destination(const Program& program, const Machine& machine, State state, const Op& jump, Range within);

}  // namespace assay::code
