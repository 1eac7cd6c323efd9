#include "code/simplify/simplify.h"

#include "code/simplify/sweep.h"

#include <fmt/format.h>

#include <iterator>

namespace assay::code::ir {

// Addresses of slots are sums only once registers are read from where they were written; a slot made a variable is a
// register, whose copies and dead writes go the way of any other's.
void simplify_rewritten(Function& f, Sweep& swept, const Options& options, Counters& counters) {
  const uint64_t before = counters.operations_before, slots = counters.slots;
  swept.all();
  f.ops.shrink_to_fit();
  slots_to_variables(f, options, counters);
  if (counters.slots != slots) {
    rewrite_again(f, options, counters);
    sweep(f, options, counters);
    f.ops.shrink_to_fit();
  }
  counters.operations_before = before;
  counters.operations_after += f.ops.size() - 1;
}

void simplify(Function& f, const Options& options, Counters& counters) {
  Function out;
  out.file = f.file;
  out.variables = f.variables;
  out.ops.reserve(f.ops.size());
  out.marks.reserve(f.marks.size());
  out.blocks.reserve(f.blocks.size());
  Sweep swept(out, options, counters);
  rewrite(f, out, swept, options, counters);
  simplify_rewritten(out, swept, options, counters);
  f = std::move(out);
}

void Counters::add(const Counters& o) {
  for (size_t i = 0; i < rules.size(); ++i) rules[i] += o.rules[i];
  operations_before += o.operations_before, operations_after += o.operations_after;
  folded += o.folded, copies += o.copies, common += o.common, guards += o.guards;
  same_writes += o.same_writes, dead_writes += o.dead_writes, dead_values += o.dead_values;
  slots += o.slots, slot_accesses += o.slot_accesses, budgets += o.budgets;
}

std::string print(const Counters& c) {
  const std::pair<std::string_view, uint64_t> kPlain[] = {
      {"operations before", c.operations_before},
      {"operations after", c.operations_after},
      {"constants folded", c.folded},
      {"register copies", c.copies},
      {"common values", c.common},
      {"guards decided", c.guards},
      {"writes of the same", c.same_writes},
      {"dead writes", c.dead_writes},
      {"dead values", c.dead_values},
      {"stack slots", c.slots},
      {"accesses of slots", c.slot_accesses},
      {"budgets hit", c.budgets},
  };
  std::string out;
  const auto line = [&](std::string_view name, uint64_t count) {
    if (count != 0) fmt::format_to(std::back_inserter(out), "{:<22}{}\n", name, count);
  };
  for (const auto& [name, count] : kPlain) line(name, count);
  for (size_t i = 0; i < c.rules.size(); ++i) line(rules()[i].name, c.rules[i]);
  return out;
}

}  // namespace assay::code::ir
