// RISC-V's instructions that the emulator lacks (Zba, Zbb, Zbs), against what the manual says they do in words of C++;
// and what is opaque writes what it names. Source: The RISC-V Instruction Set Manual, volume I, chapter "B".
#include "code/lift/machine.h"
#include "lift/interpreter.h"
#include "lift/states.h"

#include <gtest/gtest.h>

#include <bit>

namespace assay::code::lift {
namespace {

constexpr RegisterId kA0 = 10, kA1 = 11, kA2 = 12;
constexpr uint32_t kOp = 0x33, kOpImmediate = 0x13, kOpWord = 0x3b, kOpWordImmediate = 0x1b;

// a0 from a1 and a2, or from a1 and a number in the place of a2 and what lies above it.
uint32_t word(uint32_t high, uint32_t function, uint32_t opcode, uint32_t low = kA2) {
  return high << 25 | low << 20 | kA1 << 15 | function << 12 | kA0 << 7 | opcode;
}
uint32_t number(uint32_t high, uint32_t function, uint32_t opcode) {
  return high << 20 | kA1 << 15 | function << 12 | kA0 << 7 | opcode;
}

// A CPU's registers as numbers of its own width.
template <class U>
struct Case {
  std::string_view opcode;
  uint32_t word;
  U (*means)(U a, U b);
};
template <class U>
using Signed = std::make_signed_t<U>;
template <class U>
constexpr int kBits = sizeof(U) * 8;
template <class U>
U one(U index) {
  return U{1} << (index & (kBits<U> - 1));
}
template <class U>
U bytes_with_ones(U a) {
  U out = 0;
  for (int i = 0; i < kBits<U>; i += 8) out |= (a >> i & 0xff) != 0 ? U{0xff} << i : 0;
  return out;
}
template <class U>
U bytes_turned(U a) {
  U out = 0;
  for (int i = 0; i < kBits<U>; i += 8) out = out << 8 | (a >> i & 0xff);
  return out;
}

template <class U>
const std::vector<Case<U>>& both_widths() {
  static const std::vector<Case<U>> kCases = {
      {"SH1ADD", word(0x10, 2, kOp), [](U a, U b) { return b + (a << 1); }},
      {"SH2ADD", word(0x10, 4, kOp), [](U a, U b) { return b + (a << 2); }},
      {"SH3ADD", word(0x10, 6, kOp), [](U a, U b) { return b + (a << 3); }},
      {"ANDN", word(0x20, 7, kOp), [](U a, U b) { return a & ~b; }},
      {"ORN", word(0x20, 6, kOp), [](U a, U b) { return a | ~b; }},
      {"XNOR", word(0x20, 4, kOp), [](U a, U b) { return ~(a ^ b); }},
      {"CLZ", number(0x600, 1, kOpImmediate), [](U a, U) { return static_cast<U>(std::countl_zero(a)); }},
      {"CTZ", number(0x601, 1, kOpImmediate), [](U a, U) { return static_cast<U>(std::countr_zero(a)); }},
      {"CPOP", number(0x602, 1, kOpImmediate), [](U a, U) { return static_cast<U>(std::popcount(a)); }},
      {"SEXT_B", number(0x604, 1, kOpImmediate),
       [](U a, U) { return static_cast<U>(static_cast<Signed<U>>(static_cast<int8_t>(a))); }},
      {"SEXT_H", number(0x605, 1, kOpImmediate),
       [](U a, U) { return static_cast<U>(static_cast<Signed<U>>(static_cast<int16_t>(a))); }},
      {"MIN", word(5, 4, kOp), [](U a, U b) { return static_cast<Signed<U>>(a) < static_cast<Signed<U>>(b) ? a : b; }},
      {"MINU", word(5, 5, kOp), [](U a, U b) { return std::min(a, b); }},
      {"MAX", word(5, 6, kOp), [](U a, U b) { return static_cast<Signed<U>>(a) < static_cast<Signed<U>>(b) ? b : a; }},
      {"MAXU", word(5, 7, kOp), [](U a, U b) { return std::max(a, b); }},
      {"ROL", word(0x30, 1, kOp), [](U a, U b) { return std::rotl(a, static_cast<int>(b & (kBits<U> - 1))); }},
      {"ROR", word(0x30, 5, kOp), [](U a, U b) { return std::rotr(a, static_cast<int>(b & (kBits<U> - 1))); }},
      {"RORI", number(0x600 | 13, 5, kOpImmediate), [](U a, U) { return std::rotr(a, 13); }},
      {"ORC_B", number(0x287, 5, kOpImmediate), [](U a, U) { return bytes_with_ones(a); }},
      {"BCLR", word(0x24, 1, kOp), [](U a, U b) { return a & ~one(b); }},
      {"BEXT", word(0x24, 5, kOp), [](U a, U b) { return static_cast<U>((a & one(b)) != 0); }},
      {"BINV", word(0x34, 1, kOp), [](U a, U b) { return a ^ one(b); }},
      {"BSET", word(0x14, 1, kOp), [](U a, U b) { return a | one(b); }},
      {"BCLRI", number(0x480 | 31, 1, kOpImmediate), [](U a, U) { return a & ~one(U{31}); }},
      {"BEXTI", number(0x480 | 31, 5, kOpImmediate), [](U a, U) { return static_cast<U>(a >> 31 & 1); }},
      {"BINVI", number(0x680 | 31, 1, kOpImmediate), [](U a, U) { return a ^ one(U{31}); }},
      {"BSETI", number(0x280 | 31, 1, kOpImmediate), [](U a, U) { return a | one(U{31}); }},
  };
  return kCases;
}

uint64_t sign(uint32_t a) { return static_cast<uint64_t>(int64_t{static_cast<int32_t>(a)}); }
uint32_t low(uint64_t a) { return static_cast<uint32_t>(a); }
const Case<uint64_t> kWide[] = {
    {"ADD_UW", word(4, 0, kOpWord), [](uint64_t a, uint64_t b) { return b + low(a); }},
    {"SH1ADD_UW", word(0x10, 2, kOpWord), [](uint64_t a, uint64_t b) { return b + (uint64_t{low(a)} << 1); }},
    {"SH2ADD_UW", word(0x10, 4, kOpWord), [](uint64_t a, uint64_t b) { return b + (uint64_t{low(a)} << 2); }},
    {"SH3ADD_UW", word(0x10, 6, kOpWord), [](uint64_t a, uint64_t b) { return b + (uint64_t{low(a)} << 3); }},
    {"SLLI_UW", number(0x080 | 37, 1, kOpWordImmediate), [](uint64_t a, uint64_t) { return uint64_t{low(a)} << 37; }},
    {"CLZW", number(0x600, 1, kOpWordImmediate),
     [](uint64_t a, uint64_t) -> uint64_t { return std::countl_zero(low(a)); }},
    {"CTZW", number(0x601, 1, kOpWordImmediate),
     [](uint64_t a, uint64_t) -> uint64_t { return std::countr_zero(low(a)); }},
    {"CPOPW", number(0x602, 1, kOpWordImmediate),
     [](uint64_t a, uint64_t) -> uint64_t { return std::popcount(low(a)); }},
    {"ROLW", word(0x30, 1, kOpWord),
     [](uint64_t a, uint64_t b) { return sign(std::rotl(low(a), static_cast<int>(b & 31))); }},
    {"RORW", word(0x30, 5, kOpWord),
     [](uint64_t a, uint64_t b) { return sign(std::rotr(low(a), static_cast<int>(b & 31))); }},
    {"RORIW", number(0x600 | 13, 5, kOpWordImmediate),
     [](uint64_t a, uint64_t) { return sign(std::rotr(low(a), 13)); }},
    {"ZEXT_H_RV64", word(4, 4, kOpWord, 0), [](uint64_t a, uint64_t) { return a & 0xffff; }},
    {"REV8_RV64", number(0x6b8, 5, kOpImmediate), [](uint64_t a, uint64_t) { return bytes_turned(a); }},
    {"RORI", number(0x600 | 45, 5, kOpImmediate), [](uint64_t a, uint64_t) { return std::rotr(a, 45); }},
    {"BEXTI", number(0x480 | 63, 5, kOpImmediate), [](uint64_t a, uint64_t) { return a >> 63; }},
};
const Case<uint32_t> kNarrow[] = {
    {"ZEXT_H_RV32", word(4, 4, kOp, 0), [](uint32_t a, uint32_t) { return a & 0xffff; }},
    {"REV8_RV32", number(0x698, 5, kOpImmediate), [](uint32_t a, uint32_t) { return bytes_turned(a); }},
};

class Side {
 public:
  explicit Side(Processor p) : isa_(make_isa(p)), decoder_(p) { function_.file = &isa_.file; }

