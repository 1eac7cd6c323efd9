// zisofs: a file of an ISO 9660 file system, packed in blocks; with Rock Ridge's ZF field, or known by its magic alone.
//
//   0   37 e4 53 96 c9 db d6 07
//   8   size (4)   12 header size / 4 (1)   13 logarithm of the block size (1)   14 0 (2)
//   …   pointers to blocks and to the end (4 each); each block is zlib on its own, an empty one is zeros
//
// Source: Linux fs/isofs/compress.c; zisofs-tools' documentation of the format.
#include "unpack/codecs.h"
#include "unpack/format.h"
#include "unpack/formats/iso9660.h"

#include <algorithm>

namespace assay::unpack::zisofs {
namespace {

constexpr std::string_view kStart("\x37\xe4\x53\x96\xc9\xdb\xd6\x07", 8);
constexpr Magic kMagics[] = {{kStart}};

Result<Decoded> decode(Bytes from, Output& into) { return Decoded{.length = TRY(decode_zisofs(from, into))}; }

}  // namespace

extern const Format kZisofs;
const Format kZisofs = {.id = "zisofs",
                        .title = "zisofs packed file",
                        .magics = kMagics,
                        .decode = decode,
                        .reads = "version 1, blocks of 32 to 128 KiB",
                        .limits = "version 2",
                        .source = "Linux fs/isofs/compress.c",
                        .checked = "foreign tool: xorriso; real image: sample of another project"};

}  // namespace assay::unpack::zisofs

namespace assay::unpack {

Result<uint64_t> decode_zisofs(Bytes from, Output& into) {
  if (!from.starts_with(zisofs::kStart)) return fail(Fault::kMalformed, "zisofs magic", from.base());
  const uint64_t size = TRY(from.le<uint32_t>(8, "size"));
  const uint64_t header = uint64_t{4} * TRY(from.le<uint8_t>(12, "header size"));
  const auto log2 = TRY(from.le<uint8_t>(13, "block size"));
  if (log2 < 15 || log2 > 17) return fail(Fault::kUnsupported, "block size", from.base() + 13);
  const uint64_t block = uint64_t{1} << log2;
  uint64_t at = TRY(from.le<uint32_t>(header, "block pointer"));
  if (at != header + 4 * ((size + block - 1) / block + 1))
    return fail(Fault::kMalformed, "block pointer", from.base() + header);
  for (uint64_t i = 0; i * block < size; ++i) {
    const uint64_t want = std::min(block, size - i * block), before = into.written();
    const uint64_t end = TRY(from.le<uint32_t>(header + 4 * (i + 1), "block pointer"));
    if (end < at) return fail(Fault::kMalformed, "block pointer", from.base() + header + 4 * i);
    const Bytes packed = TRY(from.slice(at, end - at, "block"));
    if (packed.empty())
      TRY_VOID(into.zeros(want));
    else
      TRY(inflate_zlib(packed, into));
    if (into.written() - before != want) return fail(Fault::kMalformed, "size of a block", packed.base());
    at = end;
  }
  return at;
}

}  // namespace assay::unpack
