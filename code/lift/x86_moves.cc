// Moves, conditional moves, exchanges, the stack, and the string operations of
// x86.
//
// A repeated string operation is one step and a jump to itself, as the CPU does
// it: "REP … is checked before each iteration". Where the count is 0 nothing
// happens and execution goes on.
#include "code/lift/x86.h"

namespace assay::code::lift::x86 {

namespace {

// ---- moves

template <unsigned kBits>
void move_register(Machine& m) {
  m.w(0, m.r(1));
}
template <unsigned kBits>
void move_load(Machine& m) {
  m.w(0, get(m, memory_at(m, 1, kBits)));
}
template <unsigned kBits>
void move_store(Machine& m) {
  const Place to = memory_at(m, 0, kBits);
  set(m, to, m.r(5));
}
template <unsigned kBits>
void move_number(Machine& m) {
  m.w(0, m.constant(kBits, static_cast<uint64_t>(m.imm(1))));
}
template <unsigned kBits>
void store_number(Machine& m) {
  const Place to = memory_at(m, 0, kBits);
  set(m, to, m.constant(kBits, static_cast<uint64_t>(m.imm(5))));
}
// Between the accumulator and a constant address: address, segment.
Value constant_address(Machine& m) { return with_segment(m, m.address_value(static_cast<uint64_t>(m.imm(0))), 1); }
template <unsigned kBits>
void accumulator_load(Machine& m) {
  m.write(general(kA, kBits), m.load(kBits, m.order(), constant_address(m)));
}
template <unsigned kBits>
void accumulator_store(Machine& m) {
  const Value address = constant_address(m);
  m.store(m.order(), address, m.read(general(kA, kBits)));
}
// dst, source of kFrom bits.
template <bool kSigned, bool kMemory, unsigned kFrom>
void extend(Machine& m) {
  const Value v = kMemory ? get(m, memory_at(m, 1, kFrom)) : m.r(1);
  m.w(0, kSigned ? m.sign_extend(v, m.slot(0).bits) : m.zero_extend(v, m.slot(0).bits));
}
template <unsigned kBits>
void load_address(Machine& m) {
  m.w(0, m.truncate(offset_of(m, 1), kBits));
}
// The accumulator's low half, extended into the whole, or into dx beside it.
template <unsigned kFrom>
void extend_accumulator(Machine& m) {
  m.write(general(kA, kFrom * 2), m.sign_extend(m.read(general(kA, kFrom)), kFrom * 2));
}
template <unsigned kBits>
void extend_into_d(Machine& m) {
  m.write(general(kD, kBits), m.sar_by(m.read(general(kA, kBits)), kBits - 1));
}

template <unsigned kBits>
void bind_moves_of(Isa& isa) {
  const std::string name = sized<kBits>("MOV"), wide = kBits == 64 ? "32" : "";
  isa.bind(name + "rr", move_register<kBits>);
  isa.bind(name + "rr_REV", move_register<kBits>);
  isa.bind(name + "rm", move_load<kBits>);
  isa.bind(name + "mr", move_store<kBits>);
  isa.bind(name + "ri", move_number<kBits>);
  isa.bind(name + "mi" + wide, store_number<kBits>);
  for (const char* width : {"32", "64"}) {
    isa.bind(name + "ao" + width, accumulator_load<kBits>);
    isa.bind(name + "o" + width + "a", accumulator_store<kBits>);
  }
}
template <unsigned kTo, unsigned kFrom>
void bind_extensions(Isa& isa) {
  const std::string from = std::to_string(kFrom);
  isa.bind(sized<kTo>("MOVSX") + "rr" + from, extend<true, false, kFrom>);
  isa.bind(sized<kTo>("MOVSX") + "rm" + from, extend<true, true, kFrom>);
  if (kFrom == 32) return;
  isa.bind(sized<kTo>("MOVZX") + "rr" + from, extend<false, false, kFrom>);
  isa.bind(sized<kTo>("MOVZX") + "rm" + from, extend<false, true, kFrom>);
}

// ---- on conditions

// Where it does not hold, the register's own low part is written again: of 32
// bits in 64, the upper half is cleared.
template <bool kMemory, unsigned kBits>
void move_if(Machine& m) {
  const Value v = kMemory ? get(m, memory_at(m, 2, kBits)) : m.r(2);
  const Value holds = condition(m, static_cast<unsigned>(m.imm(kMemory ? 7 : 3)));
  m.w(0, m.select(holds, v, m.r(1)));
}
template <bool kMemory>
void set_if(Machine& m) {
  const Place place = first_place(m, kMemory, 8);
  set(m, place, m.zero_extend(condition(m, static_cast<unsigned>(m.imm(kMemory ? 5 : 1))), 8));
}

// ---- exchanges

void exchange_registers(Machine& m) {
  const Value a = m.r(0), b = m.r(1);
  m.w(0, b);
  m.w(1, a);
}
template <unsigned kBits>
void exchange_memory(Machine& m) {
  const Place place = memory_at(m, 2, kBits);
  const Value a = m.r(0), b = get(m, place);
  set(m, place, a);
  m.w(0, b);
}
template <unsigned kBits>
void exchange_accumulator(Machine& m) {
  const Value a = m.read(general(kA, kBits)), b = m.r(0);
  m.w(0, a);
  m.write(general(kA, kBits), b);
}
void reverse_bytes(Machine& m) { m.w(0, m.unary(Code::kReverseBytes, m.r(1))); }
// al := the byte at bx + al.
void translate(Machine& m) {
  const Value base = m.read(general(kB, m.pointer())), index = m.zero_extend(m.read(general(kA, 8)), m.pointer());
  m.write(general(kA, 8), m.load(8, m.order(), m.add(base, index)));
}

// ---- the stack

void push_register(Machine& m) { push(m, m.r(0)); }
template <unsigned kBits>
void push_memory(Machine& m) {
  push(m, get(m, memory_at(m, 0, kBits)));
}
template <unsigned kBits>
void push_number(Machine& m) {
  push(m, m.constant(kBits, static_cast<uint64_t>(m.imm(0))));
}
void pop_register(Machine& m) { m.w(0, pop(m, m.slot(0).bits)); }
// "If the ESP register is used as a base register, the POP instruction computes
// the address after it increments ESP."
template <unsigned kBits>
void pop_memory(Machine& m) {
  const Value v = pop(m, kBits);
  set(m, memory_at(m, 0, kBits), v);
}
void leave_frame(Machine& m) {
  const Slot bp = general(kBp, m.pointer());
  m.write(general(kSp, m.pointer()), m.read(bp));
  m.write(bp, pop(m, m.pointer()));
}
// Size, level. Nested frames copy what lies above; the decoder does not say what any frame writes.
void enter_frame(Machine& m) {
  const Slot bp = general(kBp, m.pointer()), sp = general(kSp, m.pointer());
  if (m.imm(1) != 0) {
    m.opaque_instruction();
    m.write(bp, m.undefined(m.pointer()));
    return m.write(sp, m.undefined(m.pointer()));
  }
  push(m, m.read(bp));
  const Value frame = m.read(sp);
  m.write(bp, frame);
  m.write(sp, m.add_number(frame, -(m.imm(0) & 0xffff)));
}

template <unsigned kBits>
void bind_stack(Isa& isa) {
  isa.bind(sized<kBits>("PUSH") + "r", push_register);
  isa.bind(sized<kBits>("PUSH") + "rmr", push_register);
  isa.bind(sized<kBits>("PUSH") + "rmm", push_memory<kBits>);
  isa.bind(sized<kBits>("PUSH") + (kBits == 64 ? "i32" : "i"), push_number<kBits>);
  isa.bind(sized<kBits>("PUSH") + "i8", push_number<kBits>);
  isa.bind(sized<kBits>("POP") + "r", pop_register);
  isa.bind(sized<kBits>("POP") + "rmr", pop_register);
  isa.bind(sized<kBits>("POP") + "rmm", pop_memory<kBits>);
}
template <unsigned kBits>
void bind_wide(Isa& isa) {
  isa.bind(sized<kBits>("CMOV") + "rr", move_if<false, kBits>);
  isa.bind(sized<kBits>("CMOV") + "rm", move_if<true, kBits>);
  isa.bind(sized<kBits>("XCHG") + "ar", exchange_accumulator<kBits>);
  bind_stack<kBits>(isa);
}
template <unsigned kBits>
void bind_every(Isa& isa) {
  bind_moves_of<kBits>(isa);
  isa.bind(sized<kBits>("XCHG") + "rr", exchange_registers);
  isa.bind(sized<kBits>("XCHG") + "rm", exchange_memory<kBits>);
}

// ---- strings

// Moves a pointer register by one element, up or down.
void advance(Machine& m, size_t operand, unsigned bits) {
  const Value at = m.r(operand), down = m.get(kDirection);
  const Value back = m.like(at, static_cast<uint64_t>(-static_cast<int64_t>(bits / 8)));
  m.w(operand, m.add(at, m.select(down, back, m.like(at, bits / 8))));
}
Value pointer_at(Machine& m, size_t operand) { return m.zero_extend(m.r(operand), m.pointer()); }
// The source may lie in a segment of its own, which the next operand names.
Value source_at(Machine& m, size_t operand) { return with_segment(m, pointer_at(m, operand), operand + 1); }

// `step` gives what it found to be equal, which then decides too, with the count, whether it is done again; 0 where it
// does not compare. It is the zero flag that the CPU asks, but who reads the flags behind it shall not matter here.
template <class Step>
void repeat(Machine& m, Step step) {
  if ((m.insn().prefixes & (kRepeat | kRepeatNotEqual)) == 0) {
    step();
    return;
  }
  const Slot counter = general(kC, m.slot(0).bits);
  const Value count = m.read(counter), some = m.differs(count, 0);
  m.set_guard(some);
  const Value equal = step();
  m.write(counter, m.add_number(count, -1));
  Value again = some;
  if (equal != 0) again = m.bit_and(some, (m.insn().prefixes & kRepeat) != 0 ? equal : m.bit_not(equal));
  m.set_guard(0);
  m.leave(Code::kJump, m.address_value(m.address()), again);
}

template <unsigned kBits>
void move_string(Machine& m) {
  repeat(m, [&] {
    const Value v = m.load(kBits, m.order(), source_at(m, 1));
    m.store(m.order(), pointer_at(m, 0), v);
    advance(m, 0, kBits);
    advance(m, 1, kBits);
    return Value{0};
  });
}
template <unsigned kBits>
void store_string(Machine& m) {
  repeat(m, [&] {
    const Value v = m.read(general(kA, kBits));
    m.store(m.order(), pointer_at(m, 0), v);
    advance(m, 0, kBits);
    return Value{0};
  });
}
template <unsigned kBits>
void load_string(Machine& m) {
  repeat(m, [&] {
    m.write(general(kA, kBits), m.load(kBits, m.order(), source_at(m, 0)));
    advance(m, 0, kBits);
    return Value{0};
  });
}
template <unsigned kBits>
void scan_string(Machine& m) {
  repeat(m, [&] {
    const Value a = m.read(general(kA, kBits)), b = m.load(kBits, m.order(), pointer_at(m, 0));
    compare(m, a, b);
    advance(m, 0, kBits);
    return m.compare(Code::kEqual, a, b);
  });
}
template <unsigned kBits>
void compare_string(Machine& m) {
  repeat(m, [&] {
    const Value a = m.load(kBits, m.order(), source_at(m, 1)), b = m.load(kBits, m.order(), pointer_at(m, 0));
    compare(m, a, b);
    advance(m, 0, kBits);
    advance(m, 1, kBits);
    return m.compare(Code::kEqual, a, b);
  });
}
template <unsigned kBits>
void bind_strings(Isa& isa, char size) {
  const auto name = [&](const char* op) { return std::string(op) + size; };
  isa.bind(name("MOVS"), move_string<kBits>);
  isa.bind(name("STOS"), store_string<kBits>);
  isa.bind(name("LODS"), load_string<kBits>);
  isa.bind(name("SCAS"), scan_string<kBits>);
  isa.bind(name("CMPS"), compare_string<kBits>);
}

constexpr Handler kMoveHandlers[] = {
    {"MOV64ri32", move_number<64>},   {"LEA16r", load_address<16>},
    {"LEA32r", load_address<32>},     {"LEA64r", load_address<64>},
    {"LEA64_32r", load_address<32>},  {"CBW", extend_accumulator<8>},
    {"CWDE", extend_accumulator<16>}, {"CDQE", extend_accumulator<32>},
    {"CWD", extend_into_d<16>},       {"CDQ", extend_into_d<32>},
    {"CQO", extend_into_d<64>},       {"SETCCr", set_if<false>},
    {"SETCCm", set_if<true>},         {"BSWAP32r", reverse_bytes},
    {"BSWAP64r", reverse_bytes},      {"XLAT", translate},
    {"LEAVE", leave_frame},           {"LEAVE64", leave_frame},
    {"ENTER", enter_frame},
};

}  // namespace

void bind_moves(Isa& isa) {
  isa.bind(kMoveHandlers);
  bind_every<8>(isa);
  bind_every<16>(isa);
  bind_every<32>(isa);
  bind_every<64>(isa);
  bind_wide<16>(isa);
  bind_wide<32>(isa);
  bind_wide<64>(isa);
  bind_extensions<16, 8>(isa);
  bind_extensions<32, 8>(isa);
  bind_extensions<32, 16>(isa);
  bind_extensions<64, 8>(isa);
  bind_extensions<64, 16>(isa);
  bind_extensions<64, 32>(isa);
  bind_strings<8>(isa, 'B');
  bind_strings<16>(isa, 'W');
  bind_strings<32>(isa, 'L');
  bind_strings<64>(isa, 'Q');
}

}  // namespace assay::code::lift::x86
