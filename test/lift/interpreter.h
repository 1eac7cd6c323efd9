// The reference interpreter of the intermediate language: one plain case an operation, as docs/ir.md words it. Only
// tests use it. A value that the architecture leaves undefined is carried along as such, so that a comparison with an
// emulator can leave out exactly what depends on it.
#pragma once
#include "code/ir.h"

#include <vector>

namespace assay::code::ir {

struct Cell {
  uint64_t value = 0;
  bool defined = true;
};

// Memory of a test: one area; an access outside of it faults. What is written is noted, so that it can be compared and
// taken back without a copy of the whole.
struct Area {
  struct Write {
    size_t at = 0;
    unsigned count = 0;
    uint64_t old = 0;  // in little-endian order
  };
  uint64_t base = 0;
  std::vector<uint8_t> bytes;
  std::vector<Write> writes;

  bool holds(uint64_t at, unsigned count) const { return at >= base && at - base <= bytes.size() - count; }
  void note(size_t at, unsigned count);
  void undo();  // the last write first
};

struct State {
  std::vector<Cell> registers;
  Area* area = nullptr;
  const Area* code = nullptr;  // may be read, not written
};

struct Outcome {
  enum class Kind : uint8_t { kNext, kJump, kCall, kReturn, kTrap, kOpaque, kFault, kUndefined } kind = Kind::kNext;
  uint64_t next = 0;  // where execution goes on
  Trap trap = Trap::kSystemCall;
  bool unaligned = false;  // some access was not at a multiple of its size
};

// Runs one block. Stops at an opaque operation, at a fault and where the way on depends on an undefined value.
Outcome run(const Function& function, const Block& block, State& state);
// The value of a pure operation whose operands are given; shared with the tests of the simplifier.
uint64_t evaluate(Code code, unsigned bits, unsigned source_bits, uint64_t a, uint64_t b, uint64_t c);

}  // namespace assay::code::ir
