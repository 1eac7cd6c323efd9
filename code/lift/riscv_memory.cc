// RISC-V: loads and stores of integer registers, fences, load-reserved and store-conditional, atomic operations.
// Source: The RISC-V Instruction Set Manual, volume I: chapters RV32I and RV64I (loads and stores, fences), "A".
//
// The order between processors (aq, rl, fences) has no meaning in the language.
#include "code/lift/riscv.h"

#include <array>
#include <string>

namespace assay::code::lift {

namespace {

Value address(Machine& m) {
  const Value base = m.r(1);
  return m.imm(2) == 0 ? base : m.add_number(base, m.imm(2));
}
template <unsigned kBits, bool kSigned>
void load(Machine& m) {
  const Value v = m.load(kBits, m.order(), address(m));
  m.w(0, kSigned ? m.sign_extend(v, m.pointer()) : m.zero_extend(v, m.pointer()));
}
template <unsigned kBits>
void store(Machine& m) {
  const Value v = m.r(0, kBits);
  m.store(m.order(), address(m), v);
}

// rd, base. A word is sign-extended.
template <unsigned kBits>
void load_reserved(Machine& m) {
  const Value at = m.r(1);
  m.w(0, m.sign_extend(m.load(kBits, m.order(), at), m.pointer()));
  m.put(kRiscvReservedAddress, at);
  m.put(kRiscvReserved, m.constant(1, 1));
}
// rd, base, data. Zero where it succeeds, else "a nonzero value": 1 stands for an unspecified failure. "Regardless of
// success or failure, executing an SC.W instruction invalidates any reservation held by this hart".
template <unsigned kBits>
void store_conditional(Machine& m) {
  const Value at = m.r(1), v = m.r(2, kBits);
  const Value held = m.get(kRiscvReserved), same = m.equal(m.get(kRiscvReservedAddress), at);
  const Value success = m.bit_and(held, same);
  m.store(m.order(), at, v, success);
  m.w(0, m.zero_extend(m.bit_not(success), m.pointer()));
  m.put(kRiscvReserved, m.constant(1, 0));
}

// rd, base, data: the old value goes to rd, sign-extended.
template <unsigned kBits>
void swap(Machine& m) {
  const Value at = m.r(1), v = m.r(2, kBits), old = m.load(kBits, m.order(), at);
  m.store(m.order(), at, v);
  m.w(0, m.sign_extend(old, m.pointer()));
}
template <Code kCode, unsigned kBits>
void change(Machine& m) {
  const Value at = m.r(1), v = m.r(2, kBits), old = m.load(kBits, m.order(), at);
  m.store(m.order(), at, m.binary(kCode, old, v));
  m.w(0, m.sign_extend(old, m.pointer()));
}
template <Code kLess, bool kGreater, unsigned kBits>
void extreme(Machine& m) {
  const Value at = m.r(1), v = m.r(2, kBits), old = m.load(kBits, m.order(), at);
  const Value less = m.compare(kLess, old, v);
  m.store(m.order(), at, kGreater ? m.select(less, v, old) : m.select(less, old, v));
  m.w(0, m.sign_extend(old, m.pointer()));
}

void order_only(Machine&) {}

constexpr Handler kMemory[] = {
    {"LB", load<8, true>},     {"LBU", load<8, false>},   {"LH", load<16, true>},      {"LHU", load<16, false>},
    {"LW", load<32, true>},    {"C_LW", load<32, true>},  {"C_LWSP", load<32, true>},  {"LWU", load<32, false>},
    {"LD", load<64, false>},   {"C_LD", load<64, false>}, {"C_LDSP", load<64, false>}, {"SB", store<8>},
    {"SH", store<16>},         {"SW", store<32>},         {"C_SW", store<32>},         {"C_SWSP", store<32>},
    {"SD", store<64>},         {"C_SD", store<64>},       {"C_SDSP", store<64>},       {"FENCE", order_only},
    {"FENCE_TSO", order_only}, {"FENCE_I", order_only},
};

// A word's and a doubleword's.
struct Atomic {
  std::string_view opcode;
  Lift word, doubleword;
};
template <Code kCode>
constexpr Atomic changing(std::string_view opcode) {
  return {opcode, change<kCode, 32>, change<kCode, 64>};
}
template <Code kLess, bool kGreater>
constexpr Atomic choosing(std::string_view opcode) {
  return {opcode, extreme<kLess, kGreater, 32>, extreme<kLess, kGreater, 64>};
}
constexpr Atomic kAtomics[] = {
    {"LR", load_reserved<32>, load_reserved<64>},
    {"SC", store_conditional<32>, store_conditional<64>},
    {"AMOSWAP", swap<32>, swap<64>},
    changing<Code::kAdd>("AMOADD"),
    changing<Code::kAnd>("AMOAND"),
    changing<Code::kOr>("AMOOR"),
    changing<Code::kXor>("AMOXOR"),
    choosing<Code::kLessSigned, false>("AMOMIN"),
    choosing<Code::kLessSigned, true>("AMOMAX"),
    choosing<Code::kLessUnsigned, false>("AMOMINU"),
    choosing<Code::kLessUnsigned, true>("AMOMAXU"),
};

}  // namespace

void bind_riscv_memory(Isa& isa) {
  isa.bind(kMemory);
  for (const Atomic& a : kAtomics)
    for (const std::string_view order : {"", "_AQ", "_RL", "_AQ_RL"}) {
      isa.bind(std::string(a.opcode) + "_W" + std::string(order), a.word);
      isa.bind(std::string(a.opcode) + "_D" + std::string(order), a.doubleword);
    }
}

}  // namespace assay::code::lift
