// One pass forward over a block, behind one backward that finds what nobody reads again: operands replaced by what is
// known of them, operations of constants folded, rules applied until none fits, registers read from where they were
// last written, values that are there already not made again.
//
// A lifter hands its operations over one by one (`take`) and goes on with what they became: the function is never there
// unsimplified.
#pragma once
#include "code/simplify/block_sweep.h"
#include "code/simplify/ends.h"

namespace assay::code::ir {

class Rewriter {
 public:
  // out.file and out.variables are what they will be. `shared`: whose effects the operations of `out` name; nullptr:
  // its own.
  Rewriter(Function& out, const Options& options, Counters& counters, const Function* shared = nullptr);

  void begin_block(uint64_t address);
  // An operation of values of `out`; returns what yields its value there, 0: it has none.
  Value take(const Op& op);
  const Op& last() const { return last_; }  // the one taken last, as it was
  // Operations and marks of a block of another function. `swept`: what nobody reads goes first.
  void copy(const Function& from, const Block& block, bool swept);
  void end_block(uint64_t next);

 private:
  // What the names of a pattern stand for.
  class Binding {
   public:
    Value at(uint8_t name) const { return of_[name]; }
    bool bind(uint8_t name, Value v) {  // false: to another value already
      if ((bound_ >> name & 1) != 0) return of_[name] == v;
      bound_ |= uint32_t{1} << name;
      of_[name] = v;
      return true;
    }

   private:
    uint32_t bound_ = 0;
    std::array<Value, kNames> of_;  // where bound
  };

  const Op& op(Value v) const { return out_.ops[v]; }
  bool is_constant(Value v) const { return op(v).code == Code::kConst; }

  void find_dead(const Function& from, const Block& block);
  Value step(const Function& from, const Block& block, Op op);
  uint32_t take_effect(const Function& from, Effect e);
  Value effect(Op op);
  Value opaque(const Op& op);
  void put(const Op& op);
  Value get(RegisterId r);
  void forget(RegisterId r);
  void forget_all();
  Value append(const Op& op) {
    out_.ops.push_back(op);
    return static_cast<Value>(out_.ops.size() - 1);
  }

  Value make(Op op);  // a pure operation: folded, simplified, shared, or appended
  Value constant(unsigned bits, uint64_t value) { return share(make_constant(static_cast<uint8_t>(bits), value)); }
  Value fold_constants(const Op& op);
  Value share(const Op& op);
  // ---- match.cc
  Value by_rules(const Op& op);  // 0: none fits
  bool match(const Pattern& p, uint8_t node, Value v, Binding& bound) const;
  bool match_operation(const Pattern& p, const Node& n, const Op& op, Binding& bound) const;
  bool holds(const Way& way, const Binding& bound, unsigned bits) const;
  uint64_t number(const Pattern& p, uint8_t node, const Binding& bound, unsigned bits) const;
  unsigned width_of(const Pattern& p, uint8_t node, const Binding& bound) const;
  unsigned operand_width(const Pattern& p, const Node& n, const Binding& bound, unsigned otherwise) const;
  Value build(const Pattern& p, uint8_t node, const Binding& bound, unsigned bits);

  Function& out_;
  Counters& counters_;
  const Ways& ways_;
  Ends ends_;
  const Function& effects_;
  std::vector<Value> current_;   // by register: the value of this block that it holds; 0: not known
  std::vector<uint32_t> table_;  // values of the block by hash, by their place in it; above that the block's number
  uint32_t block_ = 0;           // that number, which comes again some time: what is found is looked at
  Value first_ = 1;              // of the block
  unsigned budget_ = 0;          // rules that may still be applied to the operation at hand
  Op last_;
  BlockSweep dead_;         // of the block that is copied
  std::vector<Value> map_;  // likewise: its values by their place
};

}  // namespace assay::code::ir