  const ir::Function& lift(uint32_t code, std::string_view opcode) {
    const uint32_t bytes[1] = {code};
    Insn insn;
    EXPECT_TRUE(decoder_.decode(std::as_bytes(std::span(bytes)), 0x1000, insn)) << opcode;
    EXPECT_EQ(isa_.set->opcode_name(insn.opcode), opcode);
    function_.clear();
    Machine(isa_, function_).lift_block(std::span(&insn, 1));
    EXPECT_EQ(ir::malformed(function_), "");
    return function_;
  }
  template <class U>
  void holds(const Case<U>& c) {
    const ir::Function& f = lift(c.word, c.opcode);
    Random random;
    ir::State state;
    for (int i = 0; i < 300; ++i) {
      make_registers(isa_, random, 0, state);
      const auto a = static_cast<U>(state.registers[kA1].value), b = static_cast<U>(state.registers[kA2].value);
      ASSERT_EQ(ir::run(f, f.blocks[0], state).kind, ir::Outcome::Kind::kNext) << c.opcode;
      ASSERT_EQ(state.registers[kA0].value, c.means(a, b)) << c.opcode << " " << a << " " << b;
    }
  }
  // What the only operation, an opaque one, writes.
  std::vector<std::string> writes(uint32_t code, std::string_view opcode) {
    const ir::Function& f = lift(code, opcode);
    std::vector<std::string> out;
    if (f.effects.size() != 1) return {"not opaque"};
    for (const RegisterId r : f.writes(f.effects[0])) out.push_back(f.reg(r).name);
    return out;
  }

