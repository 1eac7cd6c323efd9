// States that a comparison with the emulator leaves out, by what an instruction finds in its registers.
//
// MIPS64: "If GPR rt does not contain a sign-extended 32-bit value (bits 63..31 equal), then the result of the
// operation is UNPREDICTABLE" (volume II, SRA and others). With most of these instructions emulator and lifter agree
// all the same; with those named in words.cc the emulator takes all 64 bits.
//
// RISC-V, 64 bits: amomin.w, amomax.w and their unsigned kin compare words (volume I, chapter "A"). The emulator
// compares the whole register with the word zero-extended (github.com/unicorn-engine/unicorn/pull/1922, later than
// version 2.0.1). Its 32-bit machine compares right, and there nothing is left out.
#pragma once
#include "code/lift/machine.h"
#include "lift/interpreter.h"

#include <vector>

namespace assay::code::lift {

// What has to hold before an instruction of a straight line, and what leads up to it.
struct NeedsWords {
  enum class Kind : uint8_t {
    kSigned,    // the registers hold sign-extended words
    kUnsigned,  // zero-extended ones
    kPositive,  // words that are the same either way, and so does memory at `address`
  };
  ir::Function before;
  Kind kind = Kind::kSigned;
  std::vector<RegisterId> registers;
  RegisterId address = ir::kNoRegister;
};

std::vector<NeedsWords> needing_words(const Isa& isa, std::span<const Insn> insns);
// Whether one of them is reached without, from `state`; which is left as it was.
bool without_words(const std::vector<NeedsWords>& all, const ir::State& state);

}  // namespace assay::code::lift
