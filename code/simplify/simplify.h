// Simplification of the intermediate language: fewer and plainer operations that do the same. The schedule is a table
// in simplify.cc; every step counts what it did.
//
// What stays the same: memory, and every register where control leaves the function or a trap or an opaque operation
// looks at it. What need not: registers after a load or store that faults; what the convention says nobody reads.
#pragma once
#include "code/processor.h"
#include "code/simplify/register_set.h"
#include "code/simplify/rule.h"

namespace assay::code::ir {

// What functions of one CPU agree upon. The default assumes nothing.
struct Convention {
  RegisterId stack = kNoRegister, frame = kNoRegister;  // restored by whoever is called
  // What means nothing to whoever is called, or returned to: flags, MIPS's hi and lo. ARM has helpers of the compiler
  // that return flags (__aeabi_cdcmple, "Run-time ABI for the Arm Architecture", 4.1.2).
  RegisterSet lost_at_call, lost_at_return;
  uint64_t mode_bit = 0;            // of code addresses: what is no part of the address
  uint8_t return_pops = 0;          // bytes that a return takes off the stack
  bool arguments_on_stack = false;  // all that a function is handed lies there (i386)
  bool calls_keep_frame = false;    // a called function leaves alone what of its caller's frame it was not handed
};
Convention convention_of(Processor processor, const RegisterFile& file);

struct Counters {
  std::vector<uint64_t> rules;  // one per rule
  uint64_t operations_before = 0, operations_after = 0;
  uint64_t folded = 0;       // operations of constants alone
  uint64_t copies = 0;       // reads of a register whose value is known
  uint64_t common = 0;       // values that were there already
  uint64_t guards = 0;       // effects that always or never happen
  uint64_t same_writes = 0;  // of what the register holds
  uint64_t dead_writes = 0;  // of registers that nobody reads again
  uint64_t dead_values = 0;
  uint64_t slots = 0, slot_accesses = 0;  // stack slots made variables
  uint64_t budgets = 0;                   // how often a budget ended a step early; what is left is right, not simplest

  Counters() : rules(ir::rules().size()) {}
  void add(const Counters& other);
};
// One line a counter that is not 0.
std::string print(const Counters& counters);

struct Options {
  Convention convention;
  // Whether the blocks are a function: where one leaves for another, only what that one reads matters. False: each
  // stands alone.
  bool whole = true;
};

// Both work in time linear in the operations, apart from a bounded number of rounds over the blocks.
void simplify(Function& function, const Options& options, Counters& counters);
template <unsigned kWords>
class SweepOf;
using Sweep = SweepOf<2>;
// The steps that look at the function as a whole, for one that a Rewriter has made and whose blocks `sweep` has swept.
void simplify_rewritten(Function& function, Sweep& sweep, const Options& options, Counters& counters);

// ---- the steps

// Folds constants, applies the rules, reads registers from where they were written.
void rewrite(const Function& function, Function& out, Sweep& sweep, const Options& options, Counters& counters);
// Removes writes that nobody reads and values that nobody uses.
void sweep(Function& function, const Options& options, Counters& counters);
// Makes variables of the stack slots of a function whose frame's addresses stay in its hands.
void slots_to_variables(Function& function, const Options& options, Counters& counters);
// Rewrites again where slots became variables since.
void rewrite_again(Function& function, const Options& options, Counters& counters);

}  // namespace assay::code::ir
