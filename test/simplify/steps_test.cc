// The steps of the simplifier that are no rules: registers, dead writes, stack slots; and all of them together on
// functions made at random, run before and after.
#include "code/ir_build.h"
#include "code/simplify/simplify.h"
#include "lift/interpreter.h"
#include "lift/random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>

namespace assay::code::ir {
namespace {

using lift::Random;

constexpr uint64_t kBase = 0x400000, kSize = 0x1000;

const RegisterFile& file() {
  static const RegisterFile kFile = [] {
    RegisterFile f;
    for (const char* name : {"r0", "r1", "r2", "r3", "sp", "fp"}) f.add(name, 32);
    for (const char* name : {"n", "z"}) f.add(name, 1);
    f.add("w", 64);
    return f;
  }();
  return kFile;
}
constexpr RegisterId kSp = 4, kFp = 5, kN = 6, kZ = 7;

Options options() {
  Options o;
  o.convention = {.stack = kSp, .frame = kFp, .lost_at_call = {}, .lost_at_return = {}};
  for (RegisterId r : {kN, kZ}) o.convention.lost_at_call.add(r), o.convention.lost_at_return.add(r);
  o.convention.calls_keep_frame = true;
  return o;
}

Function read(std::string_view text) {
  auto f = parse(text, file());
  EXPECT_TRUE(f) << (f ? "" : f.error().what);
  return f ? *std::move(f) : Function{};
}
std::string simplified(std::string_view text, Counters& counters) {
  Function f = read(text);
  simplify(f, options(), counters);
  EXPECT_EQ(malformed(f), "") << print(f);
  return print(f);
}
std::string simplified(std::string_view text) {
  Counters counters;
  return simplified(text, counters);
}

TEST(Simplify, ReadsRegistersFromWhereTheyWereWritten) {
  EXPECT_EQ(simplified("block 0x1000 next 0x1008\n"
                       "@0x1000\n"
                       "  %1 = const.32 0x12340000\n"
                       "  put r0 %1\n"
                       "@0x1004\n"
                       "  %2 = get.32 r0\n"
                       "  %3 = const.32 0x5678\n"
                       "  %4 = or.32 %2 %3\n"
                       "  put r0 %4\n"),
            "block 0x1000 next 0x1008\n"
            "@0x1000\n"
            "@0x1004\n"
            "  %1 = const.32 0x12345678\n"
            "  put r0 %1\n");
}

TEST(Simplify, ComparesInsteadOfAskingFlags) {
  // subs; blt
  EXPECT_EQ(simplified("block 0x1000 next 0x1008\n"
                       "@0x1000\n"
                       "  %1 = get.32 r0\n"
                       "  %2 = get.32 r1\n"
                       "  %3 = sub.32 %1 %2\n"
                       "  %4 = const.32 0x1f\n"
                       "  %5 = shr.32 %3 %4\n"
                       "  %6 = trunc.1 %5\n"
                       "  put n %6\n"
                       "  %7 = xor.32 %1 %2\n"
                       "  %8 = xor.32 %1 %3\n"
                       "  %9 = and.32 %7 %8\n"
                       "  %10 = shr.32 %9 %4\n"
                       "  %11 = trunc.1 %10\n"
                       "  put z %11\n"
                       "@0x1004\n"
                       "  %12 = const.32 0x1000\n"
                       "  %13 = get.1 n\n"
                       "  %14 = get.1 z\n"
                       "  %15 = ne.1 %13 %14\n"
                       "  jump %12 if %15\n"
                       "block 0x1008 next 0x100c\n"
                       "@0x1008\n"
                       "  %1 = get.32 r3\n"
                       "  ret %1\n"),
            "block 0x1000 next 0x1008\n"
            "@0x1000\n"
            "  %1 = get.32 r0\n"
            "  %2 = get.32 r1\n"
            "@0x1004\n"
            "  %3 = const.32 0x1000\n"
            "  %4 = slt.1 %1 %2\n"
            "  jump %3 if %4\n"
            "block 0x1008 next 0x100c\n"
            "@0x1008\n"
            "  %1 = get.32 r3\n"
            "  ret %1\n");
}

TEST(Simplify, KeepsFlagsThatAnotherBlockReads) {
  const std::string text =
      "block 0x1000 next 0x1004\n"
      "@0x1000\n"
      "  %1 = get.32 r0\n"
      "  %2 = const.32 0x0\n"
      "  %3 = eq.1 %1 %2\n"
      "  put z %3\n"
      "  put n %3\n"
      "block 0x1004 next 0x1008\n"
      "@0x1004\n"
      "  %1 = const.32 0x2000\n"
      "  %2 = get.1 z\n"
      "  jump %1 if %2\n"
      "block 0x1008 next 0x100c\n"
      "@0x1008\n"
      "  %1 = get.32 r3\n"
      "  ret %1\n";
  const std::string out = simplified(text);
  EXPECT_NE(out.find("put z"), std::string::npos);
  // A jump out of the function may be one into another part of it.
  EXPECT_NE(out.find("put n"), std::string::npos);
  std::string inside = text;
  inside.replace(inside.find("0x2000"), 6, "0x1000");
  EXPECT_EQ(simplified(inside).find("put n"), std::string::npos);
}

TEST(Simplify, KeepsWhatAJumpInTheMiddleOfABlockMayCarryOff) {
  const std::string out = simplified(
      "block 0x1000 next 0x1004\n  %1 = get.1 z\n  put n %1\n  %2 = const.32 0x1004\n  jump %2 if %1\n"
      "  %3 = const.1 0x1\n  put n %3\n"
      "block 0x1004 next 0x1008\n  %1 = get.1 n\n  %2 = zext.32 %1\n  put r0 %2\n  %3 = get.32 r3\n  ret %3\n");
  EXPECT_NE(out.find("put n %1\n"), std::string::npos) << out;
}

TEST(Simplify, KeepsWhatATrapOrAnOpaqueOperationMaySee) {
  EXPECT_NE(simplified("block 0x1000 next 0x1004\n  %1 = const.32 0x1\n  put r0 %1\n  trap syscall\n  put r0 %1\n")
                .find("put"),
            std::string::npos);
  const std::string out = simplified(
      "block 0x1000 next 0x1004\n  %1 = const.32 0x1\n  put r0 %1\n  put r1 %1\n"
      "  opaque \"X\" writes r0\n  %2 = const.32 0x2\n  put r0 %2\n  put r1 %2\n");
  EXPECT_NE(out.find("put r0 %1\n  opaque"), std::string::npos) << out;  // it may write a part of r0 only
  EXPECT_EQ(out.find("put r1 %1\n"), std::string::npos) << out;
}

TEST(Simplify, ForgetsRegistersWhereSomebodyElseWritesThem) {
  for (const std::string_view whom : {"trap syscall", "call %2", "opaque \"X\" leaves"}) {
    const std::string out =
        simplified("block 0x1000 next 0x1004\n  %1 = const.32 0x1\n  put r0 %1\n  %2 = const.32 0x2000\n  " +
                   std::string(whom) + "\n  %3 = get.32 r0\n  put r1 %3\n");
    EXPECT_NE(out.find("get.32 r0"), std::string::npos) << out;
  }
}

TEST(Simplify, DropsWhatNeverHappens) {
  EXPECT_EQ(simplified("block 0x1000 next 0x1004\n"
                       "  %1 = const.1 0x0\n  %2 = get.32 r0\n  %3 = load.32le %2 if %1\n  put r1 %3\n"
                       "  store.32le %2 %2 if %1\n  %4 = const.1 0x1\n  store.32le %2 %3 if %4\n"),
            "block 0x1000 next 0x1004\n"
            "  %1 = get.32 r0\n  %2 = const.32 0x0\n  put r1 %2\n  store.32le %1 %2\n");
}

// ---- stack slots

// A function with a frame of 16 bytes; `body` lies between making and giving it back.
std::string framed(std::string_view body) {
  return "block 0x1000 next 0x1010\n"
         "@0x1000\n  %1 = get.32 sp\n  %2 = const.32 0xfffffff0\n  %3 = add.32 %1 %2\n  put sp %3\n"
         "@0x1004\n  %4 = const.32 0x4\n  %5 = add.32 %3 %4\n  %6 = get.32 r0\n  store.32le %5 %6\n" +
         std::string(body) +
         "block 0x1010 next 0x1020\n"
         "@0x1010\n  %1 = get.32 sp\n  %2 = const.32 0x4\n  %3 = add.32 %1 %2\n  %4 = load.32le %3\n  put r1 %4\n"
         "@0x1014\n  %5 = const.32 0x10\n  %6 = add.32 %1 %5\n  put sp %6\n"
         "@0x1018\n  %7 = get.32 r3\n  ret %7\n";
}
uint64_t slots(std::string_view body) {
  Counters counters;
  simplified(framed(body), counters);
  return counters.slots;
}

TEST(Slots, BecomeVariables) {
  Counters counters;
  const std::string out = simplified(framed(""), counters);
  EXPECT_EQ(counters.slots, 1U);
  EXPECT_NE(out.find("var local_c 32"), std::string::npos) << out;
  EXPECT_EQ(out.find("load"), std::string::npos) << out;
  EXPECT_EQ(out.find("store"), std::string::npos) << out;
}

TEST(Slots, StayMemoryWhereAnAddressEscapes) {
  EXPECT_EQ(slots("  put r2 %5\n"), 0U);                               // handed over in a register
  EXPECT_EQ(slots("  store.32le %6 %5\n"), 0U);                        // kept in memory
  EXPECT_EQ(slots("  %7 = and.32 %5 %6\n  put r2 %7\n"), 0U);          // computed with
  EXPECT_EQ(slots("  %7 = add.32 %5 %6\n  %8 = load.32le %7\n"), 0U);  // indexed
  EXPECT_EQ(slots("  opaque \"X\" reads sp stores\n"), 0U);            // looked at from outside
  EXPECT_EQ(slots("  opaque \"X\" reads r0 stores\n"), 1U);
  EXPECT_EQ(slots("  %7 = ult.1 %5 %6\n  put z %7\n"), 1U);  // only compared
  EXPECT_EQ(slots("  put fp %3\n"), 1U);                     // the frame pointer
}

TEST(Slots, StayMemoryWhereTheyOverlap) {
  EXPECT_EQ(slots("  %7 = trunc.8 %6\n  store.8 %5 %7\n"), 0U);
  EXPECT_EQ(slots("  %7 = const.32 0x6\n  %8 = add.32 %3 %7\n  store.32le %8 %6\n"), 0U);
  EXPECT_EQ(slots("  %7 = const.32 0x8\n  %8 = add.32 %3 %7\n  store.32le %8 %6\n"), 1U);
  EXPECT_EQ(slots("  store.32be %5 %6\n"), 0U);
}

TEST(Slots, StayMemoryWhereTheDepthIsNotOne) {
  // Reached with the frame made, and without.
  EXPECT_EQ(
      slots("block 0x1008 next 0x1010\n  %1 = get.32 sp\n  %2 = const.32 0x10\n  %3 = add.32 %1 %2\n  put sp %3\n"),
      0U);
  Counters counters;
  simplified(framed("  %7 = const.32 0x1000\n  %8 = get.1 z\n  jump %7 if %8\n"), counters);
  EXPECT_EQ(counters.slots, 0U);
}

// The frame pointer is one thing on one way and another on the other: what goes through it may be the frame.
TEST(Slots, StayMemoryWhereTheFramePointerIsNotOne) {
  const std::string_view text =
      "block 0x1000 next 0x1008\n  %1 = get.32 sp\n  %2 = const.32 0xfffffffc\n  %3 = add.32 %1 %2\n  put sp %3\n"
      "  %4 = get.32 r0\n  store.32le %3 %4\n  %5 = const.32 0x1010\n  %6 = get.1 z\n  jump %5 if %6\n"
      "block 0x1008 next 0x1010\n  %1 = get.32 sp\n  put fp %1\n"
      "block 0x1010 next 0x1018\n  %1 = get.32 fp\n  %2 = get.32 r1\n  store.32le %1 %2\n"
      "  %3 = get.32 sp\n  %4 = load.32le %3\n  put r0 %4\n  %5 = get.32 r3\n  ret %5\n";
  Counters counters;
  simplified(text, counters);
  EXPECT_EQ(counters.slots, 0U);
}

// So is it here, but nothing goes through it: the block reached twice is looked at twice, and its accesses count once.
TEST(Slots, BecomeVariablesWhereTheFramePointerIsNotUsed) {
  Counters counters;
  simplified(
      "block 0x1000 next 0x1008\n  %1 = get.32 sp\n  %2 = const.32 0xfffffffc\n  %3 = add.32 %1 %2\n  put sp %3\n"
      "  %4 = get.32 r0\n  store.32le %3 %4\n  %5 = const.32 0x1010\n  %6 = get.1 z\n  jump %5 if %6\n"
      "block 0x1008 next 0x1010\n  %1 = get.32 sp\n  put fp %1\n"
      "block 0x1010 next 0x1018\n"
      "  %1 = get.32 sp\n  %2 = load.32le %1\n  put r0 %2\n  %3 = get.32 r3\n  ret %3\n",
      counters);
  EXPECT_EQ(counters.slots, 1U);
  EXPECT_EQ(counters.slot_accesses, 2U);
}

// push r0; call; pop r1: who is called may write its argument. What lies above it with a gap is not handed over.
TEST(Slots, StayMemoryWhereACallMayBeHandedThem) {
  const std::string_view text =
      "block 0x1000 next 0x1010\n  %1 = get.32 sp\n  %2 = const.32 0xfffffff0\n  %3 = add.32 %1 %2\n"
      "  %4 = const.32 0xfffffff8\n  %5 = add.32 %1 %4\n  %6 = get.32 r0\n  store.32le %5 %6\n"
      "  %7 = load.32le %5\n  put r2 %7\n  store.32le %3 %6\n  %8 = const.32 0xffffffec\n  %9 = add.32 %1 %8\n"
      "  put sp %9\n  %10 = const.32 0x1010\n  store.32le %9 %10\n  %11 = const.32 0x4000\n  call %11\n"
      "block 0x1010 next 0x1020\n  %1 = get.32 sp\n  %2 = load.32le %1\n  put r1 %2\n  %3 = const.32 0x10\n"
      "  %4 = add.32 %1 %3\n  put sp %4\n  %5 = get.32 r3\n  ret %5\n";
  const auto slots = [&](bool arguments_on_stack, uint8_t pops) {
    Options o = options();
    o.convention.return_pops = pops;
    o.convention.arguments_on_stack = arguments_on_stack;
    Counters counters;
    Function f = read(text);
    simplify(f, o, counters);
    EXPECT_EQ(malformed(f), "") << print(f);
    return counters.slots;
  };
  EXPECT_EQ(slots(true, 4), 1U);
  EXPECT_EQ(slots(false, 4), 2U);
}

TEST(Slots, StayMemoryWhereANumberIsNoDistance) {
  Counters counters;
  Function f = read(
      "block 0x1000 next 0x1008\n  %1 = get.64 w\n  %2 = const.64 0xfffffffffffffff8\n  %3 = add.64 %1 %2\n"
      "  %4 = get.32 r0\n  store.32le %3 %4\n  put w %3\n  %5 = load.32le %3\n  put r1 %5\n"
      "block 0x1008 next 0x1010\n  %1 = get.64 w\n  %2 = const.64 0x8000000000000000\n  %3 = add.64 %1 %2\n"
      "  %4 = load.32le %3\n  put r0 %4\n  %5 = get.32 r3\n  ret %5\n");
  Options o = options();
  o.convention.stack = 8;
  simplify(f, o, counters);
  EXPECT_EQ(counters.slots, 0U);
}

TEST(Slots, OfTheCallerAreNotTouched) {
  Counters counters;
  simplified(
      "block 0x1000 next 0x1008\n  %1 = get.32 sp\n  %2 = get.32 r0\n  store.32le %1 %2\n  %3 = load.32le %1\n"
      "  put r1 %3\n  %4 = get.32 r3\n  ret %4\n",
      counters);
  EXPECT_EQ(counters.slots, 0U);
}

// ---- functions at random, before and after

struct End {
  std::vector<uint64_t> registers;
  std::vector<uint8_t> memory;
  uint64_t next = 0;
  bool fault = false;
  bool operator==(const End&) const = default;
};

// Runs a function until it leaves; nothing for one that does not. What lies below the stack pointer it came with is no
// one's once it is left, nor are the flags.
std::optional<End> run_function(const Function& f, std::span<const uint64_t> registers, bool whole) {
  Area area{.base = kBase, .bytes = std::vector<uint8_t>(kSize), .writes = {}};
  for (size_t i = 0; i < area.bytes.size(); ++i) area.bytes[i] = static_cast<uint8_t>(i * 37 + i / 256);
  State state{.registers = {}, .area = &area, .code = nullptr};
  for (uint64_t r : registers) state.registers.push_back({r, true});
  for (const Register& v : f.variables) {  // a variable begins with what its slot held
    const uint64_t at = registers[kSp] - std::stoull(v.name.substr(6), nullptr, 16) - kBase;
    uint64_t value = 0;
    for (unsigned i = 0; i < v.bits / 8U; ++i) value |= uint64_t{area.bytes[at + i]} << 8 * i;
    state.registers.push_back({value, true});
  }
  uint64_t at = f.blocks[0].address;
  for (int step = 0; step < 64; ++step) {
    const auto block = std::ranges::find(f.blocks, at, &Block::address);
    if (block == f.blocks.end()) break;
    const Outcome out = run(f, *block, state);
    if (out.kind == Outcome::Kind::kFault) return End{.registers = {}, .memory = {}, .fault = true};
    at = out.next;
    if (out.kind == Outcome::Kind::kReturn) break;
    if (step == 63) return std::nullopt;
  }
  End end{.registers = {}, .memory = area.bytes, .next = at};
  for (size_t i = 0; i < registers.size(); ++i)
    end.registers.push_back(whole && (i == kN || i == kZ) ? 0 : state.registers[i].value);
  if (whole)
    for (uint64_t i = registers[kSp] - 64 - kBase; i < registers[kSp] - kBase; ++i) end.memory[i] = 0;
  return end;
}

// Functions of random operations on few registers, with a frame whose slots they use.
class Maker {
 public:
  explicit Maker(Random& random) : random_(random), b_(f_) { f_.file = &file(); }

