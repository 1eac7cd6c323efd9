// Every rule of the simplifier, from its own text: proved by Z3 for all values at width 8 (and at the widths around it
// where values are widened or cut), tried on chosen and random values at 32 and 64 bits, and found to be what the
// simplifier does.
#include "code/ir_build.h"
#include "code/simplify/evaluate.h"
#include "code/simplify/simplify.h"
#include "lift/interpreter.h"
#include "lift/random.h"
#include "simplify/terms.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace assay::code::ir {
namespace {

using lift::Random;

bool resizes(const Widths& w) {
  return w.mentions(Code::kZeroExtend) || w.mentions(Code::kSignExtend) || w.mentions(Code::kTruncate) ||
         std::ranges::any_of(w.side('t').nodes, [](const Node& n) {
           return n.kind == Node::Kind::kFitZero || n.kind == Node::Kind::kFitSign;
         });
}

TEST(Rules, HoldForAllValuesAtWidth8) {
  z3::context z;
  for (const Rule& rule : rules()) {
    Widths w(rule);
    int choices = 0;
    const std::vector<unsigned> sizes = w.mentions(Code::kReverseBytes) ? std::vector<unsigned>{8, 16}
                                        : resizes(w)                    ? std::vector<unsigned>{1, 4, 8, 12}
                                                                        : std::vector<unsigned>{1, 8};
    w.each(sizes, [&] {
      std::vector<z3::expr> names;
      for (uint8_t i = 0; i < kNames; ++i)
        names.push_back(
            z.bv_const(std::string(1, static_cast<char>('a' + i)).c_str(), w.has_name(i) ? w.of_name(i) : 1));
      z3::solver solver(z, "QF_BV");
      const z3::expr from = term_of(w, 'f', w.side('f').root, names, z),
                     to = term_of(w, 't', w.side('t').root, names, z);
      if (w.conditional()) solver.add(term_of(w, 'w', w.side('w').root, names, z) == z.bv_val(1, 1));
      solver.add(from != to);
      EXPECT_EQ(solver.check(), z3::unsat) << rule.name << " at " << from.get_sort();
      ++choices;
    });
    EXPECT_GT(choices, 0) << rule.name;
  }
}

// Numbers among which conditions like "A is the opposite of B" hold often enough.
uint64_t number_near(Random& random, unsigned bits, uint64_t last) {
  switch (random.below(10)) {
    case 0:
      return bits - 1;
    case 1:
      return random.below(2 * bits);
    case 8:
      return random.below(bits / 2 + 1);
    case 2:
      return ~last + 1;
    case 3:
      return last;
    case 4:
      return ~last;
    case 5:
      return mask(static_cast<unsigned>(random.below(bits + 1)));
    case 6:
      return uint64_t{1} << random.below(bits);
    case 7:
      return random.below(3) - 1;
    default:
      return random.next();
  }
}

std::vector<uint64_t> names_for(const Widths& w, Random& random) {
  std::vector<uint64_t> out(kNames);
  uint64_t last = random.next();
  for (const auto& [name, unused] : w.names()) {
    const unsigned bits = w.of_name(name);
    out[name] = last = number_near(random, bits, last) & mask(bits);
  }
  return out;
}
bool applies(const Widths& w, std::span<const uint64_t> names) {
  return !w.conditional() || value_of(w, 'w', w.side('w').root, names) == 1;
}

TEST(Rules, HoldForValuesAtWidths32And64) {
  Random random;
  for (const Rule& rule : rules()) {
    Widths w(rule);
    uint64_t tried = 0;
    const std::vector<unsigned> sizes =
        resizes(w) ? std::vector<unsigned>{1, 8, 32, 64} : std::vector<unsigned>{32, 64};
    w.each(sizes, [&] {
      for (int i = 0, found = 0; i < 4000 && found < 300; ++i) {
        const std::vector<uint64_t> names = names_for(w, random);
        if (!applies(w, names)) continue;
        ++tried, ++found;
        ASSERT_EQ(value_of(w, 'f', w.side('f').root, names), value_of(w, 't', w.side('t').root, names)) << rule.name;
      }
    });
    EXPECT_GE(tried, 100U) << rule.name;
  }
}

// ---- the simplifier itself

// What a rule finds, built as a lifter would: names are registers, constants are constants.
struct Built {
  RegisterFile file;
  Function function;

  Built(const Widths& w, std::span<const uint64_t> names) {
    for (uint8_t i = 0; i < kNames; ++i)
      file.add(std::string(1, static_cast<char>('a' + i)), static_cast<uint8_t>(w.has_name(i) ? w.of_name(i) : 1));
    file.add("out", static_cast<uint8_t>(w.of('f', w.side('f').root)));
    function.file = &file;
    Builder b(function);
    b.begin_block(0x1000);
    b.begin_instruction(0x1000);
    b.put(kNames, build(b, w, names, w.side('f').root));
    b.end_block(0x1004);
  }

