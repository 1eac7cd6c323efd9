// What the lifters of all CPUs share: the decoder's registers laid out on those of the language, operands in the
// decoder's order, and the table from the decoder's opcode to the function that gives it meaning.
#pragma once
#include "code/decode.h"
#include "code/ir_build.h"

#include <span>

namespace assay::code::lift {

using ir::Code;
using ir::RegisterId;
using ir::Trap;
using ir::Value;

// Where a register of the decoder lies.
struct Slot {
  enum class Kind : uint8_t {
    kUnknown,  // the language does not know it: an opaque operation leaves it out (status words, modes)
    kPlain,    // bits [low, low + bits) of `id`
    kZero,     // reads as 0, writes vanish
    kToken,    // wider than the language's values: `count` registers from `id`, which opaque operations name
    kCounter,  // the program counter: reads as the instruction's address plus Isa::counter_ahead
    kFlags,    // one register of the decoder, `count` flags from `id`
  } kind = Kind::kUnknown;
  RegisterId id = ir::kNoRegister;
  uint8_t low = 0, bits = 0, count = 1;
};

// What writing the low half of a register does to the rest of it.
enum class Widen : uint8_t { kKeep, kZero, kSign };

class Machine;
using Lift = void (*)(Machine&);

struct Handler {
  std::string_view opcode;  // the decoder's name
  Lift lift;
};

// What an instruction does to the flags that Ahead looks for, one bit each, whatever it is given.
struct FlagUse {
  uint64_t reads = 0, writes = 0;
  bool known = true;  // false: `reads` are all there are
};

// What one instruction set brings along.
struct Isa {
  explicit Isa(Processor processor) : set(&InstructionSet::of(processor)) {}

  const InstructionSet* set;
  ir::RegisterFile file;
  std::vector<Slot> slots;             // by number of the decoder's register
  std::vector<uint8_t> kinds;          // likewise: kind_bit of its slot; of none: 0
  std::vector<Lift> lifts;             // by number of the decoder's opcode; nullptr: opaque
  uint64_t flags = 0;                  // registers, one bit each, that Ahead looks for
  std::vector<uint8_t> touches_flags;  // by number of the decoder's opcode: whatever its operands are
  std::vector<int8_t> flags_operand;   // likewise: which operand may be the flags; -1: none
  std::vector<std::string> unbound;    // names in the lifter's table that the decoder does not have; a test wants none
  Widen widen = Widen::kKeep;          // of 32 bits in a register of 64
  Order order = Order::kLittle;
  uint8_t pointer = 32;
  uint8_t counter_ahead = 0;
  Lift begin = nullptr, end = nullptr;  // around every instruction, opaque ones too
  // What the manual leaves open although the decoder takes it, and what a handler has no meaning for, if there is any.
  bool (*unpredictable)(const Isa&, const Insn&) = nullptr;
  std::vector<uint8_t> traits;                            // of `unpredictable`, by number of the decoder's opcode
  bool (*comes_back)(const Isa&, const Insn&) = nullptr;  // what jumps to itself: a block of its own

  FlagUse (*flag_use)(const Isa&, const Insn&) = nullptr;  // nullptr: what is lifted says it
  std::vector<uint8_t> flag_kinds;                         // of flag_use, by number of the decoder's opcode

  // By the decoder's tables; where `flags` is not 0.
  bool may_touch_flags(const Insn& insn) const;
  static constexpr unsigned kind_bit(Slot::Kind kind) { return 1U << static_cast<unsigned>(kind); }
  // The kinds of its operands' registers, one bit each.
  unsigned kinds_of(const Insn& insn) const {
    unsigned out = 0;
    for (size_t i = 0; i < insn.operand_count; ++i) out |= kinds[insn.reg(i)];
    return out;
  }
  void bind(std::span<const Handler> handlers);
  void bind(std::string_view opcode, Lift lift);
  void note_flags();  // once slots are known
  // Whether the instruction has an exact meaning: a handler, and no register that the language cannot hold. Flags and
  // the program counter may stand among the operands; the handler knows where.
  bool exact(const Insn& insn) const;
};

class Machine : public ir::Builder {
 public:
  Machine(const Isa& isa, ir::Function& out, ir::Rewriter* through = nullptr) : Builder(out, through), isa_(isa) {}

  const Isa& isa() const { return isa_; }
  Order order() const { return isa_.order; }
  unsigned pointer() const { return isa_.pointer; }

  // ---- the instruction at hand, its operands in the decoder's order
  const Insn& insn() const { return insns_[at_]; }
  uint64_t address() const { return insn().address; }
  bool is_reg(size_t i) const { return i < insn().operand_count && insn().operand(i).kind == Operand::kRegister; }
  bool is_zero(size_t i) const { return is_reg(i) && slot(i).kind == Slot::Kind::kZero; }
  int64_t imm(size_t i) const { return insn().imm(i); }
  const Slot& slot(size_t i) const { return isa_.slots[insn().reg(i)]; }
  RegisterId id(size_t i) const { return slot(i).id; }
  // A call of what follows only asks where it is: control does not leave, and no block ends here.
  bool only_links() const { return insn().links; }
  // Whether somebody may read what the instruction at hand puts into that flag.
  bool wants(RegisterId flag) const { return (wanted_ >> flag & 1) != 0; }
  Value address_value(uint64_t v) { return constant(pointer(), v); }

  // ---- operands as values
  Value r(size_t i) { return read(slot(i)); }  // in the register's own width
  Value r(size_t i, unsigned bits) { return truncate(r(i), bits); }
  void w(size_t i, Value v) { write(slot(i), v); }
  Value read(const Slot& slot);
  void write(const Slot& slot, Value v);

  // The meaning is not exact here: what the decoder says is read and written, whole.
  void opaque_instruction() { opaque(false); }
  void opaque_leave() { opaque(true); }

  // ---- walking a block
  void lift_block(std::span<const Insn> insns);
  // A part of a block; a delay slot lies in the part of its branch. `wanted`: the flags that somebody may read behind
  // each instruction; none: all.
  void lift(std::span<const Insn> insns, std::span<const uint64_t> wanted = {});
  size_t index() const { return at_; }
  bool has(size_t index) const { return index < insns_.size(); }
  const Insn& insn(size_t index) const { return insns_[index]; }
  void lift_at(size_t index);  // lifts that instruction alone, then turns back to the one at hand
  void set_lifted(size_t count) { lifted_ = count; }  // how many instructions this step has used up

 private:
  void opaque(bool leaves);
  void list(uint32_t& first, uint16_t& count);
  void dispatch();  // the handler of the instruction at hand, or opaque

  const Isa& isa_;
  std::span<const Insn> insns_;
  size_t at_ = 0, lifted_ = 1;
  uint64_t wanted_ = ~uint64_t{0};
  std::vector<uint16_t> named_;  // the decoder's registers that an opaque instruction reads, or writes
};

Isa make_mips(Processor processor);
Isa make_aarch64();
Isa make_arm(Processor processor);  // Thumb too
Isa make_ppc();
Isa make_x86(Processor processor);  // x86-64 too
Isa make_riscv(Processor processor);
Isa make_isa(Processor processor);  // of the lifter that `processor` has
bool has_lifter(Processor processor);

}  // namespace assay::code::lift
