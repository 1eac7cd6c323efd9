// Files that QNX's deflate packed: blocks of LZO or UCL, chained both ways.
//
//   0   "iwlyfmbp"  8 size  12 size of a block (4 KiB to 32 KiB)  14 0 LZO, 1 UCL (NRV2B in bytes)  15 flags
//   16  blocks: 0 bytes to the block before  2 to the next  4 size decoded of the one before  6 of this  8 data
//       a block whose next is 0 ends them
//
// Source: onekey-sec/unblob handlers/compression/qnx_deflate.py.
#include "unpack/codecs.h"
#include "unpack/format.h"
#include "unpack/nrv.h"

namespace assay::unpack::qnx_deflate {
namespace {

constexpr Magic kMagics[] = {{"iwlyfmbp"}};
constexpr uint64_t kHeader = 16, kBlockHeader = 8;

Result<void> decode_block(Bytes data, bool ucl, uint16_t size, Output& into) {
  const uint64_t before = into.written();
  if (ucl)
    TRY(decode_nrv(data, Nrv::kB, 1, size, into));
  else
    TRY_VOID(decode_lzo1x(data, size, into));
  if (into.written() - before != size) return fail(Fault::kMalformed, "a block decodes to another size", data.base());
  return {};
}

Result<Decoded> decode(Bytes from, Output& into) {
  const Bytes h = TRY(from.slice(0, kHeader, "header"));
  const uint32_t size = *h.le<uint32_t>(8, "");
  const uint16_t block = *h.le<uint16_t>(12, "");
  if (size == 0 || block < 4096 || (block & (block - 1)) || h[14] > 1)
    return fail(Fault::kMalformed, "sizes and method", h.base() + 8);
  uint64_t at = kHeader, done = 0;
  for (;;) {
    const Bytes b = TRY(from.slice(at, kBlockHeader, "block header"));
    const uint16_t next = *b.le<uint16_t>(2, ""), decoded = *b.le<uint16_t>(6, "");
    if (next == 0) break;
    if (next < kBlockHeader || decoded > block || decoded > size - done)
      return fail(Fault::kMalformed, "sizes of a block", b.base() + 2);
    TRY_VOID(decode_block(TRY(from.slice(at + kBlockHeader, next - kBlockHeader, "block")), h[14] == 1, decoded, into));
    done += decoded;
    at += next;
  }
  if (done != size) return fail(Fault::kMalformed, "blocks do not add up to the size", h.base() + 8);
  return Decoded{at + kBlockHeader};
}

}  // namespace

extern const Format kQnxDeflate;
const Format kQnxDeflate = {.id = "qnx-deflate",
                            .title = "File packed by QNX's deflate",
                            .version = 1,
                            .magics = kMagics,
                            .decode = decode,
                            .reads = "LZO and UCL blocks",
                            .limits = "what a block states of the one before it is not compared; flags",
                            .source = "onekey-sec/unblob handlers/compression/qnx_deflate.py",
                            .checked = "own builder only: UCL by libucl; of LZO only literals"};

}  // namespace assay::unpack::qnx_deflate
