// What a lifter says an instruction writes against what the decoder says: registers, memory, and where control goes.
// Both come from different hands: the lifter's from the manual, the decoder's from LLVM's tables.
#pragma once
#include "code/lift/machine.h"

#include <string>

namespace assay::code::lift {

// Lifts `code` as one block and compares each of its instructions; then simplifies it, prints it and reads it again.
// Empty: all agree. Else one line a disagreement.
std::string disagreements(const Isa& isa, Decoder& decoder, std::span<const std::byte> code);

}  // namespace assay::code::lift