  Function make() {
    const unsigned blocks = 1 + static_cast<unsigned>(random_.below(4));
    for (unsigned i = 0; i < blocks; ++i) block(0x1000 + i * 16, i + 1 == blocks, blocks);
    return std::move(f_);
  }

 private:
  void block(uint64_t address, bool last, unsigned blocks) {
    b_.begin_block(address);
    words_.clear(), bits_.clear(), wides_.clear();
    if (address == 0x1000) {
      move_stack(-32);
      if (random_.below(2)) b_.put(kFp, b_.get(kSp));
    }
    for (unsigned i = 0; i < 12; ++i) {
      b_.begin_instruction(address + i);
      operation();
    }
    if (random_.below(2)) {
      const Value condition = bit();
      b_.leave(Code::kJump, b_.constant(32, 0x1000 + 16 * (1 + random_.below(blocks))), condition);
    }
    if (last) {
      move_stack(32);
      b_.leave(Code::kReturn, b_.constant(32, 0x8000));
    }
    b_.end_block(address + 16);
  }
  void move_stack(int by) { b_.put(kSp, b_.add_number(b_.get(kSp), by)); }
  template <class Make>
  Value pick(std::vector<Value>& from, Make make) {
    if (from.empty() || random_.below(4) == 0) from.push_back(make());
    return from[random_.below(from.size())];
  }
  Value word() {
    return pick(words_, [&] {
      const std::array<uint64_t, 8> kNumbers = {0, 1, 31, 32, 0xff, 0xffffffff, 0x80000000, random_.next()};
      return random_.below(2) ? b_.get(static_cast<RegisterId>(random_.below(4)))
                              : b_.constant(32, kNumbers[random_.below(8)]);
    });
  }
  Value bit() {
    return pick(bits_, [&] { return b_.get(static_cast<RegisterId>(random_.below(2) ? kN : kZ)); });
  }
  Value wide() {
    return pick(wides_, [&] { return random_.below(2) ? b_.get(8) : b_.zero_extend(word(), 64); });
  }
  Value slot() {
    const bool through_frame = random_.below(8) == 0;
    const auto offset = static_cast<int64_t>(random_.below(6) * 4 + random_.below(8) / 7);
    return b_.add_number(b_.get(through_frame ? kFp : kSp), offset);
  }
  void operation() {
    const auto between = [&](Code first, Code last) {
      return static_cast<Code>(static_cast<unsigned>(first) +
                               random_.below(static_cast<unsigned>(last) - static_cast<unsigned>(first) + 1));
    };
    switch (random_.below(14)) {
      case 0: {
        const Value a = word();
        words_.push_back(b_.unary(random_.below(2) ? Code::kNot : between(Code::kReverseBytes, Code::kCountOnes), a));
        break;
      }
      case 1:
      case 2: {
        const Value a = word(), c = word();
        words_.push_back(b_.binary(between(Code::kAdd, Code::kRotateRight), a, c));
        break;
      }
      case 3: {
        const Value a = word(), c = word();
        bits_.push_back(b_.compare(between(Code::kEqual, Code::kLessEqualSigned), a, c));
        break;
      }
      case 4: {
        const Value a = bit(), c = bit();
        bits_.push_back(b_.binary(between(Code::kAnd, Code::kXor), a, c));
        break;
      }
      case 5: {
        const Value c = bit(), x = word(), y = word();
        words_.push_back(b_.select(c, x, y));
        break;
      }
      case 6: {
        const Value a = wide(), c = wide();
        wides_.push_back(b_.binary(between(Code::kAdd, Code::kRotateRight), a, c));
        break;
      }
      case 7:
        words_.push_back(b_.truncate(wide(), 32));
        bits_.push_back(b_.sign_bit(word()));
        break;
      case 8:
        words_.push_back(random_.below(2) ? b_.zero_extend(bit(), 32) : b_.sign_extend(b_.truncate(word(), 8), 32));
        break;
      case 9: {
        const Value at = slot(), v = word();
        b_.store(Order::kLittle, at, v, random_.below(6) == 0 ? bit() : 0);
        break;
      }
      case 10:
        words_.push_back(b_.load(32, Order::kLittle, slot()));
        break;
      case 11:
        b_.put(static_cast<RegisterId>(random_.below(2) ? kN : kZ), bit());
        break;
      case 12:
        b_.put(8, wide());
        break;
      default:
        b_.put(static_cast<RegisterId>(random_.below(4)), word());
    }
  }

