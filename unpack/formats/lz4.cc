// LZ4: frames that start with 0x184D2204 and end with a mark, skippable frames (0x184D2A50 to 0x184D2A5F, then a
// 32-bit length) between or after them, and the legacy frames (0x184C2102) that Linux uses for kernels: blocks of
// 8 MiB without end mark or checksum. Frames that follow one another are one stream, as lz4 reads them.
// Source: lz4 doc/lz4_Frame_format.md.
#include "unpack/codecs.h"
#include "unpack/format.h"
#include "unpack/probe.h"

namespace assay::unpack::lz4 {
namespace {

constexpr std::string_view kFrame("\x04\x22\x4d\x18", 4), kLegacy("\x02\x21\x4c\x18", 4);
constexpr Magic kMagics[] = {{kFrame}, {kLegacy}};

using Decode = Result<uint64_t> (*)(Bytes, Output&);

Decode decoder_of(Bytes b, bool skippable_too) {
  if (b.starts_with(kFrame)) return decode_lz4_frame;
  if (b.starts_with(kLegacy)) return decode_lz4_legacy;
  const auto magic = b.le<uint32_t>(0, "magic");
  if (skippable_too && magic && (*magic & 0xfffffff0) == 0x184D2A50) return decode_lz4_frame;
  return nullptr;
}

Result<Decoded> decode(Bytes from, Output& into) {
  const Decode first = decoder_of(from, false);
  if (!first) return fail(Fault::kMalformed, "magic does not match", from.base());
  const uint64_t before = into.written();
  Decoded stream{.length = TRY(first(from, into)), .verified = first == decode_lz4_frame};
  for (;;) {
    const Bytes next = from.head(from.size(), stream.length);
    const Decode decoder = decoder_of(next, true);
    if (!decoder || !decodes(decoder, next)) break;
    stream.length += TRY(decoder(next, into));
  }
  if (into.written() == before && !stream.verified)
    return fail(Fault::kMalformed, "legacy frame is empty", from.base());
  return stream;
}

}  // namespace

extern const Format kLz4;
const Format kLz4 = {.id = "lz4",
                     .title = "LZ4 stream",
                     .magics = kMagics,
                     .decode = decode,
                     .reads = "frames, legacy frames, skippable frames, in a row",
                     .source = "lz4 doc/lz4_Frame_format.md",
                     .checked = "foreign tool: lz4"};

}  // namespace assay::unpack::lz4
