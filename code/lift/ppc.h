// What the parts of the PowerPC lifter share. Arithmetic, logic and compares lie in ppc_data.cc, memory in
// ppc_memory.cc, control flow and registers in ppc.cc.
#pragma once
#include "code/lift/machine.h"

namespace assay::code::lift::ppc {

// make_ppc adds them in this order: r0 to r31, lr, ctr, the parts of XER, the reservation, and the four flags of each
// of the eight condition fields.
constexpr RegisterId kLink = 32, kCount = 33, kOverflowed = 34, kOverflow = 35, kCarry = 36, kStringCount = 37;
constexpr RegisterId kReserved = 38, kReservedAddress = 39, kConditions = 40;

struct Field {
  Value less = 0, greater = 0, equal = 0;
};
// Writes a condition field, whose first flag is `first`; the fourth flag is XER's summary overflow.
void put_field(Machine& m, RegisterId first, const Field& field);

void bind_data(Isa& isa);
void bind_memory(Isa& isa);

}  // namespace assay::code::lift::ppc
