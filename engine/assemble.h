// From the results of single contents to the tree of artifacts and the account of the input's bytes.
#pragma once
#include "engine/contents.h"

namespace assay::engine {

// Fills artifacts, bytes, files and the facts of single files and formats; appends to incomplete_because.
void assemble(const Contents& contents, const Input& input, Examination& into);

}  // namespace assay::engine
