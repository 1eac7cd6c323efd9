// Decompression. Each function decodes one stream from the start of `from`, writes what it yields to `into`, and
// returns how many bytes of `from` it used. On an error, bytes may already have been written; the caller discards them.
// Damaged input is kMalformed, input that ends early kTruncated, a full output kLimit (passed on from `into`).
// Costs that the input chooses (dictionary and window sizes) are bounded to kMaxDictionary before memory is taken.
#pragma once
#include "unpack/output.h"

#include <optional>

namespace assay::unpack {

constexpr uint64_t kMaxDictionary = 64 << 20;

Result<uint64_t> inflate_gzip(Bytes from, Output& into);  // one member, RFC 1952, CRC and size checked
Result<uint64_t> inflate_zlib(Bytes from, Output& into);  // RFC 1950, Adler-32 checked
Result<uint64_t> inflate_raw(Bytes from, Output& into);   // RFC 1951
Result<uint64_t> decode_bzip2(Bytes from, Output& into);
Result<uint64_t> decode_xz(Bytes from, Output& into);          // one stream with its checks
Result<uint64_t> decode_lzip(Bytes from, Output& into);        // one member, CRC and sizes checked
Result<uint64_t> decode_lzma_alone(Bytes from, Output& into);  // 13-byte header; unknown size needs the end marker
Result<uint64_t> decode_zstd(Bytes from, Output& into);        // one frame
Result<uint64_t> decode_lz4_frame(Bytes from, Output& into);
Result<uint64_t> decode_lz4_legacy(Bytes from, Output& into);  // magic 0x184C2102, as Linux kernels use it

// Raw LZMA1 without a header. `size`: exact decoded size, or none: until the end marker or the end of input.
struct LzmaProperties {
  uint8_t lc = 3, lp = 0, pb = 2;
  uint32_t dictionary = 8 << 20;
};
std::optional<LzmaProperties> lzma_properties(uint8_t first_byte, uint32_t dictionary);  // none: byte >= 9*5*5
Result<uint64_t> decode_lzma_raw(Bytes from, LzmaProperties properties, std::optional<uint64_t> size, Output& into);

// One block whose decoded size is at most `most` (file systems know it); the whole of `from` is the block.
Result<void> decode_lz4_block(Bytes from, uint64_t most, Output& into);
Result<void> decode_lzo1x(Bytes from, uint64_t most, Output& into);

}  // namespace assay::unpack
