// Where another function begins although control seems to run on into it, or to jump there within this one: a compiler
// would have laid it out otherwise.
//   A frame is made before anything is called: what makes one behind a call is another function.
// And where functions are aligned (GCC's and clang's -O2):
//   Padding behind a call leads nowhere: compilers align what is jumped to.
//   A jump that nothing depends on leads to code that nothing runs on into: it would have been laid behind the jump.
#include "code/pass.h"

namespace assay::code {
namespace {

constexpr uint64_t kFunctionAlignment = 16;

bool aligns_functions(Processor processor) {
  const Family family = family_of(processor);
  return family == Family::kX86 || family == Family::kAArch64 || processor == Processor::kPpc32;
}

}  // namespace

// What lies behind a call and is reached by way of it alone.
void Pass::cut_behind_calls() {
  const auto& ops = work_.ops;
  const Slot sp = translator_.stack_pointer();
  const bool aligned = aligns_functions(processor_), links = family_of(processor_) != Family::kX86;
  for (size_t i = 0; i + 2 < ops.size(); ++i) {
    if (!ops[i].calls() || ops[i].conditional) continue;
    size_t k = i + (ops[i].delay_slot ? 2 : 1);
    const bool padded = ops[k].padding;
    while (k + 1 < ops.size() && ops[k].padding && !is_leader_[k] && ops[k + 1].address == ops[k].end()) ++k;
    if (is_leader_[k] || ops[k].padding || ops[k].address == start_) continue;
    const bool moves_stack = links && (ops[k].writes >> sp & 1) != 0;
    if ((padded && aligned && ops[k].address % kFunctionAlignment == 0 &&
         neighbours_.can_begin(ops[k].address, processor_)) ||
        (moves_stack && neighbours_.makes_frame(ops[k].address, processor_)))
      out_.cuts.push_back(ops[k].address);
  }
}

// Of the edges that cross a place between blocks, all are such jumps there. Not to where a loop begins, which
// PowerPC's assemblers align by jumping over what they fill in.
void Pass::cut_at_jumps() {
  if (tail_jumps_.empty() || !values_ || !aligns_functions(processor_)) return;
  std::ranges::sort(tail_jumps_);
  std::vector<int32_t> crossing(out_.blocks.size() + 1, 0);
  std::vector<uint8_t> loops(out_.blocks.size(), 0);
  for (uint32_t i = 0; i < out_.blocks.size(); ++i)
    for (uint32_t e = out_.blocks[i].first_edge; e < out_.blocks[i].first_edge + out_.blocks[i].edges; ++e) {
      const auto [low, high] = std::minmax(i, out_.edges[e].to);
      ++crossing[low + 1], --crossing[high + 1];
      if (out_.edges[e].to <= i) loops[out_.edges[e].to] = 1;
    }
  int32_t crossed = 0;
  for (uint32_t i = 0; i < out_.blocks.size(); ++i) {
    crossed += crossing[i];
    const uint64_t at = out_.blocks[i].address;
    if (i == 0 || at % kFunctionAlignment != 0 || crossed == 0 || loops[i]) continue;
    const auto jumps = std::ranges::equal_range(tail_jumps_, at);
    if (std::ranges::ssize(jumps) == crossed && neighbours_.can_begin(at, processor_)) out_.cuts.push_back(at);
  }
}

void Pass::find_cuts() {
  if (out_.open || out_.incomplete || states_end_) return;
  cut_behind_calls();
  cut_at_jumps();
  std::ranges::sort(out_.cuts);
}

}  // namespace assay::code
