// Dominators and loops of one function's blocks.
#pragma once
#include "code/analysis.h"

namespace assay::code {

// Sets dominator, loop and loop_depth of `blocks`, the first of which is the one with the lowest address; control
// enters at the block none of the others can do without: `entry`. Edges count within `edges`. False: the graph is more
// tangled than any compiler's, and none is set, or loops are missing.
bool shape(std::vector<Block>& blocks, const std::vector<Edge>& edges, uint32_t entry = 0);

}  // namespace assay::code
