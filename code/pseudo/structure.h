// Blocks in an order, with if, while, switch and goto between them.
#pragma once
#include "code/pseudo/writer.h"

namespace assay::code::pseudo {

std::vector<CodeLine> structure(Context& context, const Graph& graph);

}  // namespace assay::code::pseudo
