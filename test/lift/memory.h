// How much memory the program's own allocations hold, and held at most since a mark. Linking memory.cc replaces new and
// delete.
#pragma once
#include <cstddef>

namespace assay::code::lift {

size_t memory_now();
void memory_mark();
size_t memory_peak();

}  // namespace assay::code::lift
