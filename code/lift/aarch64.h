// What the parts of the AArch64 lifter share: aarch64.cc lifts, aarch64_flags.cc says what is read and written of the
// flags.
#pragma once
#include "code/lift/nzcv.h"

namespace assay::code::lift::aarch64 {

constexpr FlagRegisters kFlags = FlagRegisters::at(32);

void bind_flag_use(Isa& isa);

}  // namespace assay::code::lift::aarch64
