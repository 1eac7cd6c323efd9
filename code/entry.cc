// Sources: the calling conventions that registers.cc names. Beside arguments a function may be given: MIPS $t9 and $gp,
// AArch64 x8 and x16 to x18, AMD64 al (how many vector registers) and r10, i386 what GCC passes to local functions in
// eax, edx and ecx, PowerPC r2, r11 to r13, RISC-V gp, tp, t0 and t2.
#include "code/entry.h"

#include <algorithm>

namespace assay::code {
namespace {

struct Convention {
  uint64_t given, kept;  // beside arguments; what a function leaves as it was
  Slot link;             // where its return address is
};

Convention convention_of(Processor processor) {
  switch (family_of(processor)) {
    case Family::kMips:
      return {slot_bit(25) | slot_bit(28), slot_bits(16, 23) | slot_bit(30), 31};
    case Family::kArm:
      return {slot_bit(12) | slot_bit(15), slot_bits(4, 11), 14};  // and the program counter
    case Family::kAArch64:
      return {slot_bit(8) | slot_bits(16, 18), slot_bits(19, 29), 30};
    case Family::kX86:
      if (processor == Processor::kX86) return {slot_bits(0, 2), slot_bit(3) | slot_bits(5, 7), kNoSlot};
      return {slot_bit(0) | slot_bit(10), slot_bit(3) | slot_bit(5) | slot_bits(12, 15), kNoSlot};
    case Family::kPpc:
      return {slot_bit(2) | slot_bits(11, 13) | slot_bit(kCount), slot_bits(14, 31), kLink};
    case Family::kRiscv:
      return {slot_bits(3, 5) | slot_bit(7), slot_bits(8, 9) | slot_bits(18, 27), 1};
    case Family::kNone:
      break;
  }
  return {~uint64_t{0}, 0, kNoSlot};
}

constexpr uint64_t kRegisters = slot_bits(0, kSlots - 1), kFlags = Translator::kFlagsBit;

}  // namespace

Entry::Entry(const Program& program, Processor processor)
    : program_(program),
      processor_(processor),
      translator_(Translator::of(processor, program.dialect)),
      decoder_(processor, program.dialect) {
  const Convention c = convention_of(processor);
  stack_ = slot_bit(translator_.stack_pointer()), link_ = slot_bit(c.link), kept_ = c.kept;
  given_ = c.given | stack_ | link_;
  for (const Slot s : translator_.arguments()) given_ |= slot_bit(s);
}

void Entry::decode(uint64_t address, Step& out) {
  out = {.own = word_of_address(address)};
  const Area* area = program_.code_at(address);
  out.good = area && decoder_.decode(area->bytes.span().subspan(address - area->address), address, insn_);
  if (area) out.size = insn_.size;
  if (!out.good) return;
  translator_.translate(insn_, out.op);
  const InstructionSet& set = decoder_.set();
  out.flow = insn_.flow, out.conditional = insn_.conditional, out.delay_slot = insn_.delay_slot;
  out.loads = set.may_load(insn_.opcode), out.stores = set.may_store(insn_.opcode);
  registers_.clear();
  set.reads(insn_, registers_);
  out.reads = out.op.what == Do::kExclusive && out.op.a == out.op.b ? 0 : slots(registers_);
  registers_.clear();
  set.writes(insn_, registers_);
  out.writes = slots(registers_);
}

// What one of Thumb's blocks holds depends on what came before, and is not remembered. Valid until the next call.
const Entry::Step& Entry::step(uint64_t address) {
  if (!decoder_.in_block()) {
    const Step* known = steps_.find(word_of_address(address));
    if (known) return *known;
    decode(address, passing_);
    return decoder_.in_block() ? passing_ : steps_.put(passing_.own) = passing_;
  }
  decode(address, passing_);
  return passing_;
}

uint64_t Entry::slots(const std::vector<uint16_t>& registers) const {
  uint64_t mask = 0;
  for (const uint16_t r : registers) mask |= translator_.mask_of(r);
  return mask & (kRegisters | kFlags);
}

// False: more of the stack is given back than was taken.
bool Entry::moves_stack(const Step& step) {
  constexpr int64_t kMuch = int64_t{1} << 30;  // a push of a list, a subtraction of who knows what
  if ((step.writes & stack_) == 0) return true;
  const Op& op = step.op;
  const bool counts = slot_bit(op.dst) == stack_ && op.a == op.dst && op.b == kNoSlot;
  if (op.what == Do::kPush)
    depth_ += op.width;
  else if (op.what == Do::kPop)
    depth_ -= op.width;
  else if (counts && op.what == Do::kAdd)
    depth_ -= op.imm;
  else if (counts && op.what == Do::kSubtract)
    depth_ += op.imm;
  else if (step.loads && !step.stores)
    return depth_ > 0;  // ARM's and AArch64's pops
  else
    depth_ += kMuch;
  return depth_ >= 0;
}

// What the instruction reads and writes, held against what is there.
bool Entry::take(const Step& step) {
  if (step.flow == Flow::kCall || step.flow == Flow::kIndirectCall) return true;
  if (!moves_stack(step)) return false;
  const bool below = slot_bit(step.op.base) == stack_ && step.op.displacement < 0;
  const bool saves = (step.stores || step.op.what == Do::kPush) && (depth_ > 0 || below);
  if (saves) saved_ |= step.reads & kept_;
  saved_ |= step.reads & link_;
  if ((step.reads & ~(given_ | filled_ | (saves ? kept_ : 0))) != 0) return false;
  filled_ |= step.writes;
  return (step.writes & (kept_ | link_) & ~saved_) == 0;
}

bool Entry::possible(uint64_t address) {
  const Word word = word_of_address(address);
  if (const Answer* known = answers_.find(word)) return (last_ = *known).possible;
  last_ = {.own = word, .possible = find_out(address)};
  last_.makes_frame = processor_ != Processor::kX86 && saved_ != 0 && depth_ > 0;
  last_.saves_link = (saved_ & link_) != 0 && depth_ > 0;
  return (answers_.put(word) = last_).possible;
}

bool Entry::find_out(uint64_t address) {
  constexpr int kFarthest = 40;
  decoder_.restart();
  filled_ = saved_ = 0, depth_ = 0;
  bool ends = false;
  for (int i = 0; i < kFarthest; ++i) {
    const Step& s = step(address);
    if (!s.good) return ends || i > 0;
    if (!take(s)) return false;
    if (ends) return true;
    ends = s.flow != Flow::kNone && s.flow != Flow::kSystemCall && !(s.flow == Flow::kJump && s.conditional);
    if (ends && !s.delay_slot) return true;
    address += s.size;
  }
  return true;
}

uint64_t Entry::run_end(uint64_t address, uint64_t most) {
  decoder_.restart();
  for (const uint64_t end = address + most; address < end;) {
    const Step& s = step(address);
    if (!s.good) return address + std::max<uint64_t>(s.size, 1);
    const bool ends = !s.conditional && (s.flow == Flow::kJump || s.flow == Flow::kReturn ||
                                         s.flow == Flow::kIndirectJump || s.flow == Flow::kTrap);
    if (ends) return address + s.size + (s.delay_slot ? s.size : 0);
    address += s.size;
  }
  return address;
}

}  // namespace assay::code