 private:
  Isa isa_;
  Decoder decoder_;
  ir::Function function_;
};

TEST(Riscv, BitsDoWhatTheManualSays) {
  Side wide(Processor::kRiscv64), narrow(Processor::kRiscv32);
  for (const auto& c : both_widths<uint64_t>()) wide.holds(c);
  for (const auto& c : kWide) wide.holds(c);
  for (const auto& c : both_widths<uint32_t>()) narrow.holds(c);
  for (const auto& c : kNarrow) narrow.holds(c);
}

TEST(Riscv, OpaqueInstructionsWriteWhatTheyName) {
  using Names = std::vector<std::string>;
  Side side(Processor::kRiscv64);
  EXPECT_EQ(side.writes(0x02c5f553, "FADD_D"), Names{"fa0"});       // fadd.d fa0, fa1, fa2
  EXPECT_EQ(side.writes(0xa2c5a553, "FEQ_D"), Names{"a0"});         // feq.d a0, fa1, fa2
  EXPECT_EQ(side.writes(0x0005b507, "FLD"), Names{"fa0"});          // fld fa0, 0(a1)
  EXPECT_EQ(side.writes(0x00a5b027, "FSD"), Names{});               // fsd fa0, 0(a1)
  EXPECT_EQ(side.writes(0x00202573, "CSRRS"), Names{"a0"});         // frrm a0
  EXPECT_EQ(side.writes(0x0d85f557, "VSETVLI"), Names{"a0"});       // vsetvli a0, a1, e64, m1, ta, ma
  EXPECT_EQ(side.writes(0x02110457, "VADD_VV"), Names{"vectors"});  // vadd.vv v8, v1, v2
  EXPECT_TRUE(side.lift(0x00a5b027, "FSD").effects[0].stores);
  EXPECT_TRUE(side.lift(0x0005b507, "FLD").effects[0].loads);
}

// x1 and x5 hold return addresses: volume I, RV32I, "Unconditional Jumps".
TEST(Riscv, JumpsThroughLinkRegistersReturn) {
  const auto last = [](uint32_t code) {
    Side side(Processor::kRiscv64);
    return ir::shape(side.lift(code, "JALR").ops.back().code).name;
  };
  EXPECT_EQ(last(0x00008067), "ret");   // jalr zero, 0(ra)
  EXPECT_EQ(last(0x00028067), "ret");   // jalr zero, 0(t0)
  EXPECT_EQ(last(0x00050067), "jump");  // jalr zero, 0(a0)
  EXPECT_EQ(last(0x000500e7), "call");  // jalr ra, 0(a0)
}

}  // namespace
}  // namespace assay::code::lift
