// Leftovers of running a product's software in an emulator (emulation.cc).
#pragma once
#include "system/tree.h"

namespace assay::system {

void find_emulation(const Tree& tree, Facts& out);

}  // namespace assay::system
