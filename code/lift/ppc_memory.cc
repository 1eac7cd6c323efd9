// Loads and stores of PowerPC: of every width, reversed, with update, several at once, with reservation.
// Source: Power ISA 2.07, book I, chapters 3.3.2 to 3.3.7; book II, chapter 4 (reservations, cache). Operand order:
// that of LLVM's PowerPC target.
#include "code/lift/ppc.h"

#include <algorithm>
#include <string>

namespace assay::code::lift::ppc {

namespace {

// A base that is "0" and not r0 is none: the decoder names it ZERO.
Value displaced(Machine& m, size_t i) {
  const int64_t by = ir::sign_extend(static_cast<uint64_t>(m.imm(i)), 16);
  if (m.is_zero(i + 1)) return m.address_value(static_cast<uint64_t>(by));
  const Value base = m.r(i + 1);
  return by == 0 ? base : m.add_number(base, by);
}
Value indexed(Machine& m, size_t i) {
  if (m.is_zero(i)) return m.r(i + 1);
  const Value base = m.r(i), index = m.r(i + 1);
  return m.add(base, index);
}
using Addressing = Value (*)(Machine&, size_t);

enum class Fill : uint8_t { kZero, kSign };
Order other(Order order) { return order == Order::kBig ? Order::kLittle : Order::kBig; }

template <unsigned kBits, Fill kFill, Addressing kAddress, bool kReversed = false>
void load(Machine& m) {
  const Value address = kAddress(m, 1);
  const Value v = m.load(kBits, kReversed ? other(m.order()) : m.order(), address);
  m.w(0, kFill == Fill::kSign ? m.sign_extend(v, 32) : m.zero_extend(v, 32));
}
template <unsigned kBits, Addressing kAddress, bool kReversed = false>
void store(Machine& m) {
  const Value v = m.r(0, kBits);
  m.store(kReversed ? other(m.order()) : m.order(), kAddress(m, 1), v);
}
// rt, written base, address. "If RA=0 or RA=RT, the instruction form is invalid."
template <unsigned kBits, Fill kFill, Addressing kAddress>
void load_update(Machine& m) {
  if (m.id(1) == 0 || m.id(1) == m.id(0)) return m.opaque_instruction();
  const Value address = kAddress(m, 2), v = m.load(kBits, m.order(), address);
  m.w(0, kFill == Fill::kSign ? m.sign_extend(v, 32) : m.zero_extend(v, 32));
  m.w(1, address);
}
// written base, rs, address. "If RA=0, the instruction form is invalid."
template <unsigned kBits, Addressing kAddress>
void store_update(Machine& m) {
  if (m.id(0) == 0) return m.opaque_instruction();
  const Value address = kAddress(m, 2);
  m.store(m.order(), address, m.r(1, kBits));
  m.w(0, address);
}

// ---- several registers

Value part_address(Machine& m, Value address, unsigned by) { return by == 0 ? address : m.add_number(address, by); }

// An invalid form: whatever it leaves in these registers.
void forget(Machine& m, RegisterId first, unsigned count) {
  m.opaque_instruction();
  for (unsigned i = 0; i < count; ++i) m.put(static_cast<RegisterId>((first + i) % 32), m.undefined(32));
}
bool among(RegisterId base, RegisterId first, unsigned count) { return (base + 32U - first) % 32 < count; }

// "If RA is in the range of registers to be loaded, including the case in which RA=0, the instruction form is invalid."
void load_multiple(Machine& m) {
  const RegisterId first = m.id(0);
  const unsigned count = 32U - first;
  if (first == 0 || (!m.is_zero(2) && among(m.id(2), first, count))) return forget(m, first, count);
  const Value address = displaced(m, 1);
  for (unsigned i = 0; i < count; ++i)
    m.put(static_cast<RegisterId>(first + i), m.load(32, m.order(), part_address(m, address, 4 * i)));
}
void store_multiple(Machine& m) {
  const Value address = displaced(m, 1);
  for (unsigned r = m.id(0), at = 0; r < 32; ++r, at += 4) {
    const Value to = part_address(m, address, at);
    m.store(m.order(), to, m.get(static_cast<RegisterId>(r)));
  }
}

// lswi and stswi: so many bytes, four to a register from its top, from r31 on to r0. Base r0 is none; 0 bytes are 32.
unsigned string_bytes(const Machine& m) { return m.imm(2) == 0 ? 32 : static_cast<unsigned>(m.imm(2)) & 31; }
Value string_address(Machine& m) { return m.is_zero(1) || m.id(1) == 0 ? m.address_value(0) : m.r(1); }
RegisterId string_register(const Machine& m, unsigned at) { return static_cast<RegisterId>((m.id(0) + at / 4) % 32); }

void load_string(Machine& m) {
  const unsigned bytes = string_bytes(m), count = (bytes + 3) / 4;
  const RegisterId base = m.is_zero(1) ? RegisterId{0} : m.id(1);
  if (among(base, m.id(0), count)) return forget(m, m.id(0), count);
  const Value address = string_address(m);
  for (unsigned at = 0; at < bytes; at += 4) {
    Value word = m.constant(32, 0);
    for (unsigned i = at; i < std::min(at + 4, bytes); ++i) {
      const Value byte = m.load(8, m.order(), part_address(m, address, i));
      word = m.bit_or(word, m.shl_by(m.zero_extend(byte, 32), 24 - 8 * (i - at)));
    }
    m.put(string_register(m, at), word);
  }
}
void store_string(Machine& m) {
  const Value address = string_address(m);
  for (unsigned i = 0; i < string_bytes(m); ++i) {
    const Value byte = m.extract(m.get(string_register(m, i)), 24 - 8 * (i % 4), 8);
    m.store(m.order(), part_address(m, address, i), byte);
  }
}

// ---- reservations

void load_and_reserve(Machine& m) {
  const Value address = indexed(m, 1);
  m.w(0, m.load(32, m.order(), address));
  m.put(kReservedAddress, address);
  m.put(kReserved, m.constant(1, 1));
}
// Stores while the reservation of the same address is held; CR0's equal says whether.
void store_conditional(Machine& m) {
  const Value v = m.r(0), address = indexed(m, 1);
  const Value held = m.get(kReserved), same = m.equal(m.get(kReservedAddress), address);
  const Value success = m.bit_and(held, same);
  m.store(m.order(), address, v, success);
  const Value no = m.constant(1, 0);
  put_field(m, kConditions, {.less = no, .greater = no, .equal = success});
  m.put(kReserved, no);
}

// "This instruction is treated as a Load", and writes back or forgets what a cache holds: dcbf, dcbst, icbi.
template <size_t kAddress>
void touch(Machine& m) {
  m.load(8, m.order(), indexed(m, kAddress));
}

template <unsigned kBits, Fill kFill>
void bind_loads(Isa& isa, const std::string& name) {
  isa.bind(name, load<kBits, kFill, displaced>);
  isa.bind(name + "X", load<kBits, kFill, indexed>);
  isa.bind(name + "U", load_update<kBits, kFill, displaced>);
  isa.bind(name + "UX", load_update<kBits, kFill, indexed>);
}
template <unsigned kBits>
void bind_stores(Isa& isa, const std::string& name) {
  isa.bind(name, store<kBits, displaced>);
  isa.bind(name + "X", store<kBits, indexed>);
  isa.bind(name + "U", store_update<kBits, displaced>);
  isa.bind(name + "UX", store_update<kBits, indexed>);
}

constexpr Handler kMemoryHandlers[] = {
    {"LHBRX", load<16, Fill::kZero, indexed, true>},
    {"LWBRX", load<32, Fill::kZero, indexed, true>},
    {"STHBRX", store<16, indexed, true>},
    {"STWBRX", store<32, indexed, true>},
    {"LMW", load_multiple},
    {"STMW", store_multiple},
    {"LSWI", load_string},
    {"STSWI", store_string},
    {"LWARX", load_and_reserve},
    {"STWCX", store_conditional},
    {"DCBST", touch<0>},
    {"DCBF", touch<1>},
    {"ICBI", touch<0>},
};

}  // namespace

void bind_memory(Isa& isa) {
  isa.bind(kMemoryHandlers);
  bind_loads<8, Fill::kZero>(isa, "LBZ");
  bind_loads<16, Fill::kZero>(isa, "LHZ");
  bind_loads<16, Fill::kSign>(isa, "LHA");
  bind_loads<32, Fill::kZero>(isa, "LWZ");
  bind_stores<8>(isa, "STB");
  bind_stores<16>(isa, "STH");
  bind_stores<32>(isa, "STW");
}

}  // namespace assay::code::lift::ppc
