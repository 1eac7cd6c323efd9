// bzip2: "BZh", the block size as a digit 1 to 9, then blocks that start with 314159265359, or 177245385090 at the end.
// Every block and the whole carry a CRC. Streams that follow one another are one, as bzip2 reads them.
// Source: bzip2 1.0.8, compress.c and decompress.c.
#include "unpack/codecs.h"
#include "unpack/format.h"
#include "unpack/probe.h"

namespace assay::unpack::bzip2 {
namespace {

constexpr Magic kMagics[] = {{"BZh"}};
constexpr std::string_view kBlock("\x31\x41\x59\x26\x53\x59", 6), kEnd("\x17\x72\x45\x38\x50\x90", 6);

bool starts_a_stream(Bytes b) {
  return b.size() > 4 && b.starts_with("BZh") && b[3] >= '1' && b[3] <= '9' &&
         (b.starts_with(kBlock, 4) || b.starts_with(kEnd, 4));
}

Result<Decoded> decode(Bytes from, Output& into) {
  if (!starts_a_stream(from)) return fail(Fault::kMalformed, "no bzip2 block follows the magic", from.base() + 3);
  Decoded stream{.length = TRY(decode_bzip2(from, into))};
  for (;;) {
    const Bytes next = from.head(from.size(), stream.length);
    if (!starts_a_stream(next) || !decodes(decode_bzip2, next)) return stream;
    stream.length += TRY(decode_bzip2(next, into));
  }
}

}  // namespace

extern const Format kBzip2;
const Format kBzip2 = {.id = "bzip2",
                       .title = "bzip2 stream",
                       .magics = kMagics,
                       .decode = decode,
                       .reads = "streams in a row, blocks of every size",
                       .source = "bzip2 1.0.8",
                       .checked = "foreign tool: bzip2"};

}  // namespace assay::unpack::bzip2
