// lzip: "LZIP", version 1, a byte that codes the dictionary's size, raw LZMA with an end marker, then CRC-32 and length
// of what was compressed and the length of the member. Members may follow one another.
// Source: Lzip manual, File format.
#include "unpack/codecs.h"
#include "unpack/format.h"
#include "unpack/probe.h"

namespace assay::unpack::lzip {
namespace {

constexpr std::string_view kStart("LZIP\x01");
constexpr Magic kMagics[] = {{kStart}};

Result<Decoded> decode(Bytes from, Output& into) {
  Decoded stream{.length = TRY(decode_lzip(from, into))};
  for (;;) {
    const Bytes next = from.head(from.size(), stream.length);
    if (!next.starts_with(kStart) || !decodes(decode_lzip, next)) return stream;
    stream.length += TRY(decode_lzip(next, into));
  }
}

}  // namespace

extern const Format kLzip;
const Format kLzip = {.id = "lzip",
                      .title = "lzip stream",
                      .magics = kMagics,
                      .decode = decode,
                      .reads = "members in a row, their CRC-32 and sizes compared",
                      .limits = "version 0; dictionaries beyond 64 MiB",
                      .source = "Lzip manual, chapter File format",
                      .checked = "foreign tool: lzip; sample of another project"};

}  // namespace assay::unpack::lzip
