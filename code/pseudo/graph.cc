#include "code/pseudo/graph.h"

#include "code/dominators.h"

namespace assay::code::pseudo {

using ir::Code;

ir::Value last_jump(const ir::Function& f, const ir::Block& b) {
  if (b.count == 0) return 0;
  const ir::Value at = b.first + b.count - 1;
  return f.ops[at].code == Code::kJump ? at : 0;
}

uint64_t address_of(const ir::Function& f, const ir::Block& b, ir::Value at) {
  const auto marks = std::span(f.marks).subspan(b.mark, b.marks);
  const auto behind = std::ranges::upper_bound(marks, at, {}, &ir::Mark::op);
  return behind == marks.begin() ? b.address : b.address_of(*std::prev(behind));
}

const JumpTable* table_at(std::span<const JumpTable> tables, const ir::Function& f, const ir::Block& b) {
  // The jump stands behind its delay slot: one of the last two instructions.
  const uint32_t end = b.mark + b.marks, first = b.marks > 2 ? end - 2 : b.mark;
  for (uint32_t m = end; m > first; --m) {
    const uint64_t address = b.address_of(f.marks[m - 1]);
    const auto found = std::ranges::lower_bound(tables, address, {}, &JumpTable::address);
    if (found != tables.end() && found->address == address) return &*found;
  }
  return nullptr;
}

namespace {

class Maker {
 public:
  Maker(const ir::Function& f, uint64_t mode_bit, std::span<const JumpTable> tables)
      : f_(f), index_(f, mode_bit), tables_(tables) {}

  Graph make() {
    const size_t n = f_.blocks.size();
    g_.next.resize(n);
    for (uint32_t i = 0; i < n; ++i) connect(i);
    if (n != 0) g_.order = order_of(g_.next, 0);
    before_.resize(n);
    for (const uint32_t i : g_.order)
      for (const uint32_t to : g_.next[i]) before_[to].push_back(i);
    place_ = places(n, g_.order);
    g_.dominator = dominators(g_.order, place_, [&](uint32_t i) { return std::span(before_[i]); }, steps_);
    follows();
    loops();
    g_.tangled = steps_ > kMostSteps;
    return std::move(g_);
  }

 private:
  void add(uint32_t from, uint32_t to) {
    auto& next = g_.next[from];
    steps_ += next.size();
    if (tangled()) return;
    if (to != kNoBlock && std::ranges::find(next, to) == next.end()) next.push_back(to);
  }
  void connect(uint32_t i) {
    const ir::Block& b = f_.blocks[i];
    for (ir::Value at = b.first; at < b.first + b.count; ++at) {
      const ir::Op& op = f_.ops[at];
      const bool leaves = op.code == Code::kJump || op.code == Code::kReturn;
      if (!leaves) continue;
      if (op.code == Code::kJump && f_.ops[op.a].code == Code::kConst)
        add(i, index_.at(ir::constant(f_.ops[op.a])));
      else if (op.code == Code::kJump)
        if (const JumpTable* table = table_at(tables_, f_, b))
          for (const uint64_t to : table->targets) add(i, index_.at(to));
      if (op.c == 0) return;
    }
    add(i, index_.at(b.next));
  }

  static std::vector<uint32_t> order_of(const std::vector<std::vector<uint32_t>>& next, uint32_t root) {
    return reverse_postorder(next.size(), root,
                             [&](uint32_t i, uint32_t k) { return k < next[i].size() ? next[i][k] : kNoNode; });
  }

  // Dominators of the graph turned round; one more block stands for the world outside.
  void follows() {
    const auto n = static_cast<uint32_t>(f_.blocks.size());
    std::vector<std::vector<uint32_t>> after(n + 1);
    std::vector<std::vector<uint32_t>> back(n + 1);  // edges of the turned graph
    for (const uint32_t i : g_.order) {
      after[i] = g_.next[i];
      if (after[i].empty()) after[i].push_back(n);
    }
    for (const uint32_t i : g_.order)
      for (const uint32_t to : after[i]) back[to].push_back(i);
    const auto order = order_of(back, n);
    g_.follow = dominators(order, places(n + 1, order), [&](uint32_t i) { return std::span(after[i]); }, steps_);
    g_.follow.resize(n);
    std::ranges::replace(g_.follow, n, kNoBlock);
  }

