// The decompressors that only JFFS2 has. Both write exactly `size` bytes or fail.
#pragma once
#include "unpack/output.h"

namespace assay::unpack {

Result<void> decode_rtime(Bytes from, uint32_t size, Output& into);

// Rubin, an arithmetic coder of bits: `dynamic` streams bring their 8 probabilities, the others use
// those of MIPS code. A stream that does not end where its last bit is used is kMalformed.
Result<void> decode_rubin(Bytes from, uint32_t size, bool dynamic, Output& into);

}  // namespace assay::unpack
