// PowerPC, 32 bits, big-endian: the integer core. Floating point, vectors and SPE are opaque.
// Source: Power ISA 2.07, book I (branches, condition register, fixed point), book II (synchronisation). Operand order:
// that of LLVM's PowerPC target. Data lies in ppc_data.cc, memory in ppc_memory.cc.
//
// The condition register is 32 flags, four a field: less, greater, equal, and a copy of XER's summary overflow (or of
// "unordered"). XER is three flags and the count of the string instructions; its other bits are reserved and read as 0.
#include "code/lift/ppc.h"

#include <string>

namespace assay::code::lift {
namespace ppc {

namespace {

// ---- branches

Value link_address(Machine& m) { return m.address_value(m.address() + 4); }

// BO: "decrement CTR, then branch if the decremented CTR≠0" or =0, "branch if CRBI=0" or =1, and every combination.
struct Options {
  bool count = false, until_zero = false;  // counts; goes on where the count is 0
  bool test = false, wanted = false;       // looks at the condition bit; for which value
};
Options options_of(uint64_t bo) {
  return {.count = (bo & 4) == 0, .until_zero = (bo & 2) != 0, .test = (bo & 16) == 0, .wanted = (bo & 8) != 0};
}
// 0: always.
Value condition(Machine& m, const Options& options, size_t bit) {
  Value counted = 0, tested = 0;
  if (options.count) {
    const Value left = m.add_number(m.get(kCount), -1);
    m.put(kCount, left);
    counted = options.until_zero ? m.equals(left, 0) : m.differs(left, 0);
  }
  if (options.test) {
    const Value flag = m.r(bit);
    tested = options.wanted ? flag : m.bit_not(flag);
  }
  return counted != 0 && tested != 0 ? m.bit_and(counted, tested) : counted | tested;
}

enum class To : uint8_t { kAddress, kLink, kCount };
Value target(Machine& m, To to) {
  if (to == To::kAddress) return m.address_value(m.insn().target);
  return m.and_mask(m.get(to == To::kLink ? kLink : kCount), ~uint64_t{3});
}
// The link is written whether or not the branch is taken, after the target is read.
void leave(Machine& m, To to, bool link, Value condition) {
  const Value where = target(m, to);
  if (link) m.put(kLink, link_address(m));
  if (m.only_links()) return;
  m.leave(link ? Code::kCall : to == To::kLink ? Code::kReturn : Code::kJump, where, condition);
}

template <To kTo, bool kLinks = false>
void branch(Machine& m) {
  leave(m, kTo, kLinks, 0);
}
// BO, condition bit, target or hint. "If the 'decrement and test CTR' option is specified (BO2=0), the instruction form
// is invalid", of bcctr.
template <To kTo, bool kLinks>
void branch_conditional(Machine& m) {
  const Options options = options_of(static_cast<uint64_t>(m.imm(0)));
  if (kTo == To::kCount && options.count) return m.opaque_leave();
  const Value c = condition(m, options, 1);
  leave(m, kTo, kLinks, c);
}
template <bool kUntilZero, To kTo, bool kLinks>
void branch_counting(Machine& m) {
  const Value c = condition(m, {.count = true, .until_zero = kUntilZero}, 0);
  leave(m, kTo, kLinks, c);
}
// TO: less, greater, equal, less unsigned, greater unsigned, from the top bit down.
void trap_if(Machine& m) {
  const auto to = static_cast<unsigned>(m.imm(0)) & 31;
  if (to == 31) return m.trap(Trap::kBreakpoint);
  const Value a = m.r(1);
  const Value b =
      m.is_reg(2) ? m.r(2) : m.like(a, static_cast<uint64_t>(ir::sign_extend(static_cast<uint64_t>(m.imm(2)), 16)));
  Value any = m.constant(1, 0);
  const auto also = [&](unsigned bit, Code code, Value x, Value y) {
    if ((to & bit) != 0) any = m.bit_or(any, m.compare(code, x, y));
  };
  also(16, Code::kLessSigned, a, b);
  also(8, Code::kLessSigned, b, a);
  also(4, Code::kEqual, a, b);
  also(2, Code::kLessUnsigned, a, b);
  also(1, Code::kLessUnsigned, b, a);
  m.trap(Trap::kCondition, any);
}

// ---- the condition register and XER

template <Code kCode, bool kInvertSecond = false, bool kInvertResult = false>
void condition_logic(Machine& m) {
  const Value a = m.r(1), b = m.r(2), v = m.binary(kCode, a, kInvertSecond ? m.bit_not(b) : b);
  m.w(0, kInvertResult ? m.bit_not(v) : v);
}
RegisterId flag(RegisterId first, unsigned i) { return static_cast<RegisterId>(first + i); }

void move_field(Machine& m) {
  Value flags[4];
  for (unsigned i = 0; i < 4; ++i) flags[i] = m.get(flag(m.id(1), i));
  for (unsigned i = 0; i < 4; ++i) m.put(flag(m.id(0), i), flags[i]);
}
// `count` flags from `first`, the first of them in bit `top`.
Value gather(Machine& m, Value into, RegisterId first, unsigned count, unsigned top) {
  for (unsigned i = 0; i < count; ++i)
    into = m.bit_or(into, m.shl_by(m.zero_extend(m.get(flag(first, i)), 32), top - i));
  return into;
}
void scatter(Machine& m, Value from, RegisterId first, unsigned count, unsigned top) {
  for (unsigned i = 0; i < count; ++i) m.put(flag(first, i), m.extract(from, top - i, 1));
}
void move_from_conditions(Machine& m) { m.w(0, gather(m, m.constant(32, 0), kConditions, 32, 31)); }
// "Otherwise" (of mfocrf: of the bits that are not the field's) "the contents are undefined".
void move_from_field(Machine& m) {
  const auto top = 31U - (m.id(1) - kConditions);
  const Value unknown = m.and_mask(m.undefined(32), ~(uint64_t{15} << (top - 3)));
  m.w(0, gather(m, unknown, m.id(1), 4, top));
}
// The mask's top bit is field 0.
void move_to_conditions(Machine& m) {
  const Value v = m.r(1);
  for (unsigned i = 0; i < 8; ++i)
    if ((m.imm(0) >> (7 - i) & 1) != 0) scatter(m, v, flag(kConditions, 4 * i), 4, 31 - 4 * i);
}
void move_to_field(Machine& m) {
  const Value v = m.r(1);
  scatter(m, v, m.id(0), 4, 31U - (m.id(0) - kConditions));
}

constexpr int64_t kXer = 1;  // its number as a special purpose register
void move_from_special(Machine& m) { m.w(0, gather(m, m.zero_extend(m.get(kStringCount), 32), kOverflowed, 3, 31)); }
void move_to_special(Machine& m) {
  const Value v = m.r(1);
  scatter(m, v, kOverflowed, 3, 31);
  m.put(kStringCount, m.truncate(v, 7));
}
// Of the special purpose registers that have no name of their own in the decoder XER alone is known here.
bool other_special(const Isa& isa, const Insn& insn) {
  const Lift lift = isa.lifts[insn.opcode];
  return (lift == move_from_special && insn.imm(1) != kXer) || (lift == move_to_special && insn.imm(0) != kXer);
}
template <RegisterId kFrom>
void move_from(Machine& m) {
  m.w(0, m.get(kFrom));
}
template <RegisterId kTo>
void move_to(Machine& m) {
  m.put(kTo, m.r(0));
}

void no_effect(Machine&) {}  // order, timing and hints: no values

constexpr Handler kHandlers[] = {
    {"B", branch<To::kAddress>},
    {"BA", branch<To::kAddress>},
    {"BL", branch<To::kAddress, true>},
    {"BLA", branch<To::kAddress, true>},
    {"BLR", branch<To::kLink>},
    {"BLRL", branch<To::kLink, true>},
    {"BCTR", branch<To::kCount>},
    {"BCTRL", branch<To::kCount, true>},
    {"gBC", branch_conditional<To::kAddress, false>},
    {"gBCA", branch_conditional<To::kAddress, false>},
    {"gBCL", branch_conditional<To::kAddress, true>},
    {"gBCLA", branch_conditional<To::kAddress, true>},
    {"gBCLR", branch_conditional<To::kLink, false>},
    {"gBCLRL", branch_conditional<To::kLink, true>},
    {"gBCCTR", branch_conditional<To::kCount, false>},
    {"gBCCTRL", branch_conditional<To::kCount, true>},
    {"TW", trap_if},
    {"TWI", trap_if},
    {"TRAP", [](Machine& m) { m.trap(Trap::kBreakpoint); }},
    {"SC", [](Machine& m) { m.trap(Trap::kSystemCall); }},
    {"CRAND", condition_logic<Code::kAnd>},
    {"CRANDC", condition_logic<Code::kAnd, true>},
    {"CRNAND", condition_logic<Code::kAnd, false, true>},
    {"CROR", condition_logic<Code::kOr>},
    {"CRORC", condition_logic<Code::kOr, true>},
    {"CRNOR", condition_logic<Code::kOr, false, true>},
    {"CRXOR", condition_logic<Code::kXor>},
    {"CREQV", condition_logic<Code::kXor, false, true>},
    {"MCRF", move_field},
    {"MFCR", move_from_conditions},
    {"MFOCRF", move_from_field},
    {"MTCRF", move_to_conditions},
    {"MTOCRF", move_to_field},
    {"MFSPR", move_from_special},
    {"MTSPR", move_to_special},
    {"MFLR", move_from<kLink>},
    {"MTLR", move_to<kLink>},
    {"MFCTR", move_from<kCount>},
    {"MTCTR", move_to<kCount>},
    {"NOP", no_effect},
    {"SYNC", no_effect},
    {"ISYNC", no_effect},
    {"EnforceIEIO", no_effect},
    {"DCBT", no_effect},
    {"DCBTST", no_effect},
};

// bdnz and bdz, with hint or without, absolute or not, to an address or to the link register.
void bind_counting(Isa& isa) {
  for (const char* hint : {"", "m", "p"}) {
    for (const char* absolute : {"", "A"}) {
      const std::string rest = std::string(absolute) + hint;
      isa.bind("BDNZ" + rest, branch_counting<false, To::kAddress, false>);
      isa.bind("BDZ" + rest, branch_counting<true, To::kAddress, false>);
      isa.bind("BDNZL" + rest, branch_counting<false, To::kAddress, true>);
      isa.bind("BDZL" + rest, branch_counting<true, To::kAddress, true>);
    }
    isa.bind(std::string("BDNZLR") + hint, branch_counting<false, To::kLink, false>);
    isa.bind(std::string("BDZLR") + hint, branch_counting<true, To::kLink, false>);
    isa.bind(std::string("BDNZLRL") + hint, branch_counting<false, To::kLink, true>);
    isa.bind(std::string("BDZLRL") + hint, branch_counting<true, To::kLink, true>);
  }
}

// ---- registers

void add_registers(ir::RegisterFile& file) {
  for (int i = 0; i < 32; ++i) file.add("r" + std::to_string(i), 32);
  for (const char* name : {"lr", "ctr"}) file.add(name, 32);
  for (const char* flag : {"so", "ov", "ca"}) file.add(flag, 1);
  file.add("string_count", 7);
  file.add("reserved", 1);
  file.add("reserved_address", 32);
  for (int i = 0; i < 8; ++i)
    for (const char* flag : {"lt", "gt", "eq", "so"}) file.add("cr" + std::to_string(i) + flag, 1);
  for (int i = 0; i < 32; ++i) file.add("f" + std::to_string(i), 0);
  for (int i = 0; i < 32; ++i) file.add("v" + std::to_string(i), 0);
  file.add("fpscr", 0);
}

// CR3 is four flags, CR3GT is one of them.
Slot condition_slot(std::string_view name) {
  const auto first = static_cast<RegisterId>(kConditions + 4 * (name[2] - '0'));
  if (name.size() == 3) return {.kind = Slot::Kind::kFlags, .id = first, .count = 4};
  const std::string_view flags[] = {"LT", "GT", "EQ", "UN"};
  for (unsigned i = 0; i < 4; ++i)
    if (name.substr(3) == flags[i]) return {.kind = Slot::Kind::kPlain, .id = flag(first, i), .bits = 1};
  return {};
}
Slot numbered_slot(std::string_view letters, unsigned number, const ir::RegisterFile& file) {
  const auto token = [&](RegisterId first, uint8_t count) -> Slot {
    return {.kind = Slot::Kind::kToken, .id = static_cast<RegisterId>(first + number), .count = count};
  };
  const RegisterId f0 = file.find("f0"), v0 = file.find("v0");
  if (letters == "R") return {.kind = Slot::Kind::kPlain, .id = static_cast<RegisterId>(number), .bits = 32};
  // Of 64 bits: the general registers of 64-bit CPUs, and with SPE.
  if (letters == "X" || letters == "S") return token(0, 1);
  if (letters == "F" || letters == "VSL") return token(f0, 1);
  if (letters == "V" || letters == "VF") return token(v0, 1);
  if (letters == "VSX") return token(static_cast<RegisterId>(v0 - 32), 1);
  if (letters == "Fpair") return token(f0, 2);
  return {};
}
Slot slot_of(std::string_view name, const ir::RegisterFile& file) {
  const auto plain = [](RegisterId id, uint8_t bits) -> Slot {
    return {.kind = Slot::Kind::kPlain, .id = id, .bits = bits};
  };
  if (name == "ZERO") return {.kind = Slot::Kind::kZero, .bits = 32};
  if (name == "LR") return plain(kLink, 32);
  if (name == "CTR") return plain(kCount, 32);
  if (name == "LR8" || name == "CTR8") return {.kind = Slot::Kind::kToken, .id = name == "LR8" ? kLink : kCount};
  if (name == "CARRY") return plain(kCarry, 1);
  if (name == "XER") return {.kind = Slot::Kind::kFlags, .id = kOverflowed, .count = 3};
  if (name == "RM") return {.kind = Slot::Kind::kToken, .id = file.find("fpscr")};
  if (name.size() >= 3 && name.starts_with("CR")) return condition_slot(name);
  const size_t digits = name.find_first_of("0123456789");
  if (digits == std::string_view::npos) return {};
  const std::string number(name.substr(digits));
  if (number.find_first_not_of("0123456789") != std::string::npos) return {};
  return numbered_slot(name.substr(0, digits), static_cast<unsigned>(std::stoul(number)), file);
}

}  // namespace
}  // namespace ppc

Isa make_ppc() {
  Isa isa(Processor::kPpc32);
  isa.order = Order::kBig;
  isa.unpredictable = ppc::other_special;
  ppc::add_registers(isa.file);
  for (uint32_t i = 0; i < isa.set->register_count(); ++i)
    isa.slots.push_back(i == 0 ? Slot{} : ppc::slot_of(isa.set->register_name(i), isa.file));
  isa.bind(ppc::kHandlers);
  ppc::bind_counting(isa);
  ppc::bind_data(isa);
  ppc::bind_memory(isa);
  return isa;
}

}  // namespace assay::code::lift
