// x86 and x86-64: the integer core. Floating point and vectors are opaque.
// Sources and operand order: x86.h says. This file has flags and addresses,
// control flow and registers.
//
// Segments are flat but fs and gs, whose bases are registers of the language. A
// lock prefix is an instruction of its own to the decoder and has no effect:
// the language knows no other processor.
#include "code/lift/x86.h"

#include <bit>

namespace assay::code::lift {
namespace x86 {

// ---- flags

void put_flags(Machine& m, const Flags& flags) {
  const auto put = [&](RegisterId to, Value v) {
    if (v != 0 && m.wants(to)) m.put(to, v);
  };
  put(kCarry, flags.carry);
  put(kParity, flags.parity);
  put(kAdjust, flags.adjust);
  put(kZero, flags.zero);
  put(kSign, flags.sign);
  put(kOverflow, flags.overflow);
}

// Parity is of the low byte: set where its ones are even in number.
Flags flags_of(Machine& m, Value result) {
  Flags out;
  if (m.wants(kParity)) {
    const Value ones = m.unary(Code::kCountOnes, m.truncate(result, 8));
    out.parity = m.bit_not(m.truncate(ones, 1));
  }
  if (m.wants(kZero)) out.zero = m.equals(result, 0);
  if (m.wants(kSign)) out.sign = m.sign_bit(result);
  return out;
}

Value condition(Machine& m, unsigned code) {
  const auto less = [&] {
    const Value sign = m.get(kSign), overflow = m.get(kOverflow);
    return m.not_equal(sign, overflow);
  };
  const auto or_zero = [&](Value v) { return m.bit_or(v, m.get(kZero)); };
  Value v = 0;
  switch (code >> 1) {
    case 0:
      v = m.get(kOverflow);
      break;
    case 1:
      v = m.get(kCarry);
      break;
    case 2:
      v = m.get(kZero);
      break;
    case 3:
      v = or_zero(m.get(kCarry));
      break;
    case 4:
      v = m.get(kSign);
      break;
    case 5:
      v = m.get(kParity);
      break;
    case 6:
      v = less();
      break;
    default:
      v = or_zero(less());
  }
  return (code & 1) != 0 ? m.bit_not(v) : v;
}

// ---- addresses and places

Value offset_of(Machine& m, size_t i) {
  const bool has_base = m.insn().reg(i) != 0, has_index = m.insn().reg(i + 2) != 0 && !m.is_zero(i + 2);
  const auto displacement = static_cast<uint64_t>(m.imm(i + 3));
  if (has_base && m.slot(i).kind == Slot::Kind::kCounter) {
    const unsigned width = m.slot(i).bits;
    return m.address_value((m.insn().end() + displacement) & ir::mask(width));
  }
  unsigned bits = (m.insn().prefixes & kAddressSize) != 0 ? m.pointer() / 2 : m.pointer();
  Value sum = 0;
  if (has_base) {
    sum = m.r(i);
    bits = m.bits(sum);
  }
  if (has_index) {
    const Value index =
        m.shl_by(m.r(i + 2), static_cast<unsigned>(std::countr_zero(static_cast<uint64_t>(m.imm(i + 1)))));
    bits = m.bits(index);
    sum = sum == 0 ? index : m.add(sum, index);
  }
  if (sum == 0) return m.zero_extend(m.constant(bits, displacement), m.pointer());
  if (displacement != 0) sum = m.add_number(sum, m.imm(i + 3));
  return m.zero_extend(sum, m.pointer());
}
Value with_segment(Machine& m, Value offset, size_t i) {
  if (m.insn().reg(i) == 0 || m.is_zero(i)) return offset;
  return m.add(offset, m.get(m.id(i)));
}
Value address_of(Machine& m, size_t i) { return with_segment(m, offset_of(m, i), i + 4); }

Place register_at(const Machine& m, size_t operand) { return {.operand = operand, .bits = m.slot(operand).bits}; }
Place memory_at(Machine& m, size_t operand, unsigned bits) {
  return {.operand = operand, .address = address_of(m, operand), .bits = bits};
}
Place first_place(Machine& m, bool memory, unsigned bits) { return memory ? memory_at(m, 0, bits) : register_at(m, 0); }
Value get(Machine& m, const Place& place) {
  return place.address == 0 ? m.r(place.operand) : m.load(place.bits, m.order(), place.address);
}
void set(Machine& m, const Place& place, Value v) {
  if (place.address == 0) return m.w(place.operand, v);
  m.store(m.order(), place.address, v);
}

void push(Machine& m, Value v) {
  const Slot sp = general(kSp, m.pointer());
  const Value top = m.add_number(m.read(sp), -static_cast<int64_t>(m.bits(v) / 8));
  m.store(m.order(), top, v);
  m.write(sp, top);
}
Value pop(Machine& m, unsigned bits) {
  const Slot sp = general(kSp, m.pointer());
  const Value top = m.read(sp), v = m.load(bits, m.order(), top);
  m.write(sp, m.add_number(top, bits / 8));
  return v;
}

namespace {

// ---- control

Value target(Machine& m) { return m.address_value(m.insn().target); }

void jump(Machine& m) { m.leave(Code::kJump, target(m)); }
void jump_if(Machine& m) {
  const Value c = condition(m, static_cast<unsigned>(m.imm(1)));
  m.leave(Code::kJump, target(m), c);
}
void call(Machine& m) {
  push(m, m.address_value(m.insn().end()));
  if (!m.only_links()) m.leave(Code::kCall, target(m));
}
template <Code kCode, bool kMemory>
void leave_to(Machine& m) {
  const Value to = get(m, first_place(m, kMemory, m.pointer()));
  if (kCode == Code::kCall) push(m, m.address_value(m.insn().end()));
  m.leave(kCode, to);
}
// The operand says how many bytes of arguments go too.
void ret(Machine& m) {
  const Value to = pop(m, m.pointer());
  const Slot sp = general(kSp, m.pointer());
  if (m.imm(0) != 0) m.write(sp, m.add_number(m.read(sp), m.imm(0) & 0xffff));
  m.leave(Code::kReturn, to);
}
unsigned counter_bits(const Machine& m) {
  return (m.insn().prefixes & kAddressSize) != 0 ? m.pointer() / 2 : m.pointer();
}
enum class While : uint8_t { kCount, kEqual, kNotEqual };
template <While kWhile>
void loop(Machine& m) {
  const Slot counter = general(kC, counter_bits(m));
  const Value left = m.add_number(m.read(counter), -1);
  m.write(counter, left);
  Value again = m.differs(left, 0);
  if (kWhile != While::kCount) {
    const Value zero = m.get(kZero);
    again = m.bit_and(again, kWhile == While::kEqual ? zero : m.bit_not(zero));
  }
  m.leave(Code::kJump, target(m), again);
}
template <unsigned kBits>
void jump_if_count_is_zero(Machine& m) {
  const Value c = m.equals(m.read(general(kC, kBits)), 0);
  m.leave(Code::kJump, target(m), c);
}

// ---- flags as such

template <RegisterId kFlag, bool kSet>
void set_flag(Machine& m) {
  m.put(kFlag, m.constant(1, kSet ? 1 : 0));
}
void complement_carry(Machine& m) { m.put(kCarry, m.bit_not(m.get(kCarry))); }
// ah: sign, zero, 0, adjust, 0, parity, 1, carry.
constexpr std::pair<RegisterId, unsigned> kInAh[] = {{kCarry, 0}, {kParity, 2}, {kAdjust, 4}, {kZero, 6}, {kSign, 7}};
constexpr Slot kAh = {.kind = Slot::Kind::kPlain, .id = kGeneral, .low = 8, .bits = 8};
void load_flags(Machine& m) {
  Value v = m.constant(8, 2);
  for (const auto& [flag, at] : kInAh) v = m.bit_or(v, m.shl_by(m.zero_extend(m.get(flag), 8), at));
  m.write(kAh, v);
}
void store_flags(Machine& m) {
  const Value v = m.read(kAh);
  for (const auto& [flag, at] : kInAh) m.put(flag, m.extract(v, at, 1));
}

void no_effect(Machine&) {}  // order, timing, hints, landing pads: no values
template <Trap kTrap>
void trap(Machine& m) {
  m.trap(kTrap);
}

constexpr Handler kHandlers[] = {
    {"JMP_1", jump},
    {"JMP_4", jump},
    {"JCC_1", jump_if},
    {"JCC_4", jump_if},
    {"CALLpcrel32", call},
    {"CALL64pcrel32", call},
    {"CALL32r", leave_to<Code::kCall, false>},
    {"CALL64r", leave_to<Code::kCall, false>},
    {"CALL32m", leave_to<Code::kCall, true>},
    {"CALL64m", leave_to<Code::kCall, true>},
    {"JMP32r", leave_to<Code::kJump, false>},
    {"JMP64r", leave_to<Code::kJump, false>},
    {"JMP32m", leave_to<Code::kJump, true>},
    {"JMP64m", leave_to<Code::kJump, true>},
    {"RET32", ret},
    {"RET64", ret},
    {"RETI32", ret},
    {"RETI64", ret},
    {"LOOP", loop<While::kCount>},
    {"LOOPE", loop<While::kEqual>},
    {"LOOPNE", loop<While::kNotEqual>},
    {"JCXZ", jump_if_count_is_zero<16>},
    {"JECXZ", jump_if_count_is_zero<32>},
    {"JRCXZ", jump_if_count_is_zero<64>},
    {"CLC", set_flag<kCarry, false>},
    {"STC", set_flag<kCarry, true>},
    {"CLD", set_flag<kDirection, false>},
    {"STD", set_flag<kDirection, true>},
    {"CMC", complement_carry},
    {"LAHF", load_flags},
    {"SAHF", store_flags},
    {"INT", trap<Trap::kSystemCall>},
    {"SYSCALL", trap<Trap::kSystemCall>},
    {"SYSENTER", trap<Trap::kSystemCall>},
    {"INT3", trap<Trap::kBreakpoint>},
    {"TRAP", trap<Trap::kUndefined>},
    {"NOOP", no_effect},
    {"NOOPL", no_effect},
    {"NOOPW", no_effect},
    {"NOOPQ", no_effect},
    {"NOOPLr", no_effect},
    {"NOOPWr", no_effect},
    {"NOOPQr", no_effect},
    {"ENDBR32", no_effect},
    {"ENDBR64", no_effect},
    {"PAUSE", no_effect},
    {"LFENCE", no_effect},
    {"MFENCE", no_effect},
    {"SFENCE", no_effect},
    {"PREFETCHNTA", no_effect},
    {"PREFETCHT0", no_effect},
    {"PREFETCHT1", no_effect},
    {"PREFETCHT2", no_effect},
    {"PREFETCHW", no_effect},
    {"LOCK_PREFIX", no_effect},
};

// Left out although its opcode has a handler: other interrupts than Linux's system call.
bool left_out(const Isa& isa, const Insn& insn) {
  return insn.operand_count == 1 && isa.lifts[insn.opcode] == trap<Trap::kSystemCall> && insn.imm(0) != 0x80;
}

// A string operation that is repeated. The prefix may stand before anything; only these heed it.
bool is_repeated(const Isa& isa, const Insn& insn) {
  if ((insn.prefixes & (kRepeat | kRepeatNotEqual)) == 0) return false;
  const std::string_view name = isa.set->opcode_name(insn.opcode);
  if (name.size() != 5) return false;
  const std::string_view stem = name.substr(0, 4);
  return stem == "MOVS" || stem == "STOS" || stem == "LODS" || stem == "SCAS" || stem == "CMPS";
}

// ---- registers

constexpr std::string_view kNames[8] = {"ax", "cx", "dx", "bx", "sp", "bp", "si", "di"};

void add_registers(ir::RegisterFile& file, bool wide) {
  for (const char* flag : {"cf", "pf", "af", "zf", "sf", "of", "df"}) file.add(flag, 1);
  const uint8_t bits = wide ? 64 : 32;
  for (const char* base : {"fs_base", "gs_base"}) file.add(base, bits);
  for (const std::string_view name : kNames) file.add((wide ? "r" : "e") + std::string(name), bits);
  for (int i = 8; wide && i < 16; ++i) file.add("r" + std::to_string(i), bits);
  for (int i = 0; i < 32; ++i) file.add("xmm" + std::to_string(i), 0);
  for (int i = 0; i < 8; ++i) file.add("st" + std::to_string(i), 0);
  for (int i = 0; i < 8; ++i) file.add("k" + std::to_string(i), 0);
  for (const char* name : {"fpsw", "fpcw", "mxcsr"}) file.add(name, 0);
}

// rax, eax, ax, al, ah; sil and its like; r8, r8d, r8w, r8b.
Slot general_slot(std::string_view name) {
  for (unsigned i = 0; i < 8; ++i) {
    const std::string_view base = kNames[i];
    if (name == base) return general(i, 16);
    if (name.size() == 3 && name.substr(1) == base && (name[0] == 'r' || name[0] == 'e'))
      return general(i, name[0] == 'r' ? 64 : 32);
    if (name.size() == 3 && name.substr(0, 2) == base && name[2] == 'l') return general(i, 8);
    if (i < 4 && name.size() == 2 && name[0] == base[0] && name[1] == 'l') return general(i, 8);
    if (i < 4 && name.size() == 2 && name[0] == base[0] && name[1] == 'h')
      return {.kind = Slot::Kind::kPlain, .id = static_cast<RegisterId>(kGeneral + i), .low = 8, .bits = 8};
  }
  return {};
}
Slot numbered_general(std::string_view name) {
  if (name.size() < 2 || name[0] != 'r' || name[1] < '0' || name[1] > '9') return {};
  size_t at = 1;
  unsigned number = 0;
  for (; at < name.size() && name[at] >= '0' && name[at] <= '9'; ++at)
    number = number * 10 + static_cast<unsigned>(name[at] - '0');
  const std::string_view size = name.substr(at);
  if (number < 8 || number > 15) return {};
  if (size.empty()) return general(number, 64);
  return size == "d"   ? general(number, 32)
         : size == "w" ? general(number, 16)
         : size == "b" ? general(number, 8)
                       : Slot{};
}
// Vectors of every width, the floating-point stack (which the mmx registers are
// too), masks, status words.
Slot token_slot(std::string_view name, const ir::RegisterFile& file) {
  std::string known(name);
  if (name.starts_with("ymm") || name.starts_with("zmm")) known[0] = 'x';
  if (name.starts_with("mm")) known = "st" + known.substr(2);
  if (name.starts_with("fp") && name.size() == 3) known = "st" + known.substr(2);
  const RegisterId id = file.find(known);
  if (id == ir::kNoRegister || file.registers[id].bits != 0) return {};
  return {.kind = Slot::Kind::kToken, .id = id};
}
Slot slot_of(std::string_view decoder_name, const ir::RegisterFile& file, unsigned pointer) {
  std::string name(decoder_name);
  for (char& c : name) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  const auto bits = static_cast<uint8_t>(pointer);
  if (name == "eflags") return {.kind = Slot::Kind::kFlags, .id = kCarry, .count = 6};
  if (name == "df") return {.kind = Slot::Kind::kPlain, .id = kDirection, .bits = 1};
  if (name == "rip" || name == "eip")
    return {.kind = Slot::Kind::kCounter, .bits = static_cast<uint8_t>(name[0] == 'r' ? 64 : 32)};
  if (name == "fs" || name == "gs")
    return {.kind = Slot::Kind::kPlain, .id = name == "fs" ? kFsBase : kGsBase, .bits = bits};
  for (const char* flat : {"cs", "ds", "es", "ss", "eiz", "riz"})
    if (name == flat) return {.kind = Slot::Kind::kZero, .bits = bits};
  Slot slot = general_slot(name);
  if (slot.kind == Slot::Kind::kUnknown) slot = numbered_general(name);
  if (slot.kind == Slot::Kind::kPlain && slot.bits > pointer) return {};
  return slot.kind == Slot::Kind::kUnknown ? token_slot(name, file) : slot;
}

}  // namespace
}  // namespace x86

Isa make_x86(Processor processor) {
  Isa isa(processor);
  isa.pointer = is_64_bit(processor) ? 64 : 32;
  isa.widen = Widen::kZero;
  isa.unpredictable = x86::left_out;
  isa.comes_back = x86::is_repeated;
  x86::add_registers(isa.file, isa.pointer == 64);
  for (uint32_t i = 0; i < isa.set->register_count(); ++i)
    isa.slots.push_back(i == 0 ? Slot{} : x86::slot_of(isa.set->register_name(i), isa.file, isa.pointer));
  isa.bind(x86::kHandlers);
  x86::bind_arithmetic(isa);
  x86::bind_bits(isa);
  x86::bind_moves(isa);
  isa.note_flags();
  x86::bind_flag_use(isa);
  return isa;
}

}  // namespace assay::code::lift
