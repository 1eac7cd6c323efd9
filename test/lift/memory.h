// How much memory this thread holds of what it allocated, its libraries too, and held at most since a mark. Linking
// memory.cc replaces malloc.
#pragma once
#include <cstddef>

namespace assay::code::lift {

size_t memory_now();
void memory_mark();
size_t memory_peak();

}  // namespace assay::code::lift
