// The intermediate language into which lifters put machine code: docs/ir.md says what each operation means.
//
// A function is flat arrays. An operation is 16 bytes; its value is named by its index, so there is no result field.
// Values live inside one block; what outlives it goes through registers (get, put) or memory. Index 0 is no value at
// all.
#pragma once
#include "code/array.h"
#include "code/bits.h"
#include "core/bytes.h"

#include <array>
#include <bit>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace assay::code::ir {

using Value = uint32_t;  // index of the operation that yields it; 0: none
using RegisterId = uint16_t;

enum class Code : uint8_t {
  kNone,
  // leaves: constant (low word in a, high word in b), register a, a value the architecture leaves undefined
  kConst,
  kGet,
  kUndefined,
  // of one value
  kNot,
  kNegate,
  kZeroExtend,
  kSignExtend,
  kTruncate,
  kReverseBytes,
  kReverseBits,
  kLeadingZeros,
  kTrailingZeros,
  kCountOnes,
  // of two values of the result's width
  kAdd,
  kSubtract,
  kMultiply,
  kMultiplyHighUnsigned,
  kMultiplyHighSigned,
  kDivideUnsigned,
  kDivideSigned,
  kRemainderUnsigned,
  kRemainderSigned,
  kAnd,
  kOr,
  kXor,
  kShiftLeft,
  kShiftRight,
  kShiftRightSigned,
  kRotateRight,
  // of two values of one width, yielding one bit
  kEqual,
  kNotEqual,
  kLessUnsigned,
  kLessEqualUnsigned,
  kLessSigned,
  kLessEqualSigned,
  // of three: condition, then, else; a dividend in two halves and a divisor
  kSelect,
  kDivideLongUnsigned,
  kRemainderLongUnsigned,
  kDivideLongSigned,
  kRemainderLongSigned,
  // effects; c is the guard: where it is there and 0, nothing happens (a guarded load then yields 0)
  kPut,
  kLoad,
  kStore,
  kJump,
  kCall,
  kReturn,
  kTrap,
  kOpaque,
};
constexpr int kCodes = static_cast<int>(Code::kOpaque) + 1;

enum class Trap : uint8_t { kSystemCall, kBreakpoint, kUndefined, kDivide, kCondition };

struct Op {
  Code code = Code::kNone;
  uint8_t bits = 0;               // width of the value; of what is stored, for a store
  Order order = Order::kLittle;   // of memory
  Trap trap = Trap::kSystemCall;  // of a trap
  uint32_t a = 0, b = 0, c = 0;

  friend bool operator==(const Op& x, const Op& y) {
    using Words = std::array<uint64_t, 2>;
    return std::bit_cast<Words>(x) == std::bit_cast<Words>(y);
  }
};
static_assert(sizeof(Op) == 16 && std::has_unique_object_representations_v<Op>);

// How an operation uses a, b and c.
struct Shape {
  std::string_view name;
  uint8_t values = 0;    // how many of a, b, c are values from the front; a put's and an opaque's a is not one
  bool pure = false;     // no effect: may go when nobody uses it, and be computed at compile time
  bool guarded = false;  // c is a guard
  bool commutes = false;
  bool compares = false;  // yields one bit
  uint8_t uses = 0;       // which of a, b, c are values where they are not 0, one bit each: what `values` and guard say
};
extern const std::array<Shape, kCodes> kShapes;
inline const Shape& shape(Code code) { return kShapes[static_cast<size_t>(code)]; }
inline bool is_resize(Code code) {
  return code == Code::kZeroExtend || code == Code::kSignExtend || code == Code::kTruncate;
}
std::string_view trap_name(Trap trap);
// Calls visit(Value&) for each value that the operation uses, its guard too.
template <class O, class Visit>
void for_values(O& op, Visit visit);

struct Register {
  std::string name;
  uint8_t bits = 0;
};
// The registers of a CPU as the language sees them: flags are registers of one bit; those wider than 64 bits (vectors,
// floating point) have 0 bits: only opaque operations name them.
struct RegisterFile {
  std::vector<Register> registers;
  RegisterId add(std::string name, uint8_t bits);
  RegisterId find(std::string_view name) const;  // kNoRegister
};
constexpr RegisterId kNoRegister = 0xffff;

// What an instruction without an exact meaning here may do. Registers lie in Function::lists.
struct Effect {
  std::string_view name;           // the decoder's name of the instruction, which lies in its tables
  uint32_t reads = 0, writes = 0;  // first entries
  uint16_t read_count = 0, write_count = 0;
  bool loads = false, stores = false;
  bool leaves = false;  // may change where execution goes on
};

struct Mark {
  uint32_t offset = 0;  // of the instruction from its block's address
  uint32_t op = 0;      // its first operation
};

// Straight-line: entered at the top; ops [first, first + count). Jumps with a guard leave it early; it goes on at
// `next` when none is taken.
struct Block {
  uint64_t address = 0, next = 0;
  uint32_t first = 0, count = 0;
  uint32_t mark = 0, marks = 0;

  uint64_t address_of(const Mark& m) const { return address + m.offset; }
};

struct Function {
  const RegisterFile* file = nullptr;  // of the lifter; outlives the function
  Array<Op> ops{Op{}};                 // ops[0] is no operation
  Array<Mark> marks;
  std::vector<Block> blocks;
  Array<Effect> effects;
  Array<RegisterId> lists;
  std::vector<Register> variables;  // stack slots made variables; ids go on behind the file's

  const Register& reg(RegisterId id) const {
    return id < file->registers.size() ? file->registers[id] : variables[id - file->registers.size()];
  }
  std::span<const RegisterId> reads(const Effect& e) const { return std::span(lists).subspan(e.reads, e.read_count); }
  std::span<const RegisterId> writes(const Effect& e) const {
    return std::span(lists).subspan(e.writes, e.write_count);
  }
  void clear();             // for the next function; keeps the memory
  void clear_operations();  // and keeps the variables
};

constexpr uint64_t mask(unsigned bits) { return bits >= 64 ? ~uint64_t{0} : (uint64_t{1} << bits) - 1; }
constexpr uint64_t constant(const Op& op) { return op.a | uint64_t{op.b} << 32; }
constexpr Op make_constant(uint8_t bits, uint64_t value) {
  value &= mask(bits);
  return {
      .code = Code::kConst, .bits = bits, .a = static_cast<uint32_t>(value), .b = static_cast<uint32_t>(value >> 32)};
}
using code::sign_extend;

// The text of a function, one operation a line, and back. Read and print are each other's inverse.
std::string print(const Function& function);
// The operations of one block, each with the address of the instruction that it belongs to.
struct Line {
  uint64_t address = 0;
  std::string text;
};
std::vector<Line> lines(const Function& function, const Block& block);
// The names of opaque operations lie in `text`.
Result<Function> parse(std::string_view text, const RegisterFile& file);

// What is wrong with a function's shape: a value used before it is made, a width that does not fit. Empty: nothing.
std::string malformed(const Function& function);

template <class O, class Visit>
void for_values(O& op, Visit visit) {
  const Shape& s = shape(op.code);
  if (op.code == Code::kPut) {
    visit(op.b);
    return;
  }
  if (s.values > 0) visit(op.a);
  if (s.values > 1) visit(op.b);
  if (s.values > 2 || (s.guarded && op.c != 0)) visit(op.c);
}

}  // namespace assay::code::ir
