// Procedure descriptors of MIPS (.pdr): where each function starts and what its frame is, which GNU's assembler writes
// for debuggers and which firmware of old compilers keeps.
#pragma once
#include "code/program.h"

namespace assay::code {

// Adds to Program::seeds. Linked programs alone: in object files descriptors wait for relocations, and symbols name
// every function.
void seed_procedures(const elf::File& file, Program& program);

}  // namespace assay::code
