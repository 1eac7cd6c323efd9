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
  // What the operands of the top show at once.
  Code first = Code::kNone, second = Code::kNone;  // kNone: any
  uint8_t first_bits = 0;                          // 0: any
  bool same = false;                               // both are one value
  bool counts = false;                             // the second is `number`
  uint16_t rule = 0;
  uint64_t number = 0;
  Pattern from, to, when;
};
class Ways {
 public:
  static const Ways& all();
  // A way, and what tells at a glance that it does not fit, side by side with the others'.
  struct Glance {
    explicit Glance(const Way& w)
        : way(&w), number(w.number), first_bits(w.first_bits), same(w.same), counts(w.counts) {}
    bool may_fit(const Op& o, const Op& a, const Op& b) const {
      return (first_bits == 0 || first_bits == a.bits) && (!same || o.a == o.b) &&
             (!counts || constant(b) == (number & mask(b.bits)));
    }
    const Way* way;
    uint64_t number;
    uint8_t first_bits;
    bool same, counts;
  };
  // In the order of the table, those for an operation `code` of a `first` and a `second`.
  std::span<const Glance> of(Code code, Code first, Code second) const {
    const size_t at = place(code, firsts_[static_cast<size_t>(first)], seconds_[static_cast<size_t>(second)]);
    return std::span(lists_).subspan(begins_[at], begins_[at + 1] - begins_[at]);
  }

 private:
  // Operands fall into as many classes as rules tell apart; 0: all that no rule asks for.
  static constexpr size_t kClasses = 24;
  using Classes = std::array<uint8_t, kCodes>;

  Ways();
  static size_t place(Code code, size_t first, size_t second) {
    return (static_cast<size_t>(code) * kClasses + first) * kClasses + second;
  }
  void add_orders(Way way, size_t from);
  void sort_in();

  std::array<std::vector<Way>, kCodes> all_;
  Classes firsts_{}, seconds_{};
  std::vector<Glance> lists_;
  std::vector<uint16_t> begins_;  // of each place's list
};

}  // namespace assay::code::ir
