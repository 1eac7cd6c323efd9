// The second rewriting, where slots became variables. Blocks that have some are rewritten one by one beside the
// function and put back in place; in the others only writes of what a register holds anyway may have come up since.
#include "code/simplify/rewrite.h"

namespace assay::code::ir {

namespace {

bool has_variables(const Function& f, const Block& b) {
  const size_t registers = f.file->registers.size();
  for (Value at = b.first; at < b.first + b.count; ++at)
    if ((f.ops[at].code == Code::kGet || f.ops[at].code == Code::kPut) && f.ops[at].a >= registers) return true;
  return false;
}

class Again {
 public:
  Again(Function& f, const Options& options, Counters& counters)
      : f_(f), counters_(counters), rewriter_(beside(), options, counters, &f) {}

  void block(Block& b) {
    beside_.clear_operations();
    rewriter_.begin_block(b.address);
    rewriter_.copy(f_, b, false);
    rewriter_.end_block(b.next);
    sweep_last_block(beside_, sweep_, counters_);
    if (beside_.ops.size() - 1 <= b.count)
      put_back(b);
    else
      ++counters_.budgets;
  }
  void drop_same_writes(const Block& b) {
    current_.assign(f_.file->registers.size() + f_.variables.size(), 0);
    for (Value at = b.first; at < b.first + b.count; ++at) look(f_.ops[at], at);
  }

 private:
  Function& beside() {
    beside_.file = f_.file;
    beside_.variables = f_.variables;
    return beside_;
  }
  // Values are named by where they are: in the block's place instead of behind no operation.
  void put_back(Block& b) {
    const Value by = b.first - 1;
    for (Value at = 1; at < beside_.ops.size(); ++at) {
      Op op = beside_.ops[at];
      for_values(op, [&](Value& v) { v += v == 0 ? 0 : by; });
      f_.ops[at + by] = op;
    }
    for (uint32_t m = 0; m < b.marks; ++m) f_.marks[b.mark + m].op = beside_.marks[m].op + by;
    b.count = static_cast<uint32_t>(beside_.ops.size() - 1);
  }
  void look(Op& op, Value at) {
    switch (op.code) {
      case Code::kGet:
        current_[op.a] = at;
        return;
      case Code::kPut:
        if (current_[op.a] != op.b) {
          current_[op.a] = op.b;
          return;
        }
        op = Op{};
        ++counters_.same_writes;
        return;
      case Code::kOpaque:
        for (RegisterId r : f_.writes(f_.effects[op.a])) current_[r] = 0;
        if (f_.effects[op.a].leaves) std::ranges::fill(current_, 0);
        return;
      case Code::kCall:
      case Code::kTrap:
        std::ranges::fill(current_, 0);
        return;
      default:
        return;
    }
  }

  Function& f_;
  Counters& counters_;
  Function beside_;
  Rewriter rewriter_;
  BlockSweep sweep_;
  std::vector<Value> current_;  // by register: the value of the block that it holds; 0: not known
};

}  // namespace

void rewrite_again(Function& f, const Options& options, Counters& counters) {
  Again again(f, options, counters);
  for (Block& b : f.blocks)
    if (has_variables(f, b))
      again.block(b);
    else
      again.drop_same_writes(b);
}

}  // namespace assay::code::ir
