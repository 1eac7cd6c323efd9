// A rule of the simplifier is data: what is found, what is put in its place, and when. The text is its algebra, and the
// proof in test/simplify/rules_test.cc is made from the same text.
//
//   (add x A)     an operation by its name in docs/ir.md; lower case: any value; upper case: a constant
//   5 -1 W        a number of the width that its place asks for; W is that width itself
//   (xor.1 x 1)   a width stated; x.1 likewise
//   (zfit x)      x widened with zeros or cut to the width of the place; sfit: with its sign. Only on the right
//
// A name that stands twice is one value (a letter is one name, whichever its case). Operations that commute are found
// in either order. A condition is written with constants alone and must come to 1; (trunc A) in it cuts to the width of
// the whole.
#pragma once
#include "code/ir.h"

namespace assay::code::ir {

struct Rule {
  std::string_view name, from, to, when = {};
};
std::span<const Rule> rules();

struct Node {
  enum class Kind : uint8_t { kOperation, kValue, kConstant, kNumber, kWidth, kFitZero, kFitSign } kind = Kind::kNumber;
  Code code = Code::kNone;
  uint8_t bits = 0;  // 0: any
  uint8_t name = 0;  // of a value or constant: 0 to 25
  uint8_t count = 0;
  std::array<uint8_t, 3> children{};
  int64_t number = 0;
};
constexpr size_t kNames = 26;

struct Pattern {
  std::vector<Node> nodes;
  uint8_t root = 0;
  const Node& top() const { return nodes[root]; }
};
// Bugs in the table stop the program; a test reads all of it.
Pattern read_pattern(std::string_view text);

// A rule as it is run: every order of its commuting operations is one of these.
struct Way {
  uint16_t rule = 0;
  Pattern from, to, when;
  Code first = Code::kNone;  // of the first operand, where `from` says: tried before anything else
};
// By the code of `from`'s top.
struct Ways {
  std::array<std::vector<Way>, kCodes> of;
  static const Ways& all();
};

}  // namespace assay::code::ir
