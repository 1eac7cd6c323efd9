// From an address to the block that begins there.
#pragma once
#include "code/find_at.h"
#include "code/ir.h"

#include <algorithm>

namespace assay::code::ir {

// Calls visit(index) for each block in the order in which their operations lie: pieces of blocks that follow one
// another, the last piece first.
template <class Visit>
void in_order_of_operations(const Function& f, Visit visit) {
  for (size_t end = f.blocks.size(); end > 0;) {
    size_t first = end - 1;
    while (first > 0 && f.blocks[first - 1].first <= f.blocks[first].first) --first;
    for (size_t i = first; i < end; ++i) visit(i);
    end = first;
  }
}

constexpr uint32_t kNoBlock = ~uint32_t{0};

class BlockIndex {
 public:
  BlockIndex(const Function& f, uint64_t mode_bit) : mode_bit_(mode_bit) {
    order_.reserve(f.blocks.size());
    for (uint32_t i = 0; i < f.blocks.size(); ++i) order_.push_back({f.blocks[i].address, i});
    if (!std::ranges::is_sorted(order_)) std::ranges::sort(order_);
  }
  uint32_t at(uint64_t address) const {
    address &= ~mode_bit_;
    const Entry* const found = find_at(std::span(order_), address, &Entry::address);
    return found == nullptr ? kNoBlock : found->block;
  }

 private:
  struct Entry {
    uint64_t address = 0;
    uint32_t block = 0;
    auto operator<=>(const Entry&) const = default;
  };
  std::vector<Entry> order_;
  uint64_t mode_bit_;
};

}  // namespace assay::code::ir
