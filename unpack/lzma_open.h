// LZMA1 without a trustworthy size: finds the end of the stream by itself. liblzma must be told the size or see the
// end marker; vendors leave out both. Slower than liblzma, and free of its bound on lc + lp.
#pragma once
#include "unpack/codecs.h"

namespace assay::unpack {

// Decodes raw LZMA until its end marker, or until the range coder stands at zero, as encoders leave it, and what
// follows is the end of the input or a run of one byte value. Returns the bytes used.
Result<uint64_t> decode_lzma_open(Bytes from, LzmaProperties properties, Output& into);

}  // namespace assay::unpack
