// Claims of formats on the bytes of one container, settled into disjoint spans that add up to its size.
#pragma once
#include "core/artifact.h"

namespace assay::unpack {

// Where claims overlap, content wins over encrypted, header and padding, in this order. What nobody claims is padding
// where it is one byte value (a whole gap, or a run of at least 64 bytes inside one), else unknown.
std::vector<Span> settle(std::vector<Span> claims, Bytes whole);

}  // namespace assay::unpack
