// Sources: the calling conventions that registers.cc names. Beside arguments a function may be given: MIPS $t9 and $gp,
// AArch64 x8 and x16 to x18, AMD64 al (how many vector registers) and r10, i386 what GCC passes to local functions in
// eax, edx and ecx, PowerPC r2, r11 to r13, RISC-V gp, tp, t0 and t2.
#include "code/entry.h"

#include <algorithm>

namespace assay::code {
namespace {

constexpr uint64_t bit(Slot slot) { return slot < kSlots ? uint64_t{1} << slot : 0; }

constexpr uint64_t span_of(Slot from, Slot to) {
  uint64_t mask = 0;
  for (Slot s = from; s <= to; ++s) mask |= bit(s);
  return mask;
}

struct Convention {
  uint64_t given, kept;  // beside arguments; what a function leaves as it was
  Slot link;             // where its return address is
};

Convention convention_of(Processor processor) {
  switch (family_of(processor)) {
    case Family::kMips:
      return {bit(25) | bit(28), span_of(16, 23) | bit(30), 31};
    case Family::kArm:
      return {bit(12) | bit(15), span_of(4, 11), 14};  // and the program counter
    case Family::kAArch64:
      return {bit(8) | span_of(16, 18), span_of(19, 29), 30};
    case Family::kX86:
      if (processor == Processor::kX86) return {span_of(0, 2), bit(3) | span_of(5, 7), kNoSlot};
      return {bit(0) | bit(10), bit(3) | bit(5) | span_of(12, 15), kNoSlot};
    case Family::kPpc:
      return {bit(2) | span_of(11, 13) | bit(kCount), span_of(14, 31), kLink};
    case Family::kRiscv:
      return {span_of(3, 5) | bit(7), span_of(8, 9) | span_of(18, 27), 1};
    case Family::kNone:
      break;
  }
  return {~uint64_t{0}, 0, kNoSlot};
}

constexpr uint64_t kRegisters = span_of(0, kSlots - 1), kFlags = Translator::kFlagsBit;

}  // namespace

Entry::Entry(const Program& program, Processor processor)
    : program_(program),
      processor_(processor),
      translator_(Translator::of(processor, program.dialect)),
      decoder_(processor, program.dialect) {
  const Convention c = convention_of(processor);
  stack_ = bit(translator_.stack_pointer()), link_ = bit(c.link), kept_ = c.kept;
  given_ = c.given | stack_ | link_;
  for (const Slot s : translator_.arguments()) given_ |= bit(s);
}

bool Entry::decode(uint64_t address) {
  const Area* area = program_.code_at(address);
  if (!area || !decoder_.decode(area->bytes.span().subspan(address - area->address), address, insn_)) return false;
  op_ = {};
  translator_.translate(insn_, op_);
  return true;
}

uint64_t Entry::slots(const std::vector<uint16_t>& registers) const {
  uint64_t mask = 0;
  for (const uint16_t r : registers) mask |= translator_.mask_of(r);
  return mask & (kRegisters | kFlags);
}

// False: more of the stack is given back than was taken.
bool Entry::moves_stack(uint64_t writes) {
  constexpr int64_t kMuch = int64_t{1} << 30;  // a push of a list, a subtraction of who knows what
  if ((writes & stack_) == 0) return true;
  const bool counts = bit(op_.dst) == stack_ && op_.a == op_.dst && op_.b == kNoSlot;
  if (op_.what == Do::kPush)
    depth_ += op_.width;
  else if (op_.what == Do::kPop)
    depth_ -= op_.width;
  else if (counts && op_.what == Do::kAdd)
    depth_ -= op_.imm;
  else if (counts && op_.what == Do::kSubtract)
    depth_ += op_.imm;
  else if (decoder_.set().may_load(insn_.opcode) && !decoder_.set().may_store(insn_.opcode))
    return depth_ > 0;  // ARM's and AArch64's pops
  else
    depth_ += kMuch;
  return depth_ >= 0;
}

// What the instruction reads and writes, held against what is there.
bool Entry::step() {
  if (insn_.flow == Flow::kCall || insn_.flow == Flow::kIndirectCall) return true;
  const InstructionSet& set = decoder_.set();
  registers_.clear();
  set.reads(insn_, registers_);
  const bool clears = op_.what == Do::kExclusive && op_.a == op_.b;
  const uint64_t reads = clears ? 0 : slots(registers_);
  registers_.clear();
  set.writes(insn_, registers_);
  const uint64_t writes = slots(registers_);
  if (!moves_stack(writes)) return false;
  const bool below = bit(op_.base) == stack_ && op_.displacement < 0;
  const bool saves = (set.may_store(insn_.opcode) || op_.what == Do::kPush) && (depth_ > 0 || below);
  if (saves) saved_ |= reads & kept_;
  saved_ |= reads & link_;
  if ((reads & ~(given_ | filled_ | (saves ? kept_ : 0))) != 0) return false;
  filled_ |= writes;
  return (writes & (kept_ | link_) & ~saved_) == 0;
}

bool Entry::possible(uint64_t address) {
  constexpr int kFarthest = 40;
  decoder_.restart();
  filled_ = saved_ = 0, depth_ = 0;
  bool ends = false;
  for (int i = 0; i < kFarthest; ++i, address += insn_.size) {
    if (!decode(address)) return ends || i > 0;
    if (!step()) return false;
    if (ends) return true;
    ends = insn_.flow != Flow::kNone && insn_.flow != Flow::kSystemCall &&
           !(insn_.flow == Flow::kJump && insn_.conditional);
    if (ends && !insn_.delay_slot) return true;
  }
  return true;
}

uint64_t Entry::run_end(uint64_t address, uint64_t most) {
  decoder_.restart();
  for (const uint64_t end = address + most; address < end; address += insn_.size) {
    if (!decode(address)) return address + std::max<uint64_t>(insn_.size, 1);
    const bool ends = !insn_.conditional && (insn_.flow == Flow::kJump || insn_.flow == Flow::kReturn ||
                                             insn_.flow == Flow::kIndirectJump || insn_.flow == Flow::kTrap);
    if (ends) return insn_.end() + (insn_.delay_slot ? insn_.size : 0);
  }
  return address;
}

}  // namespace assay::code
