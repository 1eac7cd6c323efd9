// What the tables for exceptions say of functions: where each, or each piece of one, begins and ends.
#pragma once
#include "code/program.h"

namespace assay::code {

// .eh_frame, found by its section, by the header that programs with a dynamic linker have, or by what it looks like: a
// static program has neither once its section table is gone. Adds to Program::seeds and Program::unwound.
void seed_frames(const elf::File& file, Program& program);

}  // namespace assay::code
