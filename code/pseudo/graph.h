// The blocks of a lifted function as a graph: where each goes on, what dominates what, and which are loops.
// Source: Cooper, Harvey and Kennedy, "A Simple, Fast Dominance Algorithm" (2001); natural loops as in Aho, Sethi and
// Ullman, 10.4.
#pragma once
#include "code/analysis.h"
#include "code/simplify/blocks.h"

namespace assay::code::pseudo {

using ir::kNoBlock;

struct Graph {
  std::vector<std::vector<uint32_t>> next;  // by block: the way taken first, the way straight on last
  std::vector<uint32_t> dominator;          // immediate; of the entry: itself; of what is not reached: kNoBlock
  std::vector<uint32_t> follow;             // the first block that every way on passes; kNoBlock: none
  std::vector<uint32_t> loop;               // the head of the innermost loop that holds the block; kNoBlock: none
  std::vector<uint32_t> parent;             // by head: that of the loop around its loop
  std::vector<uint32_t> exit;               // by head: where control goes when the loop is left; kNoBlock: nowhere
  std::vector<uint32_t> order;              // reverse postorder, reached blocks only
  bool tangled = false;                     // more so than any compiler makes them: what is said above is not all

  bool inside(uint32_t block, uint32_t head) const;
};
// `tables`: targets of jumps through tables, by the address of the jump.
Graph graph_of(const ir::Function& f, uint64_t mode_bit, std::span<const JumpTable> tables);
// The jump that ends a block and goes to a block of the function or through a table, if such ends it; 0: none.
ir::Value last_jump(const ir::Function& f, const ir::Block& b);
uint64_t address_of(const ir::Function& f, const ir::Block& b, ir::Value at);  // of the instruction it belongs to
const JumpTable* table_at(std::span<const JumpTable> tables, const ir::Function& f, const ir::Block& b);

}  // namespace assay::code::pseudo
