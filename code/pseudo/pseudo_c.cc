#include "code/pseudo/pseudo_c.h"

#include "code/lift/function.h"
#include "code/pseudo/structure.h"

namespace assay::code {

namespace {
constexpr uint32_t kMostBlocks = 20'000;
}

std::vector<CodeLine> pseudo_c(Reading& reading, uint32_t function, std::string& why) {
  const Function& f = reading.analysis.functions.all[function];
  why = lift::refusal(f.processor);
  if (!why.empty()) return {};
  if (reading.analysis.bodies[function].blocks > kMostBlocks) {
    why = "more than " + std::to_string(kMostBlocks) + " blocks";
    return {};
  }
  const lift::Isa isa = lift::isa_for(reading.program, f.processor);
  const pseudo::Abi abi = pseudo::abi_of(f.processor, isa.file);
  ir::Function code;
  ir::Counters counters;
  lift::lift_function(isa, lift::shape_of(reading.program, reading.analysis, function), {.convention = abi.convention},
                      counters, code);
  if (code.blocks.size() > kMostBlocks) {  // calls cut them
    why = "more than " + std::to_string(kMostBlocks) + " blocks";
    return {};
  }
  const pseudo::Graph graph = pseudo::graph_of(code, abi.convention.mode_bit, reading.analysis.jump_tables);
  if (graph.tangled) {
    why = "control flow more tangled than any compiler's";
    return {};
  }
  pseudo::Context context = pseudo::context_of(reading, code, graph, abi);
  return pseudo::structure(context, graph);
}

}  // namespace assay::code