  bool tangled() const { return steps_ > kMostSteps; }
  bool dominates(uint32_t one, uint32_t other) {
    for (; place_[other] >= place_[one]; other = g_.dominator[other], ++steps_) {
      if (other == one) return true;
      if (g_.dominator[other] == other) return false;
    }
    return false;
  }

  void loops() {
    const size_t n = f_.blocks.size();
    g_.loop.assign(n, kNoBlock);
    g_.parent.assign(n, kNoBlock);
    g_.exit.assign(n, kNoBlock);
    // Inner heads come later in the order, so that going backwards meets them first.
    for (const uint32_t head : std::vector<uint32_t>(g_.order.rbegin(), g_.order.rend())) {
      if (tangled()) return;
      std::vector<uint32_t> work;
      for (const uint32_t from : before_[head])
        if (dominates(head, from)) work.push_back(from);
      if (!work.empty()) collect(head, std::move(work));
    }
    exit_of_head_.resize(n);
    for (const uint32_t i : g_.order)
      for (const uint32_t to : g_.next[i]) find_exits(i, to);
  }
  void collect(uint32_t head, std::vector<uint32_t> work) {
    g_.loop[head] = g_.loop[head] == kNoBlock ? head : g_.loop[head];
    while (!work.empty() && !tangled()) {
      uint32_t i = work.back();
      work.pop_back();
      ++steps_;
      // What belongs to an inner loop stands for its outermost head.
      while (g_.loop[i] != kNoBlock && g_.loop[i] != head && g_.parent[g_.loop[i]] != kNoBlock &&
             g_.parent[g_.loop[i]] != head) {
        i = g_.parent[g_.loop[i]];
        ++steps_;
      }
      if (i == head || g_.loop[i] == head) continue;
      if (g_.loop[i] != kNoBlock) {
        const uint32_t inner = g_.loop[i];
        if (g_.parent[inner] == head) continue;
        g_.parent[inner] = head;
        for (const uint32_t from : before_[inner])
          if (!inside(from, inner)) work.push_back(from);
        continue;
      }
      g_.loop[i] = head;
      for (const uint32_t from : before_[i]) work.push_back(from);
    }
  }
  // The loops that an edge leaves. Where each goes: to the target of an edge out of its head, or of its last block.
  void find_exits(uint32_t from, uint32_t to) {
    for (uint32_t head = g_.loop[from]; head != kNoBlock && !inside(to, head) && !tangled(); head = g_.parent[head]) {
      ++steps_;
      uint32_t& exit = g_.exit[head];
      if (exit_of_head_[head] || (exit != kNoBlock && from != head && g_.next[to].empty())) continue;
      if (exit == kNoBlock || g_.next[exit].empty() || from == head) exit = to;
      exit_of_head_[head] = from == head;
    }
  }
  bool inside(uint32_t block, uint32_t head) {
    uint32_t h = g_.loop[block];
    for (; h != kNoBlock && h != head; h = g_.parent[h]) ++steps_;
    return h != kNoBlock;
  }

  const ir::Function& f_;
  ir::BlockIndex index_;
  std::span<const JumpTable> tables_;
  Graph g_;
  std::vector<std::vector<uint32_t>> before_;
  std::vector<uint32_t> place_;        // in the order
  std::vector<uint8_t> exit_of_head_;  // by head: it leaves its loop itself
  uint64_t steps_ = 0;
};

}  // namespace

bool Graph::inside(uint32_t block, uint32_t head) const {
  for (uint32_t h = loop[block]; h != kNoBlock; h = parent[h])
    if (h == head) return true;
  return false;
}

Graph graph_of(const ir::Function& f, uint64_t mode_bit, std::span<const JumpTable> tables) {
  return Maker(f, mode_bit, tables).make();
}

}  // namespace assay::code::pseudo
