// Where the magics of all formats occur in a range of bytes.
#pragma once
#include "unpack/format.h"

#include <vector>

namespace assay::unpack {

struct Hit {
  uint64_t start;  // of the structure, not of the magic
  const Format* format;
};

// Formats with `carve`, structures that start within `region`; sorted by start, then by registry order.
std::vector<Hit> scan(Bytes region);

}  // namespace assay::unpack
