// One pass forward over a block: operands replaced by what is known of them, operations of constants folded, rules
// applied until none fits, registers read from where they were last written, values that are there already not made
// again.
//
// A lifter's values do not outlive the instruction that makes them (registers carry them on), so a block can be handed
// over in pieces while it is lifted: `piece`. The peak of a function is then what is left of it.
#pragma once
#include "code/simplify/simplify.h"

namespace assay::code::ir {

class Rewriter {
 public:
  Rewriter(Function& out, Counters& counters) : out_(out), counters_(counters) {}

  void begin_block(uint64_t address);
  // Operations and marks of `from`; its values may only be used within the piece.
  void piece(const Function& from, Value first, Value end, uint32_t first_mark, uint32_t marks);
  void end_block(uint64_t next);

 private:
  struct Binding {
    std::array<Value, kNames> of{};
  };

  Value known(Value old) const { return map_[old - first_]; }
  const Op& op(Value v) const { return out_.ops[v]; }
  bool is_constant(Value v) const { return op(v).code == Code::kConst; }

  void step(const Function& from, Op op, Value at);
  void effect(const Function& from, Op op, Value at);
  void put(const Op& op);
  void opaque(const Function& from, Op op);
  Value get(RegisterId r);
  void forget(RegisterId r);
  void forget_all();
  void append(const Op& op);

  Value make(Op op);  // a pure operation: folded, simplified, shared, or appended
  Value constant(unsigned bits, uint64_t value) { return share(make_constant(static_cast<uint8_t>(bits), value)); }
  Value share(const Op& op);
  Value by_rules(const Op& op);  // 0: none fits
  bool match(const Pattern& p, uint8_t node, Value v, Binding& bound) const;
  bool match_operation(const Pattern& p, const Node& n, const Op& op, Binding& bound) const;
  bool holds(const Way& way, const Binding& bound, unsigned bits) const;
  uint64_t number(const Pattern& p, uint8_t node, const Binding& bound, unsigned bits) const;
  unsigned width_of(const Pattern& p, uint8_t node, const Binding& bound) const;
  Value build(const Pattern& p, uint8_t node, const Binding& bound, unsigned bits);

  Function& out_;
  Counters& counters_;
  std::vector<Value> map_;      // of the piece at hand: old values to new
  Value first_ = 0;             // of the piece
  std::vector<Value> current_;  // by register: the value it holds, if known; older than the block: not known
  std::vector<Value> table_;    // values of the block by hash; older than the block: free
  Value begin_ = 1;             // of the block in `out_`
  unsigned budget_ = 0;         // rules that may still be applied to the operation at hand
};

}  // namespace assay::code::ir