  Random& random_;
  Function f_;
  Builder b_;
  std::vector<Value> words_, bits_, wides_;
};

TEST(Simplify, LeavesFunctionsMadeAtRandomWhatTheyAre) {
  Random random;
  Counters counters;
  uint64_t compared = 0;
  for (int i = 0; i < 1500; ++i) {
    const Function before = Maker(random).make();
    ASSERT_EQ(malformed(before), "") << print(before);
    const bool whole = i % 3 != 0;
    Options o = whole ? options() : Options{};
    o.whole = whole;
    Function after = before;
    simplify(after, o, counters);
    ASSERT_EQ(malformed(after), "") << print(after);
    for (int k = 0; k < 4; ++k) {
      std::vector<uint64_t> registers;
      for (const Register& r : file().registers)
        registers.push_back((random.below(3) ? random.next() : random.below(4)) & mask(r.bits));
      registers[kSp] = kBase + kSize / 2;
      registers[kFp] = kBase + 0x200;  // the caller's, not an address of the frame
      const auto one = run_function(before, registers, whole), other = run_function(after, registers, whole);
      ASSERT_EQ(one.has_value(), other.has_value());
      if (!one) continue;
      ++compared;
      ASSERT_TRUE(*one == *other) << print(before) << "\n" << print(after);
    }
  }
  EXPECT_GT(compared, 3000U);
  EXPECT_GT(counters.slots, 200U);
  EXPECT_GT(counters.dead_writes, 500U);
  EXPECT_GT(counters.common, 500U);
  EXPECT_LT(counters.operations_after, counters.operations_before);
}

TEST(Simplify, CountsWhatItDid) {
  Counters counters;
  simplified(framed(""), counters);
  const std::string text = print(counters);
  EXPECT_NE(text.find("stack slots           1\n"), std::string::npos) << text;
  EXPECT_NE(text.find("add-add"), std::string::npos) << text;
}

}  // namespace
}  // namespace assay::code::ir
