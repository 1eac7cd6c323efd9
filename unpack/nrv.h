// NRV2B, NRV2D and NRV2E, the codecs of UCL, UPX and QNX: own readers, the library is under the GPL.
#pragma once
#include "unpack/output.h"

namespace assay::unpack {

enum class Nrv : uint8_t { kB, kD, kE };

// Decodes one stream up to its end marker and returns how many bytes of `from` it used. Its bits come from
// little-endian words of `word` bytes (1, 2 or 4), highest bit first. More than `most` bytes are kMalformed.
Result<uint64_t> decode_nrv(Bytes from, Nrv kind, unsigned word, uint64_t most, Output& into);

}  // namespace assay::unpack
