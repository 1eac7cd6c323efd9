// One pass forward over a block, behind one backward that finds what nobody reads again: operands replaced by what is
// known of them, operations of constants folded, rules applied until none fits, registers read from where they were
// last written, values that are there already not made again.
//
// A lifter's values do not outlive the instruction that makes them (registers carry them on), so a block can be handed
// over in pieces while it is lifted: `piece`. The peak of a function is then what is left of it.
#pragma once
#include "code/simplify/block_sweep.h"
#include "code/simplify/ends.h"

namespace assay::code::ir {

class Rewriter {
 public:
  // out.file and out.variables are what they will be. `shared`: operations of `out` name the effects of another
  // function.
  Rewriter(Function& out, const Options& options, Counters& counters, bool shared = false);

  void begin_block(uint64_t address);
  // Operations and marks of a part of `from`, its values used nowhere else. `behind`: what is read where control goes
  // on behind the part, or where the jump leads that stands at its end; what nobody reads goes first. nullptr: that is
  // not looked for.
  void piece(const Function& from, const Block& part, const RegisterSet* behind);
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

  Value known(Value old) const { return map_[old]; }
  void become(Value old, Value v) { map_[old] = v; }
  const Op& op(Value v) const { return out_.ops[v]; }
  bool is_constant(Value v) const { return op(v).code == Code::kConst; }

  void find_dead(const Function& from, const Block& part, const RegisterSet& behind);
  void back_over(const Function& from, const Op& op, RegisterSet& live) const;
  void step(const Function& from, Op op, Value at);
  void effect(const Function& from, Op op, Value at);
  void put(const Op& op);
  void opaque(const Function& from, Op op);
  uint32_t take_effect(const Function& from, Effect e);
  Value get(RegisterId r);
  void forget(RegisterId r);
  void forget_all();
  Value append(Op op) {
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
  BlockSweep dead_;              // of the piece at hand
  std::vector<Value> map_;       // of the piece at hand: old values to new; no value to none
  std::vector<Value> current_;   // by register: the value of this block that it holds; 0: not known
  std::vector<uint64_t> table_;  // values of the block by hash; above them the number of the block, from 1 on
  uint64_t block_ = 0;           // that number, as it lies there
  bool shared_ = false;
  unsigned budget_ = 0;  // rules that may still be applied to the operation at hand
};

}  // namespace assay::code::ir
