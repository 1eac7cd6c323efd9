// RISC-V: RV32GC and RV64GC with Zba, Zbb and Zbs. Control flow here, what computes and what reads memory in
// riscv_data.cc and riscv_memory.cc. Floating point, vectors, control and status registers are opaque.
// Source: The RISC-V Instruction Set Manual, volume I: chapters RV32I (control transfer) and "C"; RISC-V ABIs
// Specification (psABI), for the names of registers. Operand order: that of LLVM's RISCV target.
//
// Which jalr is a call and which a return, the decoder says: by the register that holds the return address, x1 or x5
// ("Unconditional Jumps"). A call in x5 of the helpers that save and restore registers (__riscv_save_2, …) moves the
// stack pointer: what the simplifier knows of it goes on from there, by a distance that is the same wherever the helper
// was called.
#include "code/lift/riscv.h"

#include <string>

namespace assay::code::lift {

namespace riscv {
namespace {

constexpr RegisterId kLink = 1;

Code way_of(Flow flow) {
  switch (flow) {
    case Flow::kCall:
    case Flow::kIndirectCall:
      return Code::kCall;
    case Flow::kReturn:
      return Code::kReturn;
    default:
      return Code::kJump;
  }
}
Value target(Machine& m) { return m.address_value(m.insn().target); }
Value link(Machine& m) { return m.address_value(m.insn().end()); }

template <Code kCompare>
void branch(Machine& m) {
  const Value a = m.r(0), b = m.r(1), taken = m.compare(kCompare, a, b);
  m.leave(Code::kJump, target(m), taken);
}
// "BGE": not less; kLessEqual of the operands turned round.
template <Code kCompare>
void branch_turned(Machine& m) {
  const Value a = m.r(0), b = m.r(1), taken = m.compare(kCompare, b, a);
  m.leave(Code::kJump, target(m), taken);
}
template <Code kCompare>
void branch_zero(Machine& m) {
  const Value a = m.r(0), taken = m.compare(kCompare, a, m.like(a, 0));
  m.leave(Code::kJump, target(m), taken);
}
void jump(Machine& m) { m.leave(Code::kJump, target(m)); }
void jump_and_link(Machine& m) {
  m.w(0, link(m));
  if (!m.only_links()) m.leave(way_of(m.insn().flow), target(m));
}
void call(Machine& m) {
  m.put(kLink, link(m));
  if (!m.only_links()) m.leave(Code::kCall, target(m));
}
// "… then setting the least-significant bit of the result to zero".
Value even(Machine& m, Value v) { return m.and_mask(v, ~uint64_t{1}); }
void jump_register_and_link(Machine& m) {
  const Value base = m.r(1), to = even(m, m.imm(2) == 0 ? base : m.add_number(base, m.imm(2)));
  m.w(0, link(m));
  m.leave(way_of(m.insn().flow), to);
}
void jump_register(Machine& m) { m.leave(way_of(m.insn().flow), even(m, m.r(0))); }
void call_register(Machine& m) {
  const Value to = even(m, m.r(0));
  m.put(kLink, link(m));
  m.leave(Code::kCall, to);
}

constexpr Handler kControl[] = {
    {"BEQ", branch<Code::kEqual>},
    {"BNE", branch<Code::kNotEqual>},
    {"BLT", branch<Code::kLessSigned>},
    {"BLTU", branch<Code::kLessUnsigned>},
    {"BGE", branch_turned<Code::kLessEqualSigned>},
    {"BGEU", branch_turned<Code::kLessEqualUnsigned>},
    {"C_BEQZ", branch_zero<Code::kEqual>},
    {"C_BNEZ", branch_zero<Code::kNotEqual>},
    {"JAL", jump_and_link},
    {"C_J", jump},
    {"C_JAL", call},
    {"JALR", jump_register_and_link},
    {"C_JR", jump_register},
    {"C_JALR", call_register},
    {"ECALL", [](Machine& m) { m.trap(Trap::kSystemCall); }},
    {"EBREAK", [](Machine& m) { m.trap(Trap::kBreakpoint); }},
    {"C_EBREAK", [](Machine& m) { m.trap(Trap::kBreakpoint); }},
    {"UNIMP", [](Machine& m) { m.trap(Trap::kUndefined); }},    // a write to a counter that can only be read
    {"C_UNIMP", [](Machine& m) { m.trap(Trap::kUndefined); }},  // 16 zeros, "permanently reserved"
};

// ---- registers

constexpr std::string_view kInteger[32] = {"zero", "ra", "sp", "gp", "tp",  "t0",  "t1", "t2", "s0", "s1", "a0",
                                           "a1",   "a2", "a3", "a4", "a5",  "a6",  "a7", "s2", "s3", "s4", "s5",
                                           "s6",   "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6"};
constexpr std::string_view kFloating[32] = {
    "ft0", "ft1", "ft2", "ft3", "ft4", "ft5", "ft6", "ft7", "fs0", "fs1", "fa0",  "fa1",  "fa2", "fa3", "fa4",  "fa5",
    "fa6", "fa7", "fs2", "fs3", "fs4", "fs5", "fs6", "fs7", "fs8", "fs9", "fs10", "fs11", "ft8", "ft9", "ft10", "ft11"};

// Behind the integer registers in this order; riscv.h counts on it.
constexpr RegisterId kFirstFloating = 34, kVectors = 66;
void add_registers(ir::RegisterFile& file, uint8_t bits) {
  for (const std::string_view name : kInteger) file.add(std::string(name), bits);
  file.add("reserved", 1);
  file.add("reserved_address", bits);
  for (const std::string_view name : kFloating) file.add(std::string(name), 0);
  // The vectors as one: a name is that of the first of a group, how many belong to it the status word vtype says.
  file.add("vectors", 0);
}

// Status words (FFLAGS, FRM, VL, VTYPE, …) the language does not know.
Slot slot_of(std::string_view name, uint8_t bits) {
  const bool numbered = name.size() > 1 && name[1] >= '0' && name[1] <= '9';
  if (!numbered) return {};
  if (name[0] == 'V') return {.kind = Slot::Kind::kToken, .id = kVectors};
  const std::string_view digits = name.substr(1, name.find('_') - 1);
  const auto number = static_cast<unsigned>(std::stoul(std::string(digits)));
  if (number > 31) return {};
  if (name[0] == 'F') return {.kind = Slot::Kind::kToken, .id = static_cast<RegisterId>(kFirstFloating + number)};
  if (name[0] != 'X' || name.find('_') != name.npos) return {};
  if (number == 0) return {.kind = Slot::Kind::kZero, .bits = bits};
  return {.kind = Slot::Kind::kPlain, .id = static_cast<RegisterId>(number), .bits = bits};
}

}  // namespace
}  // namespace riscv

Isa make_riscv(Processor processor) {
  using namespace riscv;
  Isa isa(processor);
  isa.order = Order::kLittle;
  isa.pointer = is_64_bit(processor) ? 64 : 32;
  add_registers(isa.file, isa.pointer);
  for (uint32_t i = 0; i < isa.set->register_count(); ++i)
    isa.slots.push_back(i == 0 ? Slot{} : slot_of(isa.set->register_name(i), isa.pointer));
  isa.bind(kControl);
  isa.bind(riscv_data());
  bind_riscv_memory(isa);
  return isa;
}

}  // namespace assay::code::lift
