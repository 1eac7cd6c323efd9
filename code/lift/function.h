// A whole function lifted: its blocks as the reading of functions has them, cut wherever control comes back: behind
// calls, behind system calls (the kernel changes registers), around what jumps to itself (x86's rep).
#pragma once
#include "code/analysis.h"
#include "code/lift/machine.h"
#include "code/simplify/simplify.h"

namespace assay::code::lift {

// What of a function is lifted: its instructions, block by block. Control enters at the first.
struct Shape {
  const Program* program = nullptr;
  std::vector<Block> blocks;
};
Shape shape_of(const Program& program, const Analysis& analysis, uint32_t function);

// Lifted and simplified a few instructions at a time, so that the function is never there unsimplified. `isa` is that
// of the function's processor, with the program's byte order of data (isa_for).
void lift_function(const Isa& isa, const Shape& shape, const ir::Options& options, ir::Counters& counters,
                   ir::Function& out);
Isa isa_for(const Program& program, Processor processor);
// Why functions of `processor` are not lifted for readers; "": they are.
std::string refusal(Processor processor);

}  // namespace assay::code::lift