 private:
  static Value build(Builder& b, const Widths& w, std::span<const uint64_t> names, uint8_t node) {
    const Node& n = w.side('f').nodes[node];
    if (n.kind == Node::Kind::kValue) return b.get(n.name);
    if (n.kind == Node::Kind::kConstant) return b.constant(w.of('f', node), names[n.name]);
    if (n.kind == Node::Kind::kNumber) return b.constant(w.of('f', node), static_cast<uint64_t>(n.number));
    Op op{.code = n.code, .bits = static_cast<uint8_t>(w.of('f', node))};
    op.a = build(b, w, names, n.children[0]);
    if (n.count > 1) op.b = build(b, w, names, n.children[1]);
    if (n.count > 2) op.c = build(b, w, names, n.children[2]);
    b.function().ops.push_back(op);
    return static_cast<Value>(b.function().ops.size() - 1);
  }
};

uint64_t run_out(const Function& f, std::span<const uint64_t> names) {
  State state;
  for (uint8_t i = 0; i < kNames; ++i) state.registers.push_back({names[i], true});
  state.registers.push_back({});
  run(f, f.blocks[0], state);
  return state.registers[kNames].value;
}

TEST(Rules, AreWhatTheSimplifierDoes) {
  Random random;
  for (size_t i = 0; i < rules().size(); ++i) {
    Widths w(rules()[i]);
    uint64_t applied = 0;
    const std::vector<unsigned> sizes =
        resizes(w) ? std::vector<unsigned>{1, 8, 32, 64} : std::vector<unsigned>{32, 64};
    w.each(sizes, [&] {
      for (int round = 0, found = 0; round < 1000 && found < 30; ++round) {
        const std::vector<uint64_t> names = names_for(w, random);
        if (!applies(w, names)) continue;
        ++found;
        Built built(w, names);
        ASSERT_EQ(malformed(built.function), "") << rules()[i].name;
        const uint64_t before = run_out(built.function, names);
        Counters counters;
        simplify(built.function, {}, counters);
        ASSERT_EQ(malformed(built.function), "") << rules()[i].name << "\n" << print(built.function);
        ASSERT_EQ(run_out(built.function, names), before) << rules()[i].name << "\n" << print(built.function);
        applied += counters.rules[i];
      }
    });
    EXPECT_GT(applied, 0U) << rules()[i].name << " never fits: another rule takes its place";
  }
}

TEST(Rules, HaveNamesOfTheirOwn) {
  std::set<std::string_view> seen;
  for (const Rule& rule : rules()) EXPECT_TRUE(seen.insert(rule.name).second) << rule.name;
}

// ---- constants

std::vector<Code> codes_of(unsigned values) {
  std::vector<Code> out;
  for (int i = 0; i < kCodes; ++i)
    if (const auto code = static_cast<Code>(i); shape(code).pure && shape(code).values == values) out.push_back(code);
  return out;
}

TEST(Constants, AreFoldedAsTheInterpreterEvaluates) {
  for (const Code code : codes_of(1))
    for (uint64_t a = 0; a < 256; ++a) {
      const unsigned bits = !is_resize(code) ? 8 : code == Code::kTruncate ? 3 : 16;
      ASSERT_EQ(fold(code, bits, 8, a, 0, 0), evaluate(code, bits, 8, a, 0, 0)) << shape(code).name << " " << a;
    }
  for (const Code code : codes_of(2))
    for (uint64_t ab = 0; ab < 65536; ++ab) {
      const unsigned bits = shape(code).compares ? 1 : 8;
      ASSERT_EQ(fold(code, bits, 8, ab & 255, ab >> 8, 0), evaluate(code, bits, 8, ab & 255, ab >> 8, 0))
          << shape(code).name << " " << ab;
    }
}

TEST(Constants, OfOtherWidthsToo) {
  Random random;
  for (unsigned values = 1; values <= 3; ++values)
    for (const Code code : codes_of(values))
      for (int i = 0; i < 3000; ++i) {
        const std::array<unsigned, 4> kWidths = {8, 16, 32, 64};
        const unsigned from = kWidths[random.below(4)];
        unsigned bits = shape(code).compares ? 1 : from;
        if (is_resize(code)) bits = code == Code::kTruncate ? 1 + static_cast<unsigned>(random.below(from - 1)) : 64;
        uint64_t a = number_near(random, from, 1) & mask(from), b = number_near(random, from, a) & mask(from);
        const uint64_t c = number_near(random, from, b) & mask(from);
        if (code == Code::kSelect) a &= 1;
        ASSERT_EQ(fold(code, bits, from, a, b, c), evaluate(code, bits, from, a, b, c))
            << shape(code).name << "." << bits << " " << a << " " << b << " " << c;
      }
}

bool no_rule_speaks_of(Code code) {
  return code == Code::kLeadingZeros || code == Code::kTrailingZeros || code == Code::kCountOnes ||
         code == Code::kMultiplyHighUnsigned || code == Code::kMultiplyHighSigned ||
         (shape(code).values == 3 && code != Code::kSelect);
}

// The terms that rules are proved with say the same as the interpreter.
TEST(Constants, AreWhatTheProofsTakeThemFor) {
  z3::context z;
  Random random;
  for (unsigned values = 1; values <= 3; ++values)
    for (const Code code : codes_of(values)) {
      if (no_rule_speaks_of(code)) continue;
      const unsigned from = code == Code::kReverseBytes ? 16 : 8;
      const unsigned bits = shape(code).compares ? 1 : !is_resize(code) ? from : code == Code::kTruncate ? 3 : 16;
      for (int i = 0; i < 100; ++i) {
        std::array<uint64_t, 3> n{};
        std::vector<z3::expr> of;
        for (unsigned at = 0; at < values; ++at) {
          const unsigned width = code == Code::kSelect && at == 0 ? 1 : from;
          n[at] = number_near(random, width, at == 0 ? 1 : n[at - 1]) & mask(width);
          of.push_back(z.bv_val(n[at], width));
        }
        EXPECT_EQ(operation(z, code, bits, of).simplify().get_numeral_uint64(),
                  evaluate(code, bits, from, n[0], n[1], n[2]))
            << shape(code).name << " " << n[0] << " " << n[1] << " " << n[2];
      }
    }
}

}  // namespace
}  // namespace assay::code::ir
