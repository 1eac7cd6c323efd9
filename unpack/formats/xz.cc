// xz: "\xfd7zXZ\0", flags with CRC-32, blocks, index, footer. Streams may follow one another, with padding of zeros in
// multiples of four bytes between them. Padding after the last stream is left to the container.
// Source: The .xz File Format, version 1.1.0.
#include "unpack/codecs.h"
#include "unpack/format.h"
#include "unpack/probe.h"

namespace assay::unpack::xz {
namespace {

constexpr std::string_view kStart(
    "\xfd"
    "7zXZ\0",
    6);
constexpr Magic kMagics[] = {{kStart}};

uint64_t zeros_from(Bytes b, uint64_t at) {
  uint64_t end = at;
  while (end + 4 <= b.size() && b.starts_with(std::string_view("\0\0\0\0", 4), end)) end += 4;
  return end - at;
}

Result<Decoded> decode(Bytes from, Output& into) {
  Decoded stream{.length = TRY(decode_xz(from, into))};
  for (;;) {
    const uint64_t at = stream.length + zeros_from(from, stream.length);
    const Bytes next = from.head(from.size(), at);
    if (!next.starts_with(kStart) || !decodes(decode_xz, next)) return stream;
    stream.length = at + TRY(decode_xz(next, into));
  }
}

}  // namespace

extern const Format kXz;
const Format kXz = {.id = "xz",
                    .title = "xz stream",
                    .magics = kMagics,
                    .decode = decode,
                    .reads = "streams in a row with padding, every check",
                    .limits = "dictionaries beyond 64 MiB",
                    .source = "The .xz File Format 1.1.0",
                    .checked = "foreign tool: xz"};

}  // namespace assay::unpack::xz
