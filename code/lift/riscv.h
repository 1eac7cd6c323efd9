// What the files of the RISC-V lifter share.
#pragma once
#include "code/lift/machine.h"

namespace assay::code::lift {

std::span<const Handler> riscv_data();  // arithmetic, multiplication and division, bits
void bind_riscv_memory(Isa& isa);       // loads, stores, fences, atomic operations

// make_riscv adds them behind the 32 integer registers: whether a reservation is held, and for which address.
constexpr RegisterId kRiscvReserved = 32, kRiscvReservedAddress = 33;

}  // namespace assay::code::lift
