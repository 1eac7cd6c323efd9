// Go's own table of functions (runtime.pclntab), which a Go program needs to run and therefore keeps when it is
// stripped: where each function starts and what it is called. Source: golang.org/s/go12symtab; Go's
// src/debug/gosym/pclntab.go and src/internal/abi/symtab.go (layouts of 1.2, 1.16, 1.18 and 1.20).
#pragma once
#include "code/program.h"

namespace assay::code {

// Adds its functions to the seeds. No such table: nothing.
void seed_go(const elf::File& file, Program& program);

}  // namespace assay::code
