// What a pure operation yields for given operands, as docs/ir.md words it. The tests' interpreter has an evaluation of
// its own; a test holds both equal.
#pragma once
#include "code/ir.h"

namespace assay::code::ir {

// `bits`: of the value; `from`: of the operands. Not for constants, gets and undefined values.
uint64_t fold(Code code, unsigned bits, unsigned from, uint64_t a, uint64_t b, uint64_t c);

}  // namespace assay::code::ir
