// Zstandard, RFC 8878: frames that start with 0xFD2FB528, and skippable frames (0x184D2A50 to 0x184D2A5F, then a
// 32-bit length) between or after them. Frames that follow one another are one stream, as zstd reads them.
#include "unpack/codecs.h"
#include "unpack/format.h"
#include "unpack/probe.h"

namespace assay::unpack::zstd {
namespace {

constexpr std::string_view kStart("\x28\xb5\x2f\xfd", 4);
constexpr Magic kMagics[] = {{kStart}};

bool starts_a_skippable_frame(Bytes b) {
  const auto magic = b.le<uint32_t>(0, "magic");
  return magic && (*magic & 0xfffffff0) == 0x184D2A50;
}

// A frame says how long its content is, or carries a checksum, or nothing but its blocks.
bool confirms_itself(Bytes frame) {
  const uint8_t descriptor = frame.size() > 4 ? frame[4] : 0;
  return (descriptor & 4) != 0 || (descriptor & 0xe0) != 0;
}

Result<Decoded> decode(Bytes from, Output& into) {
  if (!from.starts_with(kStart)) return fail(Fault::kMalformed, "magic does not match", from.base());
  Decoded stream{.length = TRY(decode_zstd(from, into)), .verified = confirms_itself(from)};
  for (;;) {
    const Bytes next = from.head(from.size(), stream.length);
    if (!(next.starts_with(kStart) || starts_a_skippable_frame(next)) || !decodes(decode_zstd, next)) return stream;
    stream.length += TRY(decode_zstd(next, into));
  }
}

}  // namespace

extern const Format kZstd;
const Format kZstd = {.id = "zstd",
                      .title = "Zstandard stream",
                      .magics = kMagics,
                      .decode = decode,
                      .reads = "frames in a row, skippable frames",
                      .limits = "windows beyond 64 MiB; dictionaries",
                      .source = "RFC 8878",
                      .checked = "foreign tool: zstd"};

}  // namespace assay::unpack::zstd
