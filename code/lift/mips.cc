// MIPS32 and MIPS64, releases 1 and 2, both byte orders.
// Source: MIPS32/MIPS64 Architecture For Programmers, Volume II (instruction set), revisions 2.5 and 5.04; Volume I for
// delay slots. Operand order: that of LLVM's Mips target.
//
// Branches are resolved with their delay slot: the condition and the target are read before the slot's instruction, the
// slot is lifted in between, and the jump comes last. A branch "likely" annuls its slot where it is not taken: the slot
// is lifted under the condition as guard. A branch in a slot is UNPREDICTABLE by the manual and is left opaque.
#include "code/lift/nzcv.h"

#include <algorithm>

namespace assay::code::lift {

namespace mips {
namespace {

// What the compare-and-swap pair ll and sc share: whether a reservation is held and for which address.
struct Names {
  RegisterId hi, lo, reserved, reserved_address, ra;
};
// make_mips adds them in this order behind the 32 general registers.
constexpr Names kNames = {.hi = 32, .lo = 33, .reserved = 34, .reserved_address = 35, .ra = 31};

unsigned width(const Machine& m) { return m.pointer(); }
Value low32(Machine& m, RegisterId id) { return m.truncate(m.get(id), 32); }
void put_accumulator(Machine& m, RegisterId id, Value v) { m.put(id, m.sign_extend(v, width(m))); }

// The decoder has one opcode for both widths where the encoding is one, and names 32-bit registers in it. What works
// on words ("ADDU rd, rs, rt: the 32-bit word value …") reads and writes those; everything else (logic, comparisons,
// moves, addresses) reads and writes the registers whole.
Slot whole(const Machine& m, size_t i) {
  Slot slot = m.slot(i);
  slot.bits = static_cast<uint8_t>(width(m));
  return slot;
}
Value all(Machine& m, size_t i) { return m.read(whole(m, i)); }
void put_all(Machine& m, size_t i, Value v) { m.write(whole(m, i), v); }

// ---- arithmetic

template <Code kCode>
void three(Machine& m) {
  const Value a = m.r(1), b = m.r(2);
  m.w(0, m.binary(kCode, a, b));
}
template <Code kCode>
void logic(Machine& m) {
  const Value a = all(m, 1), b = all(m, 2);
  put_all(m, 0, m.binary(kCode, a, b));
}
template <Code kCode>
void signed_immediate(Machine& m) {
  const Value a = m.r(1);
  m.w(0, m.binary(kCode, a, m.like(a, static_cast<uint64_t>(m.imm(2)))));
}
template <Code kCode>
void plain_immediate(Machine& m) {
  const Value a = all(m, 1);
  put_all(m, 0, m.binary(kCode, a, m.like(a, static_cast<uint64_t>(m.imm(2)) & 0xffff)));
}

void add_trapping(Machine& m) {
  const Value a = m.r(1), b = m.is_reg(2) ? m.r(2) : m.like(a, static_cast<uint64_t>(m.imm(2)));
  const Value sum = m.add(a, b);
  m.trap(Trap::kCondition, sum_overflow(m, a, b, sum));
  m.w(0, sum);
}
void sub_trapping(Machine& m) {
  const Value a = m.r(1), b = m.r(2), difference = m.sub(a, b);
  m.trap(Trap::kCondition, difference_overflow(m, a, b, difference));
  m.w(0, difference);
}

void nor(Machine& m) {
  const Value a = all(m, 1), b = all(m, 2);
  put_all(m, 0, m.bit_not(m.bit_or(a, b)));
}
void lui(Machine& m) { m.w(0, m.constant(32, static_cast<uint64_t>(m.imm(1)) << 16)); }

template <Code kCompare>
void set_register(Machine& m) {
  const Value a = all(m, 1), b = all(m, 2);
  const Value bit = m.compare(kCompare, a, b);
  put_all(m, 0, m.zero_extend(bit, width(m)));
}
template <Code kCompare>
void set_immediate(Machine& m) {
  const Value a = all(m, 1);
  const Value bit = m.compare(kCompare, a, m.like(a, static_cast<uint64_t>(m.imm(2))));
  put_all(m, 0, m.zero_extend(bit, width(m)));
}

// kMore: dsll32 and its kin shift by 32 more.
template <Code kShift, unsigned kMore = 0>
void shift_immediate(Machine& m) {
  const Value a = m.r(1);
  m.w(0, m.binary(kShift, a, m.like(a, static_cast<uint64_t>(m.imm(2)) + kMore)));
}
template <Code kShift>
void shift_register(Machine& m) {
  const Value a = m.r(1);
  const Value amount = m.zero_extend(m.truncate(m.r(2), m.bits(a) == 64 ? 6 : 5), m.bits(a));
  m.w(0, m.binary(kShift, a, amount));
}
// SLL64_32 and SLL64_64 are sll with another name: the low word, extended.
void sign_extend_word(Machine& m) { m.w(0, m.sign_extend(m.truncate(m.r(1), 32), 64)); }

// ---- multiply and divide

template <bool kSigned>
Value widen(Machine& m, Value v) {
  return kSigned ? m.sign_extend(v, 64) : m.zero_extend(v, 64);
}
template <bool kSigned>
void multiply(Machine& m) {
  const Value a = widen<kSigned>(m, m.r(0)), b = widen<kSigned>(m, m.r(1));
  const Value product = m.mul(a, b);
  put_accumulator(m, kNames.hi, m.extract(product, 32, 32));
  put_accumulator(m, kNames.lo, m.truncate(product, 32));
}
template <bool kSigned>
void multiply_double(Machine& m) {
  const Value a = m.r(0), b = m.r(1);
  m.put(kNames.hi, m.binary(kSigned ? Code::kMultiplyHighSigned : Code::kMultiplyHighUnsigned, a, b));
  m.put(kNames.lo, m.mul(a, b));
}
// hi:lo ± product.
template <bool kSigned, Code kCode>
void multiply_accumulate(Machine& m) {
  const Value a = widen<kSigned>(m, m.r(0)), b = widen<kSigned>(m, m.r(1));
  const Value product = m.mul(a, b);
  const Value high = m.shl_by(m.zero_extend(low32(m, kNames.hi), 64), 32);
  const Value accumulator = m.bit_or(high, m.zero_extend(low32(m, kNames.lo), 64));
  const Value sum = m.binary(kCode, accumulator, product);
  put_accumulator(m, kNames.hi, m.extract(sum, 32, 32));
  put_accumulator(m, kNames.lo, m.truncate(sum, 32));
}
// "MUL: the contents of HI and LO are UNPREDICTABLE after the operation": left as they are by every implementation
// known, said to be undefined here.
void mul(Machine& m) {
  const Value a = m.r(1), b = m.r(2);
  m.w(0, m.mul(a, b));
  m.put(kNames.hi, m.undefined(width(m)));
  m.put(kNames.lo, m.undefined(width(m)));
}
// "If the divisor in GPR rt is zero, the arithmetic result value is UNPREDICTABLE."
template <Code kQuotient, Code kRemainder>
void divide(Machine& m) {
  const Value a = m.r(0), b = m.r(1), zero = m.equals(b, 0), unknown = m.undefined(m.bits(a));
  put_accumulator(m, kNames.lo, m.select(zero, unknown, m.binary(kQuotient, a, b)));
  put_accumulator(m, kNames.hi, m.select(zero, unknown, m.binary(kRemainder, a, b)));
}
template <const RegisterId Names::* kFrom>
void move_from(Machine& m) {
  put_all(m, 0, m.get(kNames.*kFrom));
}
template <const RegisterId Names::* kTo>
void move_to(Machine& m) {
  m.put(kNames.*kTo, all(m, 0));
}

// ---- bits and bytes

// rt, rs, position, size (, rt): as the instruction is written, so that the names for high fields (DEXTM, DEXTU, …) are
// no different.
void extract(Machine& m) {
  const Value a = m.r(1);
  const auto position = static_cast<unsigned>(m.imm(2)), size = static_cast<unsigned>(m.imm(3));
  if (size == 0 || position + size > m.bits(a)) return m.opaque_instruction();
  m.w(0, m.zero_extend(m.extract(a, position, size), m.bits(a)));
}
void insert(Machine& m) {
  const Value into = m.r(0), from = m.r(1);  // the decoder does not repeat the first operand of all forms
  const auto position = static_cast<unsigned>(m.imm(2)), size = static_cast<unsigned>(m.imm(3));
  if (size == 0 || position + size > m.bits(into)) return m.opaque_instruction();
  const Value field = m.shl_by(m.and_mask(from, ir::mask(size)), position);
  const Value kept = m.and_mask(into, ~(ir::mask(size) << position));
  m.w(0, m.bit_or(kept, field));
}
template <unsigned kBits>
void sign_extend_low(Machine& m) {
  const Value a = m.r(1);
  m.w(0, m.sign_extend(m.truncate(a, kBits), m.bits(a)));
}
// Swaps the bytes of each halfword: the whole reversed, its halfwords put back in order.
void swap_bytes_in_halfwords(Machine& m) {
  const Value a = m.r(1);
  const uint64_t odd = 0xff00ff00ff00ff00;
  const Value up = m.and_mask(m.shl_by(a, 8), odd), down = m.shr_by(m.and_mask(a, odd), 8);
  m.w(0, m.bit_or(up, down));
}
void swap_halfwords(Machine& m) {
  const Value a = m.r(1);
  const uint64_t odd = 0xffff0000ffff0000;
  const Value up = m.and_mask(m.shl_by(a, 16), odd), down = m.shr_by(m.and_mask(a, odd), 16);
  m.w(0, m.ror_by(m.bit_or(up, down), 32));
}
void leading_zeros(Machine& m) { m.w(0, m.unary(Code::kLeadingZeros, m.r(1))); }
void leading_ones(Machine& m) { m.w(0, m.unary(Code::kLeadingZeros, m.bit_not(m.r(1)))); }

// ---- conditional moves and traps

template <Code kCompare>
void move_if(Machine& m) {
  const Value v = all(m, 1), test = all(m, 2), old = all(m, 3);
  put_all(m, 0, m.select(m.compare(kCompare, test, m.like(test, 0)), v, old));
}
template <bool kIf>
void move_on_flag(Machine& m) {
  const Value v = all(m, 1), flag = m.r(2), old = all(m, 3);
  put_all(m, 0, kIf ? m.select(flag, v, old) : m.select(flag, old, v));
}
template <Code kCompare, bool kNegated = false>
void trap_if(Machine& m) {
  const Value a = all(m, 0), b = m.is_reg(1) ? all(m, 1) : m.like(a, static_cast<uint64_t>(m.imm(1)));
  const Value condition = m.compare(kCompare, a, b);
  m.trap(Trap::kCondition, kNegated ? m.bit_not(condition) : condition);
}

// ---- memory

Value effective_address(Machine& m, size_t base) {
  const Value b = all(m, base);
  return m.imm(base + 1) == 0 ? b : m.add_number(b, m.imm(base + 1));
}
template <unsigned kBits, bool kSigned>
void load(Machine& m) {
  const Value v = m.load(kBits, m.order(), effective_address(m, 1));
  put_all(m, 0, kSigned ? m.sign_extend(v, width(m)) : m.zero_extend(v, width(m)));
}
template <unsigned kBits>
void store(Machine& m) {
  const Value v = m.truncate(all(m, 0), kBits);
  m.store(m.order(), effective_address(m, 1), v);
}

// The aligned word around an unaligned address, and by how many bits the part reached from there is shifted. kLeft:
// lwl's side, the one that ends with the most significant byte.
struct Part {
  Value address, shift;
};
template <unsigned kBits, bool kLeft>
Part unaligned(Machine& m) {
  const Value address = effective_address(m, 1);
  Value byte = m.and_mask(address, uint64_t{kBits / 8 - 1});
  if (kLeft == (m.order() == Order::kLittle)) byte = m.bit_xor(byte, m.like(byte, kBits / 8 - 1));
  const Value shift = m.shl_by(m.truncate(m.zero_extend(byte, 64), kBits), 3);
  return {m.and_mask(address, ~uint64_t{kBits / 8 - 1}), shift};
}
// lwl: memory's part goes to the top of the register, what lies below stays; lwr the other way round.
template <unsigned kBits, bool kLeft>
void load_part(Machine& m) {
  const Value old = m.truncate(all(m, 0), kBits);
  const auto [address, shift] = unaligned<kBits, kLeft>(m);
  const Value word = m.load(kBits, m.order(), address);
  const Value ones = m.constant(kBits, ~uint64_t{0});
  const Code towards = kLeft ? Code::kShiftLeft : Code::kShiftRight;
  const Value kept = m.bit_and(old, m.bit_not(m.binary(towards, ones, shift)));
  put_all(m, 0, m.sign_extend(m.bit_or(m.binary(towards, word, shift), kept), width(m)));
}
template <unsigned kBits, bool kLeft>
void store_part(Machine& m) {
  const Value v = m.truncate(all(m, 0), kBits);
  const auto [address, shift] = unaligned<kBits, kLeft>(m);
  const Value word = m.load(kBits, m.order(), address);
  const Value ones = m.constant(kBits, ~uint64_t{0});
  const Code towards = kLeft ? Code::kShiftRight : Code::kShiftLeft;
  const Value kept = m.bit_and(word, m.bit_not(m.binary(towards, ones, shift)));
  m.store(m.order(), address, m.bit_or(m.binary(towards, v, shift), kept));
}

template <unsigned kBits>
void load_linked(Machine& m) {
  const Value address = effective_address(m, 1);
  put_all(m, 0, m.sign_extend(m.load(kBits, m.order(), address), width(m)));
  m.put(kNames.reserved_address, address);
  m.put(kNames.reserved, m.constant(1, 1));
}
// rt (written), rt, base, offset. Succeeds while the reservation of the same address is held.
template <unsigned kBits>
void store_conditional(Machine& m) {
  const Value v = m.truncate(all(m, 1), kBits), address = effective_address(m, 2);
  const Value held = m.get(kNames.reserved), same = m.equal(m.get(kNames.reserved_address), address);
  const Value success = m.bit_and(held, same);
  m.store(m.order(), address, v, success);
  put_all(m, 0, m.zero_extend(success, width(m)));
  m.put(kNames.reserved, m.constant(1, 0));
}

// ---- control

bool is_control(Lift lift);

// The slot's instruction, under `condition` where the branch annuls it. False: there is none, or it may not stand
// there.
bool delay_slot(Machine& m, Value annulled_unless) {
  const size_t slot = m.index() + 1;
  if (!m.has(slot) || is_control(m.isa().lifts[m.insn(slot).opcode])) return false;
  m.set_guard(annulled_unless);
  m.lift_at(slot);
  m.set_guard(0);
  m.set_lifted(2);
  return true;
}

Value link_address(Machine& m) { return m.address_value(m.address() + 8); }

struct Branch {
  Value condition = 0;  // 0: always
  Value target = 0;
  bool likely = false;
  Code kind = Code::kJump;
};
void leave(Machine& m, const Branch& branch) {
  if (!delay_slot(m, branch.likely ? branch.condition : 0))
    return m.only_links() ? m.opaque_instruction() : m.opaque_leave();
  if (!m.only_links()) m.leave(branch.kind, branch.target, branch.condition);
}

Value relative(Machine& m, size_t operand) {
  return m.address_value(m.address() + static_cast<uint64_t>(m.imm(operand)));
}

// beq rs, rt, offset. A branch on equal registers is an unconditional one: that is how "b" is written.
template <Code kCompare, bool kLikely>
void branch_two(Machine& m) {
  Branch out{.target = relative(m, 2), .likely = kLikely};
  if (!(kCompare == Code::kEqual && m.id(0) == m.id(1) && m.is_zero(0) == m.is_zero(1))) {
    const Value a = all(m, 0), b = all(m, 1);
    out.condition = m.compare(kCompare, a, b);
  }
  leave(m, out);
}
// Compared with 0: kSwapped for "greater", kNegated for "greater or equal".
enum class Against : uint8_t { kLess, kGreaterEqual, kLessEqual, kGreater };
Value compare_zero(Machine& m, Against against) {
  const Value a = all(m, 0), zero = m.like(a, 0);
  switch (against) {
    case Against::kLess:
      return m.compare(Code::kLessSigned, a, zero);
    case Against::kGreaterEqual:
      return m.compare(Code::kLessEqualSigned, zero, a);
    case Against::kLessEqual:
      return m.compare(Code::kLessEqualSigned, a, zero);
    default:
      return m.compare(Code::kLessSigned, zero, a);
  }
}
// kLink: bgezal and bltzal link whether or not they are taken; "bal" is bgezal of $zero.
template <Against kAgainst, bool kLikely = false, bool kLink = false>
void branch_zero(Machine& m) {
  Branch out{.target = relative(m, 1), .likely = kLikely, .kind = kLink ? Code::kCall : Code::kJump};
  const bool always = kAgainst == Against::kGreaterEqual && m.is_zero(0);
  if (!always) out.condition = compare_zero(m, kAgainst);
  if (kLink) m.put(kNames.ra, link_address(m));
  leave(m, out);
}
template <bool kIf, bool kLikely>
void branch_flag(Machine& m) {
  const Value flag = m.r(0);
  leave(m, {.condition = kIf ? flag : m.bit_not(flag), .target = relative(m, 1), .likely = kLikely});
}
// "The target is in the current 256 MB-aligned region of the branch delay slot's address."
template <bool kLink>
void jump_region(Machine& m) {
  const uint64_t region = (m.address() + 4) & ~uint64_t{0xfffffff};
  const Value target = m.address_value(region | (static_cast<uint64_t>(m.imm(0)) & 0xfffffff));
  if (kLink) m.put(kNames.ra, link_address(m));
  leave(m, {.target = target, .kind = kLink ? Code::kCall : Code::kJump});
}
void jump_register(Machine& m) {
  leave(m, {.target = all(m, 0), .kind = m.id(0) == kNames.ra ? Code::kReturn : Code::kJump});
}
void call_register(Machine& m) {
  const Value target = all(m, 1);
  put_all(m, 0, link_address(m));
  leave(m, {.target = target, .kind = Code::kCall});
}

void no_effect(Machine&) {}  // sync, pref, cache hints, ssnop: order and timing, no values

constexpr Handler kControl[] = {
    {"BEQ", branch_two<Code::kEqual, false>},
    {"BEQ64", branch_two<Code::kEqual, false>},
    {"BNE", branch_two<Code::kNotEqual, false>},
    {"BNE64", branch_two<Code::kNotEqual, false>},
    {"BEQL", branch_two<Code::kEqual, true>},
    {"BNEL", branch_two<Code::kNotEqual, true>},
    {"BLTZ", branch_zero<Against::kLess>},
    {"BLTZ64", branch_zero<Against::kLess>},
    {"BGEZ", branch_zero<Against::kGreaterEqual>},
    {"BGEZ64", branch_zero<Against::kGreaterEqual>},
    {"BLEZ", branch_zero<Against::kLessEqual>},
    {"BLEZ64", branch_zero<Against::kLessEqual>},
    {"BGTZ", branch_zero<Against::kGreater>},
    {"BGTZ64", branch_zero<Against::kGreater>},
    {"BLTZL", branch_zero<Against::kLess, true>},
    {"BGEZL", branch_zero<Against::kGreaterEqual, true>},
    {"BLEZL", branch_zero<Against::kLessEqual, true>},
    {"BGTZL", branch_zero<Against::kGreater, true>},
    {"BLTZAL", branch_zero<Against::kLess, false, true>},
    {"BGEZAL", branch_zero<Against::kGreaterEqual, false, true>},
    {"BLTZALL", branch_zero<Against::kLess, true, true>},
    {"BGEZALL", branch_zero<Against::kGreaterEqual, true, true>},
    {"BC1T", branch_flag<true, false>},
    {"BC1F", branch_flag<false, false>},
    {"BC1TL", branch_flag<true, true>},
    {"BC1FL", branch_flag<false, true>},
    {"J", jump_region<false>},
    {"JAL", jump_region<true>},
    {"JR", jump_register},
    {"JR64", jump_register},
    {"JR_HB", jump_register},
    {"JR_HB64", jump_register},
    {"JALR", call_register},
    {"JALR64", call_register},
    {"JALR_HB", call_register},
    {"JALR_HB64", call_register},
};

bool is_control(Lift lift) {
  for (const Handler& handler : kControl)
    if (lift == handler.lift) return true;
  return false;
}

constexpr Handler kPlain[] = {
    {"ADDu", three<Code::kAdd>},
    {"SUBu", three<Code::kSubtract>},
    {"AND", logic<Code::kAnd>},
    {"OR", logic<Code::kOr>},
    {"XOR", logic<Code::kXor>},
    {"NOR", nor},
    {"ADD", add_trapping},
    {"SUB", sub_trapping},
    {"ADDi", add_trapping},
    {"ADDiu", signed_immediate<Code::kAdd>},
    {"ANDi", plain_immediate<Code::kAnd>},
    {"ORi", plain_immediate<Code::kOr>},
    {"XORi", plain_immediate<Code::kXor>},
    {"LUi", lui},
    {"SLT", set_register<Code::kLessSigned>},
    {"SLTu", set_register<Code::kLessUnsigned>},
    {"SLTi", set_immediate<Code::kLessSigned>},
    {"SLTiu", set_immediate<Code::kLessUnsigned>},
    {"SLL", shift_immediate<Code::kShiftLeft>},
    {"SRL", shift_immediate<Code::kShiftRight>},
    {"SRA", shift_immediate<Code::kShiftRightSigned>},
    {"ROTR", shift_immediate<Code::kRotateRight>},
    {"SLLV", shift_register<Code::kShiftLeft>},
    {"SRLV", shift_register<Code::kShiftRight>},
    {"SRAV", shift_register<Code::kShiftRightSigned>},
    {"ROTRV", shift_register<Code::kRotateRight>},
    {"MULT", multiply<true>},
    {"MULTu", multiply<false>},
    {"MUL", mul},
    {"MADD", multiply_accumulate<true, Code::kAdd>},
    {"MADDU", multiply_accumulate<false, Code::kAdd>},
    {"MSUB", multiply_accumulate<true, Code::kSubtract>},
    {"MSUBU", multiply_accumulate<false, Code::kSubtract>},
    {"SDIV", divide<Code::kDivideSigned, Code::kRemainderSigned>},
    {"UDIV", divide<Code::kDivideUnsigned, Code::kRemainderUnsigned>},
    {"MFHI", move_from<&Names::hi>},
    {"MFLO", move_from<&Names::lo>},
    {"MTHI", move_to<&Names::hi>},
    {"MTLO", move_to<&Names::lo>},
    {"EXT", extract},
    {"INS", insert},
    {"SEB", sign_extend_low<8>},
    {"SEH", sign_extend_low<16>},
    {"WSBH", swap_bytes_in_halfwords},
    {"CLZ", leading_zeros},
    {"CLO", leading_ones},
    {"MOVZ_I_I", move_if<Code::kEqual>},
    {"MOVN_I_I", move_if<Code::kNotEqual>},
    {"MOVT_I", move_on_flag<true>},
    {"MOVF_I", move_on_flag<false>},
    {"TEQ", trap_if<Code::kEqual>},
    {"TNE", trap_if<Code::kNotEqual>},
    {"TLT", trap_if<Code::kLessSigned>},
    {"TLTU", trap_if<Code::kLessUnsigned>},
    {"TGE", trap_if<Code::kLessSigned, true>},
    {"TGEU", trap_if<Code::kLessUnsigned, true>},
    {"TEQI", trap_if<Code::kEqual>},
    {"TNEI", trap_if<Code::kNotEqual>},
    {"TLTI", trap_if<Code::kLessSigned>},
    {"TTLTIU", trap_if<Code::kLessUnsigned>},
    {"TGEI", trap_if<Code::kLessSigned, true>},
    {"TGEIU", trap_if<Code::kLessUnsigned, true>},
    {"LB", load<8, true>},
    {"LBu", load<8, false>},
    {"LH", load<16, true>},
    {"LHu", load<16, false>},
    {"LW", load<32, true>},
    {"SB", store<8>},
    {"SH", store<16>},
    {"SW", store<32>},
    {"LWL", load_part<32, true>},
    {"LWR", load_part<32, false>},
    {"SWL", store_part<32, true>},
    {"SWR", store_part<32, false>},
    {"LL", load_linked<32>},
    {"SC", store_conditional<32>},
    {"SYNC", no_effect},
    {"PREF", no_effect},
    {"SSNOP", no_effect},
    {"EHB", no_effect},
    {"PAUSE", no_effect},
    {"SYSCALL", [](Machine& m) { m.trap(Trap::kSystemCall); }},
    {"BREAK", [](Machine& m) { m.trap(Trap::kBreakpoint); }},
};

constexpr Handler kPlain64[] = {
    {"DADDu", three<Code::kAdd>},
    {"DSUBu", three<Code::kSubtract>},
    {"DADD", add_trapping},
    {"DSUB", sub_trapping},
    {"DADDi", add_trapping},
    {"DADDiu", signed_immediate<Code::kAdd>},
    {"AND64", logic<Code::kAnd>},
    {"OR64", logic<Code::kOr>},
    {"XOR64", logic<Code::kXor>},
    {"NOR64", nor},
    {"ANDi64", plain_immediate<Code::kAnd>},
    {"ORi64", plain_immediate<Code::kOr>},
    {"XORi64", plain_immediate<Code::kXor>},
    {"LUi64", lui},
    {"SLT64", set_register<Code::kLessSigned>},
    {"SLTu64", set_register<Code::kLessUnsigned>},
    {"SLTi64", set_immediate<Code::kLessSigned>},
    {"SLTiu64", set_immediate<Code::kLessUnsigned>},
    {"DSLL", shift_immediate<Code::kShiftLeft>},
    {"DSRL", shift_immediate<Code::kShiftRight>},
    {"DSRA", shift_immediate<Code::kShiftRightSigned>},
    {"DROTR", shift_immediate<Code::kRotateRight>},
    {"DSLL32", shift_immediate<Code::kShiftLeft, 32>},
    {"DSRL32", shift_immediate<Code::kShiftRight, 32>},
    {"DSRA32", shift_immediate<Code::kShiftRightSigned, 32>},
    {"DROTR32", shift_immediate<Code::kRotateRight, 32>},
    {"DSLLV", shift_register<Code::kShiftLeft>},
    {"DSRLV", shift_register<Code::kShiftRight>},
    {"DSRAV", shift_register<Code::kShiftRightSigned>},
    {"DROTRV", shift_register<Code::kRotateRight>},
    {"SLL64_32", sign_extend_word},
    {"SLL64_64", sign_extend_word},
    {"DMULT", multiply_double<true>},
    {"DMULTu", multiply_double<false>},
    {"DSDIV", divide<Code::kDivideSigned, Code::kRemainderSigned>},
    {"DUDIV", divide<Code::kDivideUnsigned, Code::kRemainderUnsigned>},
    {"MFHI64", move_from<&Names::hi>},
    {"MFLO64", move_from<&Names::lo>},
    {"MTHI64", move_to<&Names::hi>},
    {"MTLO64", move_to<&Names::lo>},
    {"DEXT", extract},
    {"DEXTM", extract},
    {"DEXTU", extract},
    {"DINS", insert},
    {"DINSM", insert},
    {"DINSU", insert},
    {"SEB64", sign_extend_low<8>},
    {"SEH64", sign_extend_low<16>},
    {"DSBH", swap_bytes_in_halfwords},
    {"DSHD", swap_halfwords},
    {"DCLZ", leading_zeros},
    {"DCLO", leading_ones},
    {"MOVZ_I64_I64", move_if<Code::kEqual>},
    {"MOVN_I64_I64", move_if<Code::kNotEqual>},
    {"MOVZ_I64_I", move_if<Code::kEqual>},
    {"MOVN_I64_I", move_if<Code::kNotEqual>},
    {"MOVZ_I_I64", move_if<Code::kEqual>},
    {"MOVN_I_I64", move_if<Code::kNotEqual>},
    {"MOVT_I64", move_on_flag<true>},
    {"MOVF_I64", move_on_flag<false>},
    {"LB64", load<8, true>},
    {"LBu64", load<8, false>},
    {"LH64", load<16, true>},
    {"LHu64", load<16, false>},
    {"LW64", load<32, true>},
    {"LWu", load<32, false>},
    {"LD", load<64, false>},
    {"SB64", store<8>},
    {"SH64", store<16>},
    {"SW64", store<32>},
    {"SD", store<64>},
    {"LWL64", load_part<32, true>},
    {"LWR64", load_part<32, false>},
    {"SWL64", store_part<32, true>},
    {"SWR64", store_part<32, false>},
    {"LDL", load_part<64, true>},
    {"LDR", load_part<64, false>},
    {"SDL", store_part<64, true>},
    {"SDR", store_part<64, false>},
    {"LL64", load_linked<32>},
    {"SC64", store_conditional<32>},
    {"LLD", load_linked<64>},
    {"SCD", store_conditional<64>},
};

constexpr std::string_view kGeneral[32] = {"zero", "at", "v0", "v1", "a0", "a1", "a2", "a3", "t0", "t1", "t2",
                                           "t3",   "t4", "t5", "t6", "t7", "s0", "s1", "s2", "s3", "s4", "s5",
                                           "s6",   "s7", "t8", "t9", "k0", "k1", "gp", "sp", "fp", "ra"};

// The same registers have other names in the ABIs of 64-bit registers, n32 and n64: eight of them carry arguments.
constexpr std::string_view kWideNames[8] = {"a4", "a5", "a6", "a7", "t0", "t1", "t2", "t3"};
std::string_view general_name(unsigned i, bool wide) {
  return wide && i >= 8 && i < 16 ? kWideNames[i - 8] : kGeneral[i];
}

void add_registers(ir::RegisterFile& file, uint8_t bits) {
  for (unsigned i = 0; i < 32; ++i) file.add(std::string(general_name(i, bits == 64)), bits);
  file.add("hi", bits);
  file.add("lo", bits);
  file.add("reserved", 1);
  file.add("reserved_address", bits);
  for (int i = 0; i < 8; ++i) file.add("fcc" + std::to_string(i), 1);
  for (int i = 0; i < 32; ++i) file.add("f" + std::to_string(i), 0);
}

// Where the decoder's register of this name lies. Names of 64-bit mode end in _64; K0_64 and so on hold the same
// register.
Slot slot_of(std::string_view name, const ir::RegisterFile& file, uint8_t pointer) {
  uint8_t bits = 32;
  if (name.ends_with("_64")) {
    name.remove_suffix(3);
    bits = 64;
  }
  std::string lower(name);
  for (char& c : lower) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  if (lower == "zero") return {.kind = Slot::Kind::kZero, .bits = bits};
  if (lower == "hi0" || lower == "lo0") lower.pop_back();
  const auto token = [&](std::string_view first, uint8_t count) -> Slot {
    return {.kind = Slot::Kind::kToken, .id = file.find(first), .count = count};
  };
  if (lower == "ac0") return token("hi", 2);
  if (lower.starts_with("fcc")) return {.kind = Slot::Kind::kPlain, .id = file.find(lower), .bits = 1};
  const bool numbered = lower.size() > 1 && lower[1] >= '0' && lower[1] <= '9' &&
                        (lower.size() == 2 || (lower.size() == 3 && lower[2] >= '0' && lower[2] <= '9'));
  if (numbered && lower[0] == 'f') return token(lower, 1);
  // D0 is the pair f0 and f1 where registers are 32 bits wide; D0_64 is f0 alone where they are 64.
  if (numbered && lower[0] == 'd') {
    const unsigned number = static_cast<unsigned>(std::stoul(lower.substr(1)));
    return bits == 64 ? token("f" + std::to_string(number), 1) : token("f" + std::to_string(number * 2), 2);
  }
  const auto general = std::ranges::find(kGeneral, lower);
  const auto id = general != std::end(kGeneral) ? static_cast<RegisterId>(general - kGeneral) : file.find(lower);
  if (id == ir::kNoRegister || id > kNames.lo) return {};
  return {.kind = Slot::Kind::kPlain, .id = id, .bits = std::min(bits, pointer)};
}

}  // namespace
}  // namespace mips

Isa make_mips(Processor processor) {
  using namespace mips;
  Isa isa(processor);
  isa.order = instruction_order(processor);
  isa.pointer = is_64_bit(processor) ? 64 : 32;
  isa.widen = Widen::kSign;
  add_registers(isa.file, isa.pointer);
  for (uint32_t i = 0; i < isa.set->register_count(); ++i)
    isa.slots.push_back(i == 0 ? Slot{} : slot_of(isa.set->register_name(i), isa.file, isa.pointer));
  isa.bind(kControl);
  isa.bind(kPlain);
  isa.bind(kPlain64);
  return isa;
}

}  // namespace assay::code::lift
