// Loads and stores of ARM and Thumb.
// Source: ARM DDI 0406C, chapters A5, A6 and A8. Operand order and packed offsets: those of LLVM's ARM target
// (ARMAddressingModes.h: AM2 and AM3).
#include "code/lift/arm.h"

#include <array>
#include <string>

namespace assay::code::lift::arm {

namespace {

struct Address {
  Value at = 0;
  Value back = 0;   // written to operand `base` afterwards; 0: nothing
  size_t data = 0;  // first operand that is loaded or stored
  size_t base = 0;  // operand that is written
};
using Addressing = Address (*)(Machine&);

Value offset(Machine& m, Value base, int64_t by) { return by == 0 ? base : m.add_number(base, by); }
Value base_of(Machine& m, size_t operand) { return is_pc(m, operand) ? m.constant(32, aligned_pc(m)) : m.r(operand); }

// ---- offsets

// Register operand and AM2 number: bit 12 subtracts, bits 13 to 15 say the shift, the rest how far, or how much.
Value am2(Machine& m, Value base, size_t operand) {
  const auto packed = static_cast<unsigned>(m.imm(operand + 1));
  const bool minus = (packed & 0x1000) != 0;
  if (m.insn().reg(operand) == 0) {
    const int64_t by = packed & 0xfff;
    return offset(m, base, minus ? -by : by);
  }
  const Value by = shift_by(m, m.r(operand), static_cast<Shift>(packed >> 13 & 7), packed & 0xfff, false).value;
  return minus ? m.sub(base, by) : m.add(base, by);
}
// Register operand, 0 for none, and AM3 number: bit 8 subtracts.
Value am3(Machine& m, Value base, size_t operand) {
  const auto packed = static_cast<unsigned>(m.imm(operand + 1));
  const bool minus = (packed & 0x100) != 0;
  if (m.insn().reg(operand) == 0) {
    const int64_t by = packed & 0xff;
    return offset(m, base, minus ? -by : by);
  }
  const Value by = m.r(operand);
  return minus ? m.sub(base, by) : m.add(base, by);
}
using Offset = Value (*)(Machine&, Value base, size_t operand);

template <unsigned kScale = 1>
Value immediate(Machine& m, Value base, size_t operand) {
  return offset(m, base, signed_imm(m, operand) * int64_t{kScale});
}
Value plain_register(Machine& m, Value base, size_t operand) { return m.add(base, m.r(operand)); }
Value scaled_register(Machine& m, Value base, size_t operand) {
  return m.add(base, m.shl_by(m.r(operand), static_cast<unsigned>(m.imm(operand + 1))));
}
Value none(Machine&, Value base, size_t) { return base; }

// ---- addressing: kData registers, then the base; with writing back, loads have the written base behind the data,
// stores before it.

template <Offset kOffset, size_t kData = 1>
Address at_offset(Machine& m) {
  return {.at = kOffset(m, base_of(m, kData), kData + 1)};
}
template <Offset kOffset, bool kStore, size_t kData = 1>
Address before(Machine& m) {
  const Value at = kOffset(m, m.r(kData + 1), kData + 2);
  return {.at = at, .back = at, .data = kStore ? 1U : 0U, .base = kStore ? 0 : kData};
}
template <Offset kOffset, bool kStore, size_t kData = 1>
Address after(Machine& m) {
  const Value at = m.r(kData + 1), back = kOffset(m, at, kData + 2);
  return {.at = at, .back = back, .data = kStore ? 1U : 0U, .base = kStore ? 0 : kData};
}
// Relative to the program counter: data, number.
Address literal(Machine& m) { return {.at = m.constant(32, aligned_pc(m) + static_cast<uint64_t>(signed_imm(m, 1)))}; }

// ---- single registers and pairs

template <unsigned kBits, bool kSigned, Addressing kAddress>
void load(Machine& m) {
  const Address a = kAddress(m);
  const Value v = m.load(kBits, m.order(), a.at);
  if (a.back != 0) m.w(a.base, a.back);
  write(m, a.data, kSigned ? m.sign_extend(v, 32) : m.zero_extend(v, 32), true);
}
template <unsigned kBits, Addressing kAddress>
void store(Machine& m) {
  const Address a = kAddress(m);
  m.store(m.order(), a.at, m.r(a.data, kBits));
  if (a.back != 0) m.w(a.base, a.back);
}
template <Addressing kAddress>
void load_pair(Machine& m) {
  const Address a = kAddress(m);
  const Value one = m.load(32, m.order(), a.at), two = m.load(32, m.order(), m.add_number(a.at, 4));
  if (a.back != 0) m.w(a.base, a.back);
  m.w(a.data, one);
  m.w(a.data + 1, two);
}
template <Addressing kAddress>
void store_pair(Machine& m) {
  const Address a = kAddress(m);
  const Value one = m.r(a.data), two = m.r(a.data + 1);
  m.store(m.order(), a.at, one);
  m.store(m.order(), m.add_number(a.at, 4), two);
  if (a.back != 0) m.w(a.base, a.back);
}

// ---- lists of registers

enum class Walk : uint8_t { kIncreaseAfter, kIncreaseBefore, kDecreaseAfter, kDecreaseBefore };
struct List {
  Value first = 0, back = 0;
  size_t begin = 0, end = 0;  // operands
};
List list_of(Machine& m, Value base, size_t begin, Walk walk) {
  List out{.begin = begin, .end = m.insn().operand_count};
  const auto size = static_cast<int64_t>(out.end - begin) * 4;
  const bool up = walk == Walk::kIncreaseAfter || walk == Walk::kIncreaseBefore;
  const int64_t start = walk == Walk::kIncreaseAfter    ? 0
                        : walk == Walk::kIncreaseBefore ? 4
                        : walk == Walk::kDecreaseAfter  ? 4 - size
                                                        : -size;
  out.first = offset(m, base, start);
  out.back = m.add_number(base, up ? size : -size);
  return out;
}
// base_out: the register to write back to; kNoRegister: none.
void load_list(Machine& m, const List& list, RegisterId base_out) {
  std::array<Value, 16> values{};
  for (size_t i = list.begin; i < list.end; ++i)
    values[i - list.begin] = m.load(32, m.order(), offset(m, list.first, static_cast<int64_t>(i - list.begin) * 4));
  if (base_out != ir::kNoRegister) m.put(base_out, list.back);
  for (size_t i = list.begin; i < list.end; ++i) write(m, i, values[i - list.begin], true);
}
void store_list(Machine& m, const List& list, RegisterId base_out) {
  for (size_t i = list.begin; i < list.end; ++i) {
    const Value v = m.r(i);
    m.store(m.order(), offset(m, list.first, static_cast<int64_t>(i - list.begin) * 4), v);
  }
  if (base_out != ir::kNoRegister) m.put(base_out, list.back);
}
// (written base,) base, condition, registers.
template <Walk kWalk, bool kBack>
void load_multiple(Machine& m) {
  load_list(m, list_of(m, m.r(0), kBack ? 4 : 3, kWalk), kBack ? m.id(0) : ir::kNoRegister);
}
template <Walk kWalk, bool kBack>
void store_multiple(Machine& m) {
  store_list(m, list_of(m, m.r(0), kBack ? 4 : 3, kWalk), kBack ? m.id(0) : ir::kNoRegister);
}
// Thumb's short form writes back unless the base is in the list.
void load_multiple_short(Machine& m) {
  bool listed = false;
  for (size_t i = 3; i < m.insn().operand_count; ++i) listed |= m.insn().reg(i) == m.insn().reg(0);
  load_list(m, list_of(m, m.r(0), 3, Walk::kIncreaseAfter), listed ? ir::kNoRegister : m.id(0));
}
void push(Machine& m) { store_list(m, list_of(m, m.get(kSp), 2, Walk::kDecreaseBefore), kSp); }
void pop(Machine& m) { load_list(m, list_of(m, m.get(kSp), 2, Walk::kIncreaseAfter), kSp); }

// ---- atomics

// data, base (, number of words). kScale 0: no number.
template <unsigned kBits, unsigned kScale>
void load_exclusive(Machine& m) {
  const Value base = m.r(1), address = kScale == 0 ? base : offset(m, base, m.imm(2) * kScale);
  m.w(0, m.zero_extend(m.load(kBits, m.order(), address), 32));
  m.put(kReservedAddress, address);
  m.put(kReserved, m.constant(1, 1));
}
// status, data, base (, number of words): the status is 0 where it succeeded.
template <unsigned kBits, unsigned kScale>
void store_exclusive(Machine& m) {
  const Value v = m.r(1, kBits), base = m.r(2), address = kScale == 0 ? base : offset(m, base, m.imm(3) * kScale);
  const Value held = m.get(kReserved), same = m.equal(m.get(kReservedAddress), address);
  const Value success = m.bit_and(held, same);
  m.store(m.order(), address, v, success);
  m.w(0, m.zero_extend(m.bit_not(success), 32));
  m.put(kReserved, m.constant(1, 0));
}
template <unsigned kBits>
void swap(Machine& m) {
  const Value v = m.r(1, kBits), address = m.r(2), old = m.load(kBits, m.order(), address);
  m.store(m.order(), address, v);
  m.w(0, m.zero_extend(old, 32));
}

// ---- tables

template <unsigned kBits>
void bind_words_and_bytes(Isa& isa, const std::string& size) {
  const std::string l = "LDR" + size, s = "STR" + size;
  isa.bind(l + "i12", load<kBits, false, at_offset<immediate<>>>);
  isa.bind(l + "rs", load<kBits, false, at_offset<am2>>);
  isa.bind(l + "_PRE_IMM", load<kBits, false, before<immediate<>, false>>);
  isa.bind(l + "_PRE_REG", load<kBits, false, before<am2, false>>);
  isa.bind(l + "_POST_IMM", load<kBits, false, after<am2, false>>);
  isa.bind(l + "_POST_REG", load<kBits, false, after<am2, false>>);
  isa.bind(l + "T_POST_IMM", load<kBits, false, after<am2, false>>);
  isa.bind(l + "T_POST_REG", load<kBits, false, after<am2, false>>);
  isa.bind(s + "i12", store<kBits, at_offset<immediate<>>>);
  isa.bind(s + "rs", store<kBits, at_offset<am2>>);
  isa.bind(s + "_PRE_IMM", store<kBits, before<immediate<>, true>>);
  isa.bind(s + "_PRE_REG", store<kBits, before<am2, true>>);
  isa.bind(s + "_POST_IMM", store<kBits, after<am2, true>>);
  isa.bind(s + "_POST_REG", store<kBits, after<am2, true>>);
}
template <unsigned kBits, bool kSigned>
void bind_halfword_loads(Isa& isa, const std::string& name) {
  isa.bind(name, load<kBits, kSigned, at_offset<am3>>);
  isa.bind(name + "_PRE", load<kBits, kSigned, before<am3, false>>);
  isa.bind(name + "_POST", load<kBits, kSigned, after<am3, false>>);
}
template <unsigned kBits, bool kSigned>
void bind_thumb_loads(Isa& isa, const std::string& name) {
  const std::string l = "t2LDR" + name;
  isa.bind(l + "i12", load<kBits, kSigned, at_offset<immediate<>>>);
  isa.bind(l + "i8", load<kBits, kSigned, at_offset<immediate<>>>);
  isa.bind(l + "T", load<kBits, kSigned, at_offset<immediate<>>>);
  isa.bind(l + "s", load<kBits, kSigned, at_offset<scaled_register>>);
  isa.bind(l + "pci", load<kBits, kSigned, literal>);
  isa.bind(l + "_PRE", load<kBits, kSigned, before<immediate<>, false>>);
  isa.bind(l + "_POST", load<kBits, kSigned, after<immediate<>, false>>);
}
template <unsigned kBits>
void bind_thumb_stores(Isa& isa, const std::string& name) {
  const std::string s = "t2STR" + name;
  isa.bind(s + "i12", store<kBits, at_offset<immediate<>>>);
  isa.bind(s + "i8", store<kBits, at_offset<immediate<>>>);
  isa.bind(s + "T", store<kBits, at_offset<immediate<>>>);
  isa.bind(s + "s", store<kBits, at_offset<scaled_register>>);
  isa.bind(s + "_PRE", store<kBits, before<immediate<>, true>>);
  isa.bind(s + "_POST", store<kBits, after<immediate<>, true>>);
}
template <Walk kWalk>
void bind_multiple(Isa& isa, const std::string& walk) {
  isa.bind("LDM" + walk, load_multiple<kWalk, false>);
  isa.bind("LDM" + walk + "_UPD", load_multiple<kWalk, true>);
  isa.bind("STM" + walk, store_multiple<kWalk, false>);
  isa.bind("STM" + walk + "_UPD", store_multiple<kWalk, true>);
  if (walk != "IA" && walk != "DB") return;
  isa.bind("t2LDM" + walk, load_multiple<kWalk, false>);
  isa.bind("t2LDM" + walk + "_UPD", load_multiple<kWalk, true>);
  isa.bind("t2STM" + walk, store_multiple<kWalk, false>);
  isa.bind("t2STM" + walk + "_UPD", store_multiple<kWalk, true>);
}

constexpr Handler kMemoryHandlers[] = {
    {"STRH", store<16, at_offset<am3>>},
    {"STRH_PRE", store<16, before<am3, true>>},
    {"STRH_POST", store<16, after<am3, true>>},
    {"LDRD", load_pair<at_offset<am3, 2>>},
    {"LDRD_PRE", load_pair<before<am3, false, 2>>},
    {"LDRD_POST", load_pair<after<am3, false, 2>>},
    {"STRD", store_pair<at_offset<am3, 2>>},
    {"STRD_PRE", store_pair<before<am3, true, 2>>},
    {"STRD_POST", store_pair<after<am3, true, 2>>},
    {"t2LDRDi8", load_pair<at_offset<immediate<>, 2>>},
    {"t2LDRD_PRE", load_pair<before<immediate<>, false, 2>>},
    {"t2LDRD_POST", load_pair<after<immediate<>, false, 2>>},
    {"t2STRDi8", store_pair<at_offset<immediate<>, 2>>},
    {"t2STRD_PRE", store_pair<before<immediate<>, true, 2>>},
    {"t2STRD_POST", store_pair<after<immediate<>, true, 2>>},
    {"tLDRi", load<32, false, at_offset<immediate<4>>>},
    {"tLDRHi", load<16, false, at_offset<immediate<2>>>},
    {"tLDRBi", load<8, false, at_offset<immediate<1>>>},
    {"tLDRspi", load<32, false, at_offset<immediate<4>>>},
    {"tLDRpci", load<32, false, literal>},
    {"tLDRr", load<32, false, at_offset<plain_register>>},
    {"tLDRHr", load<16, false, at_offset<plain_register>>},
    {"tLDRBr", load<8, false, at_offset<plain_register>>},
    {"tLDRSH", load<16, true, at_offset<plain_register>>},
    {"tLDRSB", load<8, true, at_offset<plain_register>>},
    {"tSTRi", store<32, at_offset<immediate<4>>>},
    {"tSTRHi", store<16, at_offset<immediate<2>>>},
    {"tSTRBi", store<8, at_offset<immediate<1>>>},
    {"tSTRspi", store<32, at_offset<immediate<4>>>},
    {"tSTRr", store<32, at_offset<plain_register>>},
    {"tSTRHr", store<16, at_offset<plain_register>>},
    {"tSTRBr", store<8, at_offset<plain_register>>},
    {"tPUSH", push},
    {"tPOP", pop},
    {"tLDMIA", load_multiple_short},
    {"tSTMIA_UPD", store_multiple<Walk::kIncreaseAfter, true>},
    {"LDREX", load_exclusive<32, 0>},
    {"LDREXB", load_exclusive<8, 0>},
    {"LDREXH", load_exclusive<16, 0>},
    {"STREX", store_exclusive<32, 0>},
    {"STREXB", store_exclusive<8, 0>},
    {"STREXH", store_exclusive<16, 0>},
    {"t2LDREX", load_exclusive<32, 4>},
    {"t2LDREXB", load_exclusive<8, 0>},
    {"t2LDREXH", load_exclusive<16, 0>},
    {"t2STREX", store_exclusive<32, 4>},
    {"t2STREXB", store_exclusive<8, 0>},
    {"t2STREXH", store_exclusive<16, 0>},
    {"LDA", load<32, false, at_offset<none>>},
    {"LDAB", load<8, false, at_offset<none>>},
    {"LDAH", load<16, false, at_offset<none>>},
    {"STL", store<32, at_offset<none>>},
    {"STLB", store<8, at_offset<none>>},
    {"STLH", store<16, at_offset<none>>},
    {"SWP", swap<32>},
    {"SWPB", swap<8>},
};

}  // namespace

void bind_memory(Isa& isa) {
  bind_words_and_bytes<32>(isa, "");
  bind_words_and_bytes<8>(isa, "B");
  bind_halfword_loads<16, false>(isa, "LDRH");
  bind_halfword_loads<16, true>(isa, "LDRSH");
  bind_halfword_loads<8, true>(isa, "LDRSB");
  bind_thumb_loads<32, false>(isa, "");
  bind_thumb_loads<16, false>(isa, "H");
  bind_thumb_loads<8, false>(isa, "B");
  bind_thumb_loads<16, true>(isa, "SH");
  bind_thumb_loads<8, true>(isa, "SB");
  bind_thumb_stores<32>(isa, "");
  bind_thumb_stores<16>(isa, "H");
  bind_thumb_stores<8>(isa, "B");
  bind_multiple<Walk::kIncreaseAfter>(isa, "IA");
  bind_multiple<Walk::kIncreaseBefore>(isa, "IB");
  bind_multiple<Walk::kDecreaseAfter>(isa, "DA");
  bind_multiple<Walk::kDecreaseBefore>(isa, "DB");
  isa.bind(kMemoryHandlers);
}

}  // namespace assay::code::lift::arm
