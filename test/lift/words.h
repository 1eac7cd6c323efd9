// States that MIPS64 gives no meaning to. "If GPR rt does not contain a sign-extended 32-bit value (bits 63..31 equal),
// then the result of the operation is UNPREDICTABLE" (volume II, SRA and others). With most of these instructions
// emulator and lifter agree all the same; with those named in words.cc the emulator takes all 64 bits.
#pragma once
#include "code/lift/machine.h"
#include "lift/interpreter.h"

#include <vector>

namespace assay::code::lift {

// The registers that have to hold words before an instruction of a straight line, and what leads up to it.
struct NeedsWords {
  ir::Function before;
  std::vector<RegisterId> registers;
};

std::vector<NeedsWords> needing_words(const Isa& isa, std::span<const Insn> insns);
// Whether one of them is reached without, from `state`; which is left as it was.
bool without_words(const std::vector<NeedsWords>& all, const ir::State& state);

}  // namespace assay::code::lift
